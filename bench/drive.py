"""Runs the load generator against one proxy, and takes its word for nothing but what it counted."""

import contextlib
import json
import resource
import subprocess
import time

from servers import Failure, Unable, for_child

GIVE_UP = 600  # seconds for one run


def children_cpu():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def load_command(ground, server, mode, *options, protocol="imap"):
    return [ground.program("bench_load"), mode, f"127.0.0.1:{server.ports[protocol]}", "--protocol", protocol,
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


def drive(ground, server, mode, *options, protocol="imap"):
    """Runs the load generator to its end; its answer, and the CPU seconds of the proxy and of its surroundings."""
    before, store_before, load_before = server.cpu(), ground.store.cpu(), children_cpu()
    began = time.monotonic()
    try:
        done = subprocess.run(load_command(ground, server, mode, *options, protocol=protocol),
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=GIVE_UP,
                              preexec_fn=for_child(ground.load_cpu))
    except subprocess.TimeoutExpired:
        raise Failure(f"not done within {GIVE_UP} s; it says: {server.said()}") from None
    wall = time.monotonic() - began
    if b"does not have" in done.stderr:
        raise Unable(done.stderr.decode().strip())
    answer = answer_of(done.stdout.decode(), done.returncode)
    answer["cpu"] = server.cpu() - before
    answer["proxy_busy"] = answer["cpu"] / wall
    answer["load_busy"] = (children_cpu() - load_before + ground.store.cpu() - store_before) / wall
    return answer


class Crowd:
    """Sessions that are there for as long as the `with` lasts; then `answer` has what they counted."""

    def __init__(self, ground, server, mode, sessions, *options, protocol="imap"):
        self.server, self.sessions, self.answer = server, sessions, None
        self.load = subprocess.Popen(
            load_command(ground, server, mode, "--until-end", "--at-once", sessions, *options, protocol=protocol),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            preexec_fn=for_child(ground.load_cpu, yields=mode == "idle"))

    def __enter__(self):
        words = self.load.stdout.readline().split()
        if len(words) != 2 or words[0] != "ready":
            self.load.stdin.close()
            self.load.wait()
            raise Failure(f"{self.sessions} sessions do not come about ({' '.join(words)}): {self.server.said()}")
        self.took = float(words[1])
        return self

    def __exit__(self, kind, *_):
        with contextlib.suppress(OSError):
            self.load.stdin.close()
        output = self.load.stdout.read()
        self.load.wait()
        if kind is None:
            self.answer = answer_of(output, self.load.returncode)


def surroundings(answer):
    return {"proxy_busy": answer["proxy_busy"], "load_busy": answer["load_busy"], "tls": answer["tls"]}
