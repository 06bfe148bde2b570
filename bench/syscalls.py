"""System calls of one operation of Postern, as strace counts them in all its threads."""

import argparse
import sys

from servers import Failure
from traced import OPERATIONS, a_ground, difference


def under(report):
    return ["strace", "-f", "-c", "-U", "name,calls,errors", "-o", report]


def calls(report):
    found = {}
    with open(report) as file:
        for line in file:
            words = line.split()
            if len(words) >= 2 and words[1].isdigit() and words[0] != "total":
                found[words[0]] = int(words[1])
    return found


def main():
    parser = argparse.ArgumentParser(prog="bench/syscalls.sh", description=__doc__)
    parser.add_argument("--build-dir", required=True)
    asked = parser.parse_args()
    with a_ground(asked.build_dir) as ground:
        counted = {operation: difference(ground, operation, under, calls) for operation in OPERATIONS}
    names = sorted({name for counts in counted.values() for name, count in counts.items() if count >= 0.05},
                   key=lambda name: -counted["login"].get(name, 0))
    print("| system call | " + " | ".join(OPERATIONS) + " |")
    print("|---" * (len(OPERATIONS) + 1) + "|")
    for name in names:
        row = [counted[operation].get(name, 0) for operation in OPERATIONS]
        print(f"| `{name}` | " + " | ".join(f"{count:.1f}" if count >= 0.05 else "" for count in row) + " |")
    print("| all | " + " | ".join(f"{sum(counts.values()):.1f}" for counts in counted.values()) + " |")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Failure as failure:
        sys.exit(f"syscalls.py: {failure}")
