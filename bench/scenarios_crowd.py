"""Many sessions: at rest, working while others log in, all coming back at once, and what memory remembers of it.

Each begins with fresh processes: what was used for sessions before would hide what these cost."""

import contextlib
import threading
import time

from drive import Crowd, drive
from ground import Variant
from servers import Failure

SIGHT = 5  # seconds in which what rests is watched
GIVES_BACK = 12  # seconds in which a proxy may give memory back
SETTLED = 64 * 1024  # bytes by which memory may still change between two looks
PER_PROCESS = {"perdition": 400}  # sessions, where each is a process


def idle(ground, name, sizes, variant=Variant(), protocol="imap"):
    sessions = min(sizes.sessions, PER_PROCESS.get(name, sizes.sessions))
    bare = kernel_memory()
    with Crowd(ground, ground.store, "idle", sessions, "--clear", protocol=protocol):
        bare = kernel_memory() - bare
    with ground.start(name, variant) as fresh:
        before, kernel = fresh.memory(), kernel_memory()
        with Crowd(ground, fresh, "idle", sessions, protocol=protocol):
            after = settled(fresh)
            kernel = kernel_memory() - kernel
            cpu = fresh.cpu()
            time.sleep(SIGHT)
            cpu = fresh.cpu() - cpu
    return {"pss": (after - before) / sessions / 1024, "kernel": (kernel - bare) / sessions / 1024,
            "awake": cpu * 1e3 / SIGHT}


def kernel_memory():
    """Bytes of the whole machine's kernel that sockets, processes and their tables take."""
    with open("/proc/meminfo") as file:
        parts = dict(line.split(":") for line in file)
    return sum(int(parts[name].split()[0]) for name in ("Slab", "KernelStack", "PageTables")) * 1024


def growth(ground, name, sizes):
    """What a session costs with 100 of them, and what each further one costs up to the most."""
    with ground.start(name) as fresh, contextlib.ExitStack() as crowds:
        before = fresh.memory()
        crowds.enter_context(Crowd(ground, fresh, "idle", 100))
        few = settled(fresh)
        crowds.enter_context(Crowd(ground, fresh, "idle", sizes.storm))
        many = settled(fresh)
    return {"few": (few - before) / 100 / 1024, "further": (many - few) / sizes.storm / 1024}


def settled(server):
    deadline = time.monotonic() + 10
    last = server.memory()
    while time.monotonic() < deadline:
        time.sleep(0.3)
        now = server.memory()
        if abs(now - last) < SETTLED:
            return now
        last = now
    raise Failure("its memory does not come to rest")


def newcomers(ground, name, sizes):
    """New logins while 500 sessions work as fast as they can."""
    with ground.start(name) as fresh:
        with Crowd(ground, fresh, "noop", sizes.busy) as busy:
            answer = drive(ground, fresh, "logins", "--at-once", 16, "--count", max(16, sizes.logins // 4))
    return {"p50": answer["p50_ms"], "p99": answer["p99_ms"], "busy_p99": busy.answer["p99_ms"],
            "tls": answer["tls"]}


def at_work(ground, fresh, sizes, *options):
    return Crowd(ground, fresh, "noop", sizes.busy, "--rate", sizes.pace, *options)


def signatures(ground, name, sizes):
    """Logins with an RSA certificate are due at a fixed rate while 500 sessions work at a fixed rate."""
    seconds = 4 if sizes.busy > 100 else 1
    with ground.start(name, Variant(certificate="rsa")) as fresh:
        with at_work(ground, fresh, sizes) as calm:
            time.sleep(seconds)
        with at_work(ground, fresh, sizes) as busy:
            answer = drive(ground, fresh, "logins", "--rate", sizes.signatures, "--count", seconds * sizes.signatures)
    return {"calm": calm.answer["p99_ms"], "busy": busy.answer["p99_ms"], "busy_p999": busy.answer["p999_ms"],
            "p50": answer["p50_ms"], "p99": answer["p99_ms"], "tls": answer["tls"]}


def storm(ground, name, sizes):
    """Everybody connects at once and leaves at once, twice, while 500 sessions work at a fixed rate: at first without
    a proxy, to know what the load and the store make them wait."""
    with ground.start(name) as fresh:
        before = fresh.memory()
        with at_work(ground, fresh, sizes) as calm:
            time.sleep(2 if sizes.busy > 100 else 0.5)
        with Watch(fresh) as watch:
            bare_arrival, bare_departure, _ = wave(ground, fresh, sizes,
                                                   lambda: at_work(ground, ground.store, sizes, "--clear"))
            arrival, departure, again = wave(ground, fresh, sizes, lambda: at_work(ground, fresh, sizes))
        time.sleep(GIVES_BACK if sizes.busy > 100 else 0)
        after = settled(fresh)
    found = {"calm": calm, "arrival": arrival, "departure": departure, "bare": bare_arrival,
             "bare_departure": bare_departure}
    return {**{key: one.answer["p99_ms"] for key, one in found.items()},
            **{f"{key}_{part}": one.answer[part + "_ms"] for key, one in found.items() for part in ("p50", "p95")},
            "again": again.took, "before": before / 1e6, "peak": watch.peak / 1e6,
            "after": after / 1e6, "tls": again.answer["tls"]}


def wave(ground, fresh, sizes, working):
    """Those at work while all come, those at work while all leave, and those who came and left."""
    with contextlib.ExitStack() as all_in:
        with working() as arrival:
            crowd = all_in.enter_context(Crowd(ground, fresh, "idle", sizes.storm, "--wave", sizes.storm))
        with working() as departure:
            all_in.close()
            time.sleep(0.5)
    return arrival, departure, crowd


class Watch:
    """The most memory that was seen, looking every 0.1 s."""

    def __init__(self, server):
        self.server, self.peak, self.over = server, server.memory(), threading.Event()
        self.thread = threading.Thread(target=self._look)

    def _look(self):
        while not self.over.wait(0.1):
            self.peak = max(self.peak, self.server.memory())

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()


def workers(ground, name, sizes):
    """The same logins with one worker and with two, on whatever CPUs the kernel gives."""
    found = {}
    for count in (1, 2):
        with ground.start(name, Variant(workers=count)) as fresh:
            drive(ground, fresh, "logins", "--at-once", 16, "--count", 100)
            answer = drive(ground, fresh, "logins", "--at-once", 64, "--count", sizes.logins)
            found[f"cpu{count}"] = answer["cpu"] / answer["good"] * 1e6
            found[f"rate{count}"] = answer["good"] / answer["seconds"]
    return {**found, "tls": answer["tls"]}
