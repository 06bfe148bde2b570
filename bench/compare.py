"""Postern beside its peers, in one run: see README.md."""

import argparse
import contextlib
import dataclasses
import json
import os
import platform
import shutil
import signal
import statistics
import sys
import tempfile

from scenarios import SCENARIOS, SHORT, Sizes
from servers import PROXIES, Failure, Ground, version_of

WARM_UP = 100  # logins that nobody counts


def arguments():
    parser = argparse.ArgumentParser(prog="bench/compare.sh", description=__doc__)
    parser.add_argument("--build-dir", required=True, help="where postern was built")
    parser.add_argument("--load-build-dir", help="where the load generator and the store were built, if elsewhere")
    parser.add_argument("--only", help=f"some of {','.join(SCENARIOS)}")
    parser.add_argument("--peers", default="haproxy,nginx", help="beside postern; empty: none")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--short", action="store_true", help="a smoke run: its figures mean nothing")
    parser.add_argument("--no-pin", action="store_true", help="leave it to the kernel which CPU runs what")
    parser.add_argument("--json", metavar="FILE", help="write every figure of every round")
    asked = parser.parse_args()
    asked.only = asked.only.split(",") if asked.only else list(SCENARIOS)
    asked.proxies = ["postern"] + [name for name in asked.peers.split(",") if name]
    for given, known in ((asked.only, SCENARIOS), (asked.proxies, PROXIES)):
        for name in given:
            if name not in known:
                parser.error(f"{name!r} is none of {', '.join(known)}")
    if asked.short:
        asked.rounds = 1
    return asked


def measure(asked, ground, sizes):
    """(scenario, proxy) -> the figures of each round, or the text of a failure; and the proxies' versions."""
    results = {(scenario, name): [] for scenario in asked.only for name in asked.proxies}
    with contextlib.ExitStack() as running:
        running.enter_context(ground.start_store())
        proxies = [running.enter_context(ground.start(name)) for name in asked.proxies]
        warm_up(ground, proxies)
        versions = {proxy.name: version_of(proxy) for proxy in proxies}
        for number in range(asked.rounds):
            for scenario in asked.only:
                for turn in range(len(proxies)):
                    proxy = proxies[(turn + number) % len(proxies)]
                    progress(f"round {number + 1} of {asked.rounds}: {scenario}, {proxy.name}")
                    one(ground, proxy, sizes, scenario, results)
    progress("")
    return results, versions


def warm_up(ground, proxies):
    login = SCENARIOS["login"][0]
    for proxy in proxies:
        login(ground, proxy, dataclasses.replace(SHORT, logins=WARM_UP))


def one(ground, proxy, sizes, scenario, results):
    place = (scenario, proxy.name)
    if isinstance(results[place], str):
        return
    try:
        results[place].append(SCENARIOS[scenario][0](ground, proxy, sizes))
    except Failure as failure:
        results[place] = str(failure)
    except OSError as error:
        results[place] = f"{error}; it says: {proxy.said()}"


def progress(text):
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)
    elif text:
        print(text, file=sys.stderr, flush=True)


def median(results, scenario, name, key):
    rounds = results.get((scenario, name))
    return statistics.median(figures[key] for figures in rounds) if rounds and not isinstance(rounds, str) else None


def table(asked, results):
    lines = [["", *asked.proxies, "budget"]]
    for scenario in asked.only:
        for metric in SCENARIOS[scenario][1]:
            peer = median(results, scenario, "haproxy", metric.key)
            line = [metric.title]
            for name in asked.proxies:
                middle = median(results, scenario, name, metric.key)
                if middle is None:
                    line.append("FAILED")
                    continue
                all_rounds = [figures[metric.key] for figures in results[scenario, name]]
                text = (f"{middle:.{metric.digits}f} "
                        f"({min(all_rounds):.{metric.digits}f}–{max(all_rounds):.{metric.digits}f})")
                line.append(text + (f" {middle / peer:.2f}×" if peer and name != "haproxy" else ""))
            line.append(verdict(metric, median(results, scenario, "postern", metric.key), peer))
            lines.append(line)
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    for line in lines:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip())


def verdict(metric, figure, peer):
    if metric.least is None and metric.most is None:
        return ""
    goal = f"≤ {metric.least}×" if metric.most is None else f"≤ {metric.most}"
    allowed = metric.most if metric.most is not None else peer and peer * metric.least
    if figure is None or not allowed:
        return goal
    return f"{goal} {'met' if figure <= allowed else 'MISSED'}"


def notes(asked, results):
    """What a reader must know before believing a line."""
    agreed = {}
    for (scenario, name), rounds in results.items():
        if isinstance(rounds, str):
            print(f"{scenario}, {name}: FAILED: {rounds}")
            continue
        for figures in rounds:
            if "tls" in figures:
                agreed.setdefault(figures["tls"], set()).add(name)
        busy = statistics.median(figures.get("load_busy", 0) for figures in rounds)
        if busy > 0.9 and not asked.no_pin:
            print(f"{scenario}, {name}: the load's CPU was {busy:.0%} busy: latency and rate are partly its own")
    for tls, names in sorted(agreed.items()):
        print(f"{tls}: {', '.join(name for name in asked.proxies if name in names)}")
    if len(agreed) > 1:
        print("The proxies did NOT agree on the same TLS: their lines cannot be compared.")


def machine(pin):
    with open("/proc/cpuinfo") as file:
        model = next((line.split(":", 1)[1].strip() for line in file if line.startswith("model name")), "unknown CPU")
    return {"cpu": model, "cpus": os.cpu_count(), "kernel": platform.release(), "load_average": os.getloadavg()[0],
            "pinned": f"proxy to CPU {pin[0]}, load and store to CPU {pin[1]}" if pin else "no"}


def main():
    asked = arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    sizes = SHORT if asked.short else Sizes()
    cpus = sorted(os.sched_getaffinity(0))
    pin = None if asked.no_pin or len(cpus) < 2 else (cpus[0], cpus[1])
    about = machine(pin)
    print(f"{about['cpu']}, {about['cpus']} CPUs, Linux {about['kernel']}; pinned: {about['pinned']}")
    if about["load_average"] > 0.5:
        print(f"The machine is not quiet: its load average is {about['load_average']:.1f}.")
    folder = tempfile.mkdtemp(prefix="postern-bench-")
    try:
        ground = Ground(folder, asked.build_dir, asked.load_build_dir or asked.build_dir, pin)
        results, versions = measure(asked, ground, sizes)
    except Failure as failure:
        print(f"compare.py: {failure}", file=sys.stderr)
        return 1
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    for version in versions.values():
        print(version)
    settings = dataclasses.asdict(sizes)
    print(", ".join(f"{name} {value}" for name, value in settings.items()), f"rounds {asked.rounds}", sep=", ")
    print("Median (least–most); × is the part of HAProxy's median\n")
    table(asked, results)
    print()
    notes(asked, results)
    if asked.json:
        with open(asked.json, "w") as file:
            json.dump({"machine": about, "versions": versions, "settings": settings, "rounds": asked.rounds,
                       "results": {f"{scenario} {name}": rounds for (scenario, name), rounds in results.items()}},
                      file, indent=1)
            file.write("\n")
    return 1 if any(isinstance(rounds, str) for rounds in results.values()) else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
