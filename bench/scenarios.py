"""What is measured: each scenario drives one proxy once and gives the figures of its metrics."""

import dataclasses
import json
import resource
import subprocess
import time

from servers import Failure, for_child

SETTLED = 64 * 1024  # bytes by which memory may still change between two looks
GIVE_UP = 600  # seconds for one run


@dataclasses.dataclass(frozen=True)
class Metric:
    key: str
    title: str
    digits: int = 0
    least: float = None   # Postern's budget: as a part of HAProxy's figure
    most: float = None    # or as a figure


@dataclasses.dataclass(frozen=True)
class Sizes:
    logins: int = 3000
    sessions: int = 4000
    message: int = 10_000_000
    messages: int = 100
    trips: int = 50_000


SHORT = Sizes(logins=100, sessions=100, messages=3, trips=500)


def children_cpu():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def load_command(ground, proxy, mode, *options, protocol="imap"):
    return [ground.program("bench_load"), mode, f"127.0.0.1:{proxy.ports[protocol]}", "--protocol", protocol,
            *[str(option) for option in options]]


def answer_of(output, status):
    lines = output.strip().splitlines()
    try:
        answer = json.loads(lines[-1])
    except (IndexError, ValueError):
        raise Failure(f"the load generator ended with status {status} and no figures") from None
    if answer["failed"] or status:
        raise Failure(f"{answer['failed']} failed, {answer['good']} did not; the first: {answer['first_failure']!r}")
    return answer


def drive(ground, proxy, mode, *options, protocol="imap"):
    """Runs the load generator to its end; its answer, and the CPU seconds of the proxy and of its surroundings."""
    before, store_before, load_before = proxy.cpu(), ground.store.cpu(), children_cpu()
    began = time.monotonic()
    try:
        done = subprocess.run(load_command(ground, proxy, mode, *options, protocol=protocol),
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=GIVE_UP,
                              preexec_fn=for_child(ground.load_cpu))
    except subprocess.TimeoutExpired:
        raise Failure(f"not done within {GIVE_UP} s") from None
    wall = time.monotonic() - began
    answer = answer_of(done.stdout.decode(), done.returncode)
    answer["cpu"] = proxy.cpu() - before
    answer["proxy_busy"] = answer["cpu"] / wall
    answer["load_busy"] = (children_cpu() - load_before + ground.store.cpu() - store_before) / wall
    return answer


def login(ground, proxy, sizes, protocol="imap", resume=False):
    at_once = 16
    answer = drive(ground, proxy, "logins", "--at-once", at_once, "--count", sizes.logins,
                   *(["--resume"] if resume else []), protocol=protocol)
    expected = sizes.logins - at_once if resume else 0
    if answer["resumed"] < expected or (answer["resumed"] and not resume):
        raise Failure(f"{answer['resumed']} of {answer['good']} handshakes were resumed, not {expected}")
    return {"cpu": answer["cpu"] / answer["good"] * 1e6, "p50": answer["p50_ms"], "p99": answer["p99_ms"],
            **surroundings(answer)}


def resumed(ground, proxy, sizes):
    return login(ground, proxy, sizes, resume=True)


def pop3(ground, proxy, sizes):
    return login(ground, proxy, sizes, protocol="pop3")


def idle(ground, proxy, sizes):
    """In a fresh process: what was used for sessions before would hide what these cost."""
    with ground.start(proxy.name) as fresh:
        before = fresh.memory()
        load = subprocess.Popen(load_command(ground, fresh, "idle", "--at-once", sizes.sessions),
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                preexec_fn=for_child(ground.load_cpu))
        with load:
            if load.stdout.readline().strip() != "ready":
                load.stdin.close()
                raise Failure(f"{sizes.sessions} sessions do not come about: {fresh.said()}")
            after = settled(fresh)
            cpu = fresh.cpu()
            time.sleep(1)
            cpu = fresh.cpu() - cpu
            load.stdin.close()
            output = load.stdout.read()
        answer_of(output, load.returncode)
        return {"pss": (after - before) / sizes.sessions / 1024, "awake": cpu * 1e3}


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


def fetch(ground, proxy, sizes, mode="fetch"):
    answer = drive(ground, proxy, mode, "--at-once", 4, "--count", sizes.messages, "--message", sizes.message)
    volume = sizes.messages * sizes.message
    if mode == "fetch" and answer["bytes"] < volume:
        raise Failure(f"{answer['bytes']} bytes came, not {volume}")
    return {"cpu": answer["cpu"] / volume * 1e9, "rate": volume / answer["seconds"] / 1e6, **surroundings(answer)}


def append(ground, proxy, sizes):
    return fetch(ground, proxy, sizes, mode="append")


def noop(ground, proxy, sizes):
    answer = drive(ground, proxy, "noop", "--at-once", 8, "--count", sizes.trips)
    return {"cpu": answer["cpu"] / answer["good"] * 1e6, "p50": answer["p50_ms"] * 1e3, **surroundings(answer)}


def surroundings(answer):
    return {"proxy_busy": answer["proxy_busy"], "load_busy": answer["load_busy"], "tls": answer["tls"]}


SCENARIOS = {
    "login": (login, [Metric("cpu", "login, full handshake: CPU µs", least=0.60),
                      Metric("p50", "  p50 ms, 16 at once", 2, least=0.7), Metric("p99", "  p99 ms", 2)]),
    "resumed": (resumed, [Metric("cpu", "login, resumed: CPU µs", least=0.60),
                          Metric("p50", "  p50 ms, 16 at once", 2), Metric("p99", "  p99 ms", 2)]),
    "pop3": (pop3, [Metric("cpu", "login, POP3: CPU µs", least=0.60),
                    Metric("p50", "  p50 ms, 16 at once", 2), Metric("p99", "  p99 ms", 2)]),
    "idle": (idle, [Metric("pss", "idle session: PSS KiB", 2, most=5.0),
                    Metric("awake", "  CPU ms in one second, all idle", 2)]),
    "fetch": (fetch, [Metric("cpu", "to the client: CPU s per GB", 3, least=0.55), Metric("rate", "  MB per second")]),
    "append": (append, [Metric("cpu", "from the client: CPU s per GB", 3), Metric("rate", "  MB per second")]),
    "noop": (noop, [Metric("cpu", "NOOP, 8 sessions: CPU µs", 2, least=0.8), Metric("p50", "  p50 µs")]),
}
