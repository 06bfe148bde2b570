"""After login: messages in both directions, and round trips."""

from drive import direct, drive, surroundings
from servers import Failure


def transfer(ground, proxy, sizes, mode="fetch", message=None, messages=None):
    message, messages = message or sizes.message, messages or sizes.messages
    answer = drive(ground, proxy, mode, "--at-once", 4, "--count", messages, "--message", message)
    volume = messages * message
    if mode == "fetch" and answer["bytes"] < volume:
        raise Failure(f"{answer['bytes']} bytes came, not {volume}")
    return {"cpu": answer["cpu"] / volume * 1e9, "rate": volume / answer["seconds"] / 1e6,
            "each": answer["cpu"] / messages * 1e6, **surroundings(answer)}


def append(ground, proxy, sizes):
    return transfer(ground, proxy, sizes, mode="append")


def small(ground, proxy, sizes):
    return transfer(ground, proxy, sizes, message=4000, messages=sizes.trips // 2)


def noop(sessions):
    def run(ground, proxy, sizes):
        if sessions > sizes.sessions:
            raise Failure(f"a run with {sizes.sessions} sessions has no {sessions}")
        options = ("--at-once", sessions, "--count", sizes.trips)
        before = proxy.cpu()
        drive(ground, proxy, "noop", "--at-once", sessions, "--count", 1)
        logins = proxy.cpu() - before  # so many logins cost this
        answer = drive(ground, proxy, "noop", *options)
        bare = direct(ground, "noop", *options)
        return {"cpu": max(answer["cpu"] - logins, 0) / answer["good"] * 1e6, "p50": answer["p50_ms"] * 1e3,
                "p99": answer["p99_ms"] * 1e3, "added": (answer["p50_ms"] - bare["p50_ms"]) * 1e3,
                **surroundings(answer)}
    return run
