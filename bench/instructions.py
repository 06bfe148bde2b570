"""The gate: instructions of one operation in user space, counted by callgrind, beside those that are committed."""

import argparse
import os
import re
import subprocess
import sys

from servers import Failure
from traced import OPERATIONS, a_ground, difference

TOLERANCE = 0.03
COMMITTED = os.path.join(os.path.dirname(os.path.abspath(__file__)), "instructions.txt")
NOTHING_COMMITTED = 77  # as CTest knows a test that was skipped
HEADER = """# Instructions in user space of one operation of Postern, without startup: bench/instructions.sh --update.
# They hold for one compiler and one BoringSSL: build, operation, count.
"""


def under(report):
    return ["valgrind", "--quiet", "--tool=callgrind", f"--callgrind-out-file={report}"]


def total(report):
    with open(report) as file:
        return {"instructions": int(re.search(r"^totals: (\d+)", file.read(), re.MULTILINE)[1])}


def kind_of(build):
    """What the counts depend on."""
    cache = {}
    with open(os.path.join(build, "CMakeCache.txt")) as file:
        for line in file:
            name, _, value = line.rstrip("\n").partition("=")
            cache[name.split(":")[0]] = value
    version = subprocess.run([cache["CMAKE_CXX_COMPILER"], "-dumpfullversion"], stdout=subprocess.PIPE, text=True,
                             check=True).stdout.strip()
    compiler = os.path.basename(os.path.realpath(cache["CMAKE_CXX_COMPILER"]))
    return f"{compiler} {version}, {cache['CMAKE_BUILD_TYPE']}, " + (
        "current BoringSSL" if cache.get("BORINGSSL_ROOT") else "Debian's BoringSSL")


def committed():
    found = {}
    if os.path.exists(COMMITTED):
        with open(COMMITTED) as file:
            for line in file:
                if line.strip() and not line.startswith("#"):
                    kind, operation, count = line.rstrip("\n").split("; ")
                    found[kind, operation] = int(count)
    return found


def main():
    parser = argparse.ArgumentParser(prog="bench/instructions.sh", description=__doc__)
    parser.add_argument("--build-dir", required=True)
    parser.add_argument("--update", action="store_true", help="commit to what is counted now")
    asked = parser.parse_args()
    kind, known, bad = kind_of(asked.build_dir), committed(), False
    print(kind)
    if not asked.update and not any(kind == one for one, _ in known):
        print("nothing is committed for this build: --update")
        return NOTHING_COMMITTED
    with a_ground(asked.build_dir) as ground:
        for operation in OPERATIONS:
            count = round(difference(ground, operation, under, total)["instructions"])
            before = known.get((kind, operation))
            text = f"{operation:26} {count:12,}"
            if before:
                text += f"  {count / before - 1:+.1%} of {before:,}"
                if count > before * (1 + TOLERANCE):
                    bad = not asked.update
                    text += f"  MORE than {TOLERANCE:.0%}"
                elif count < before * (1 - TOLERANCE):
                    text += "  less: commit to it with --update"
            elif not asked.update:
                bad = True
                text += "  nothing is committed for this build: --update"
            print(text, flush=True)
            known[kind, operation] = count
    if asked.update:
        with open(COMMITTED, "w") as file:
            file.write(HEADER + "".join(f"{kind}; {name}; {count}\n" for (kind, name), count in known.items()))
    return 1 if bad else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Failure as failure:
        sys.exit(f"instructions.py: {failure}")
