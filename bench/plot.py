#!/usr/bin/env python3
"""Draws what compare.sh --json wrote: a bar for each proxy's part of HAProxy's figure, with its least and most.

    bench/plot.py FILE.json FILE.svg [metric ...]      each metric as scenario.key; none: the first of each scenario
"""

import json
import statistics
import sys
from xml.sax.saxutils import escape

from scenarios import SCENARIOS

COLOURS = {"postern": "#1b6ca8", "haproxy": "#9aa5b1", "nginx": "#6aa84f", "dovecot": "#c27c1a", "perdition": "#a64d79"}
LABELS, WIDTH, BAR, GAP, MARGIN, LONGEST = 300, 980, 13, 16, 60, 3.0
SCALE = (WIDTH - LABELS - 130) / LONGEST  # pixels for 1.0


def groups_of(data, wanted):
    """(title, budget, [(proxy, median, least, most)]), each as a part of HAProxy's median."""
    for scenario, plan in SCENARIOS.items():
        metrics = plan.metrics if wanted else plan.metrics[:1]
        for metric in metrics:
            if wanted and f"{scenario}.{metric.key}" not in wanted:
                continue
            found = {}
            for proxy in COLOURS:
                rounds = data["results"].get(f"{scenario} {proxy}")
                if rounds and not isinstance(rounds, str):
                    found[proxy] = [figures[metric.key] for figures in rounds]
            base = statistics.median(found["haproxy"]) if "haproxy" in found else 0
            if base:
                title = metric.title.strip() if metric is plan.metrics[0] else f"{scenario}: {metric.title.strip()}"
                yield title, metric.least, base, metric.digits, [
                    (proxy, statistics.median(values) / base, min(values) / base, max(values) / base)
                    for proxy, values in found.items()]


def text(x, y, words, anchor="start", size=12, colour="#222"):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" fill="{colour}">{escape(words)}</text>'


def label(x, y, words):
    """On white, for lines cross it."""
    return text(x, y, words, size=10).replace("<text", '<text stroke="#fff" stroke-width="4" paint-order="stroke"', 1)


def draw(data, wanted):
    parts, labels, y = [], [], MARGIN
    for title, budget, base, digits, bars in groups_of(data, wanted):
        top = y
        for proxy, middle, least, most in bars:
            length, cut = min(middle, LONGEST) * SCALE, middle > LONGEST
            parts.append(f'<rect x="{LABELS}" y="{y}" width="{length:.1f}" height="{BAR - 2}" fill="{COLOURS[proxy]}"/>')
            if not cut:
                left, right = LABELS + least * SCALE, LABELS + min(most, LONGEST) * SCALE
                parts.append(f'<path d="M{left:.1f} {y + 5.5}H{right:.1f}M{left:.1f} {y + 2}v7M{right:.1f} {y + 2}v7" '
                             'stroke="#111" fill="none"/>')
            end = LABELS + max(length, 0 if cut else min(most, LONGEST) * SCALE) + 5
            labels.append(label(end, y + 10, f"{proxy} {middle:.2f}{' (cut off)' if cut else ''}"))
            y += BAR
        parts.append(text(LABELS - 8, (top + y) / 2 + 2, title, "end"))
        parts.append(text(LABELS - 8, (top + y) / 2 + 15, f"HAProxy {base:.{digits}f}", "end", 10, "#777"))
        if budget:
            x = LABELS + budget * SCALE
            parts.append(f'<path d="M{x:.1f} {top - 3}V{y + 1}" stroke="#c00" stroke-width="2"/>')
        y += GAP
    x = LABELS + SCALE
    parts.append(f'<path d="M{x:.1f} {MARGIN - 8}V{y}" stroke="#9aa5b1" stroke-dasharray="4 3"/>')
    about = data["machine"]
    head = [text(12, 22, f"Part of HAProxy's figure: median of {data['rounds']} rounds, least to most; red: budget", size=14),
            text(12, 40, f"{about['cpu']}, {about['cpus']} CPUs, Linux {about['kernel']}, load average before "
                         f"{about['load_average']:.1f}", size=11, colour="#555")]
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{y + 10}" font-family="sans-serif">'
            f'<rect width="100%" height="100%" fill="#fff"/>\n' + "\n".join(head + parts + labels) + "\n</svg>\n")


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    with open(sys.argv[1]) as file:
        data = json.load(file)
    with open(sys.argv[2], "w") as file:
        file.write(draw(data, set(sys.argv[3:])))


if __name__ == "__main__":
    main()
