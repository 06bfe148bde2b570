"""What one operation costs Postern by a count that repeats: the difference between runs of N and of 2 N operations,
so that what the process does once does not count."""

import contextlib
import os
import tempfile

from drive import drive
from ground import Ground, Variant

MEGABYTE = 1_000_000
OPERATIONS = {  # name: (mode of the load, options, N)
    "login": ("logins", ("--at-once", 1), 100),
    "resumed": ("logins", ("--at-once", 1, "--resume"), 100),
    "megabyte to the client": ("fetch", ("--at-once", 1, "--message", MEGABYTE), 20),
    "megabyte from the client": ("append", ("--at-once", 1, "--message", MEGABYTE), 20),
    "NOOP": ("noop", ("--at-once", 1), 500),
}


@contextlib.contextmanager
def a_ground(build):
    with tempfile.TemporaryDirectory(prefix="postern-bench-") as folder:
        ground = Ground(folder, build, build, None)
        with ground.start_store():
            yield ground


def difference(ground, operation, under, counts_of):
    """Counts by name, for one operation. `under` gets the path for a report, `counts_of` reads it."""
    mode, options, number = OPERATIONS[operation]
    runs = []
    for count in (number, 2 * number):
        ground.count += 1
        report = os.path.join(ground.folder, f"report-{ground.count}")
        with ground.start("postern", Variant(probes=False), under=under(report)) as proxy:
            drive(ground, proxy, mode, "--count", count, *options)
        runs.append(counts_of(report))
    return {name: (runs[1][name] - runs[0].get(name, 0)) / number for name in runs[1]}
