"""The figures of a comparison as a table for people."""

import statistics

from scenarios import SCENARIOS


def median(results, scenario, name, key):
    rounds = results.get((scenario, name))
    return statistics.median(figures[key] for figures in rounds) if rounds and not isinstance(rounds, str) else None


def show(data, beside):
    """All that a run has found, as its JSON holds it. `beside`: the proxy whose median the others' are parts of."""
    about, proxies = data["machine"], list(data["versions"])
    results = {tuple(key.split(" ")): rounds for key, rounds in data["results"].items()}
    print(f"{about['cpu']}, {about['cpus']} CPUs, Linux {about['kernel']}; pinned: {about['pinned']}")
    if about["load_average"] > 0.5:
        print(f"The machine is not quiet: its load average is {about['load_average']:.1f}.")
    for version in data["versions"].values():
        print(version)
    settings = [f"{name} {value}" for name, value in data["settings"].items()]
    print(", ".join([*settings, f"rounds {data['rounds']}"]))
    print(f"Median (least–most); × is the part of {beside}'s median\n")
    print_table([name for name in SCENARIOS if any(key[0] == name for key in results)], proxies, results, beside)
    print()
    print_notes(proxies, results, about["pinned"] != "no")


def print_table(scenarios, proxies, results, beside):
    lines = [["", *proxies, "budget"]]
    for scenario in scenarios:
        for metric in metrics_in(results, scenario):
            base = median(results, scenario, beside, metric.key)
            cells = [cell(results, scenario, name, metric, base if name != beside else None) for name in proxies]
            lines.append([metric.title, *cells, verdict(metric, median(results, scenario, "postern", metric.key),
                                                        median(results, scenario, "haproxy", metric.key))])
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    for line in lines:
        print("  ".join(text.ljust(width) for text, width in zip(line, widths)).rstrip())


def metrics_in(results, scenario):
    """What was measured: a file of an earlier version may know less."""
    known = {key for (name, _), rounds in results.items() if name == scenario and not isinstance(rounds, str)
             for figures in rounds for key in figures}
    return [metric for metric in SCENARIOS[scenario].metrics if metric.key in known or not known]


def cell(results, scenario, name, metric, base):
    if (scenario, name) not in results:
        return "–"
    middle = median(results, scenario, name, metric.key)
    if middle is None:
        return "FAILED"
    all_rounds = [figures[metric.key] for figures in results[scenario, name]]
    text = f"{middle:.{metric.digits}f} ({min(all_rounds):.{metric.digits}f}–{max(all_rounds):.{metric.digits}f})"
    return text + (f" {middle / base:.2f}×" if base else "")


def verdict(metric, figure, peer):
    if metric.least is None and metric.most is None:
        return ""
    goal = f"≤ {metric.least}×" if metric.most is None else f"≤ {metric.most}"
    allowed = metric.most if metric.most is not None else peer and peer * metric.least
    if figure is None or not allowed:
        return goal
    return f"{goal} {'met' if figure <= allowed else 'MISSED'}"


def print_notes(proxies, results, pinned):
    """What a reader must know before believing a line."""
    agreed, stolen = {}, []
    for (scenario, name), rounds in results.items():
        if isinstance(rounds, str):
            print(f"{scenario}, {name}: FAILED: {rounds}")
            continue
        for figures in rounds:
            if "tls" in figures:
                agreed.setdefault((scenario, figures["tls"]), set()).add(name)
        part = statistics.median(figures.get("stolen", 0) for figures in rounds)
        if part > 0.005:
            stolen.append(f"{scenario} {name} {part:.1%}")
        busy = statistics.median(figures.get("load_busy", 0) for figures in rounds)
        if busy > 0.9 and pinned:
            print(f"{scenario}, {name}: the load's CPU was {busy:.0%} busy: latency and rate are partly its own")
    if stolen:
        print(f"p99 is partly the host's, which gave to others of the CPUs' time: {', '.join(stolen)}")
    print_agreements(agreed, proxies)


def print_agreements(agreed, proxies):
    """One line for each TLS and who agreed on it, with the scenarios."""
    lines = {}
    for (scenario, tls), names in agreed.items():
        who = tuple(name for name in proxies if name in names)
        lines.setdefault((tls, who), []).append(scenario)
    choices = {}
    for scenario, tls in agreed:
        choices.setdefault(scenario, set()).add(tls)
    for (tls, who), scenarios in lines.items():
        apart = [scenario for scenario in scenarios if len(choices[scenario]) > 1]
        print(f"{tls}: {', '.join(who)}: {', '.join(scenarios)}")
        if apart and len(who) < len(proxies) / 2:
            print(f"  which is NOT the others' TLS: {', '.join(who)} cannot be compared with them there")
