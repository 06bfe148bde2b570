"""Postern beside its peers, in one run: see README.md."""

import argparse
import contextlib
import dataclasses
import json
import os
import platform
import shutil
import signal
import sys
import tempfile

import table
from ground import PROXIES, Ground, Variant
from peers import version_of
from scenarios import GROUPS, SCENARIOS, SHORT, Sizes
from servers import Failure, Unable

WARM_UP = 100  # logins that nobody counts


def arguments():
    parser = argparse.ArgumentParser(prog="bench/compare.sh", description=__doc__)
    parser.add_argument("--build-dir", help="where postern was built")
    parser.add_argument("--show", metavar="FILE", help="print once more what --json wrote; nothing is measured")
    parser.add_argument("--load-build-dir", help="where the load generator and the store were built, if elsewhere")
    parser.add_argument("--only", help=f"some of {', '.join(SCENARIOS)}, or of the groups {', '.join(GROUPS)}")
    parser.add_argument("--peers", default="haproxy,nginx,dovecot,perdition", help=f"beside postern, of {', '.join(list(PROXIES)[1:])}; empty: none")
    parser.add_argument("--beside", metavar="NAME", default="haproxy", help="whose median the others' are parts of")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--short", action="store_true", help="a smoke run: its figures mean nothing")
    parser.add_argument("--no-pin", action="store_true", help="leave it to the kernel which CPU runs what")
    parser.add_argument("--json", metavar="FILE", help="write every figure of every round")
    asked = parser.parse_args()
    if not asked.show and not asked.build_dir:
        parser.error("--build-dir is missing")
    names = asked.only.split(",") if asked.only else list(SCENARIOS)
    asked.only = [scenario for name in names for scenario in GROUPS.get(name, [name])]
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
    results = {(scenario, name): [] for scenario in asked.only for name in asked.proxies
               if name in SCENARIOS[scenario].who}
    with contextlib.ExitStack() as running:
        running.enter_context(ground.start_store())
        proxies = {name: running.enter_context(ground.start(name)) for name in asked.proxies}
        for proxy in proxies.values():
            try:
                warm_up(ground, proxy)
            except Failure as failure:
                raise Failure(f"{proxy.name}: {failure}; it says: {proxy.said()}") from None
        versions = {name: version_of(proxy) for name, proxy in proxies.items()}
        for number in range(asked.rounds):
            for scenario in asked.only:
                for turn in range(len(asked.proxies)):
                    name = asked.proxies[(turn + number) % len(asked.proxies)]
                    if isinstance(results.get((scenario, name)), list):
                        progress(f"round {number + 1} of {asked.rounds}: {scenario}, {name}")
                        one(ground, proxies[name], sizes, scenario, results)
    progress("")
    return results, versions


def warm_up(ground, proxy):
    SCENARIOS["login"].run(ground, proxy, dataclasses.replace(SHORT, logins=WARM_UP))


def one(ground, proxy, sizes, name, results):
    scenario, place = SCENARIOS[name], (name, proxy.name)
    before = cpu_times()
    try:
        if scenario.fresh:
            figures = scenario.run(ground, proxy.name, sizes)
        elif scenario.variant != Variant():
            with ground.start(proxy.name, scenario.variant) as other:
                warm_up(ground, other)
                figures = scenario.run(ground, other, sizes)
        else:
            figures = scenario.run(ground, proxy, sizes)
        results[place].append({**figures, "stolen": stolen_since(before)})
    except Unable as unable:
        del results[place]
        progress("")
        print(f"{name}, {proxy.name}: {unable}")
    except Failure as failure:
        results[place] = str(failure)
    except OSError as error:
        results[place] = f"{error}; it says: {proxy.said()}"


def progress(text):
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)
    elif text:
        print(text, file=sys.stderr, flush=True)


def cpu_times():
    """Of all CPUs since the machine started, as /proc/stat counts them: user to steal."""
    with open("/proc/stat") as file:
        return [int(value) for value in file.readline().split()[1:9]]


def stolen_since(before):
    """What part of the CPUs' time a virtual machine's host gave to others."""
    passed = [value - earlier for value, earlier in zip(cpu_times(), before)]
    return passed[7] / max(sum(passed), 1)


def machine(pin):
    with open("/proc/cpuinfo") as file:
        model = next((line.split(":", 1)[1].strip() for line in file if line.startswith("model name")), "unknown CPU")
    return {"cpu": model, "cpus": os.cpu_count(), "kernel": platform.release(), "load_average": os.getloadavg()[0],
            "pinned": f"proxy to CPU {pin[0]}, load and store to CPU {pin[1]}" if pin else "no"}


def main():
    asked = arguments()
    if asked.show:
        with open(asked.show) as file:
            table.show(json.load(file), asked.beside)
        return 0
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    sizes = SHORT if asked.short else Sizes()
    cpus = sorted(os.sched_getaffinity(0))
    pin = None if asked.no_pin or len(cpus) < 2 else (cpus[0], cpus[1])
    about = machine(pin)
    folder = tempfile.mkdtemp(prefix="postern-bench-")
    try:
        ground = Ground(folder, asked.build_dir, asked.load_build_dir or asked.build_dir, pin)
        results, versions = measure(asked, ground, sizes)
    except Failure as failure:
        print(f"compare.py: {failure}", file=sys.stderr)
        return 1
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    data = {"machine": about, "versions": versions, "settings": dataclasses.asdict(sizes), "rounds": asked.rounds,
            "results": {f"{scenario} {name}": rounds for (scenario, name), rounds in results.items()}}
    table.show(data, asked.beside)
    if asked.json:
        with open(asked.json, "w") as file:
            json.dump(data, file, indent=1)
            file.write("\n")
    return 1 if any(isinstance(rounds, str) for rounds in results.values()) else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
