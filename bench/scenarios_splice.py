"""After login: messages in both directions, and round trips."""

import time

from drive import Crowd, drive, surroundings
from servers import Failure


def transfer(ground, proxy, sizes, mode="fetch", message=None, messages=None, protocol="imap"):
    message, messages = message or sizes.message, messages or sizes.messages
    answer = drive(ground, proxy, mode, "--at-once", 4, "--count", messages, "--message", message, protocol=protocol)
    volume = messages * message
    if mode == "fetch" and answer["bytes"] < volume:
        raise Failure(f"{answer['bytes']} bytes came, not {volume}")
    return {"cpu": answer["cpu"] / volume * 1e9, "rate": volume / answer["seconds"] / 1e6,
            "each": answer["cpu"] / messages * 1e6, **surroundings(answer)}


def retr(ground, proxy, sizes):
    return transfer(ground, proxy, sizes, protocol="pop3")


def append(ground, proxy, sizes):
    return transfer(ground, proxy, sizes, mode="append")


def small(ground, proxy, sizes):
    return transfer(ground, proxy, sizes, message=4000, messages=sizes.small)


def noop(sessions, protocol="imap"):
    """As fast as they can, for some seconds; logins and ends are not in the figures."""
    def run(ground, proxy, sizes):
        count = min(sessions, sizes.sessions)
        bare, _ = trips(ground, ground.store, count, 1.0, protocol, "--clear")
        answer, cpu = trips(ground, proxy, count, sizes.seconds, protocol)
        return {"cpu": cpu / answer["good"] * 1e6, "p50": answer["p50_ms"] * 1e3, "p99": answer["p99_ms"] * 1e3,
                "added": (answer["p50_ms"] - bare["p50_ms"]) * 1e3, "tls": answer["tls"]}
    return run


def trips(ground, server, sessions, seconds, protocol, *options):
    with Crowd(ground, server, "noop", sessions, *options, protocol=protocol) as crowd:
        before = server.cpu()
        time.sleep(seconds)
        cpu = server.cpu() - before
    return crowd.answer, cpu
