"""Logins: of each kind, at a fixed rate, with each source of identity."""

import dataclasses

from drive import drive, surroundings
from postern import dovecot_auth
from ground import Variant
from servers import Failure, Unable

AT_ONCE = 16


def login(ground, proxy, sizes, *options, protocol="imap", resume=False, logins=None):
    logins = logins or sizes.logins
    answer = drive(ground, proxy, "logins", "--at-once", AT_ONCE, "--count", logins, *options,
                   *(["--resume"] if resume else []), protocol=protocol)
    expected = logins - AT_ONCE if resume else 0
    if answer["resumed"] < expected or (answer["resumed"] and not resume):
        raise Failure(f"{answer['resumed']} of {answer['good']} handshakes were resumed, not {expected}")
    return {"cpu": answer["cpu"] / answer["good"] * 1e6, "p50": answer["p50_ms"], "p99": answer["p99_ms"],
            "p999": answer["p999_ms"], "rate": answer["good"] / answer["seconds"], **surroundings(answer)}


def resumed(ground, proxy, sizes):
    return login(ground, proxy, sizes, resume=True)


def resumed12(ground, proxy, sizes):
    return login(ground, proxy, sizes, "--tls", "1.2", resume=True)


def pop3(ground, proxy, sizes):
    return login(ground, proxy, sizes, protocol="pop3")


def tls12(ground, proxy, sizes):
    return login(ground, proxy, sizes, "--tls", "1.2")


def mlkem(ground, proxy, sizes):
    figures = login(ground, proxy, sizes, "--group", "X25519MLKEM768")
    if "MLKEM" not in figures["tls"]:
        raise Unable(f"{proxy.name} agreed on {figures['tls']}")
    return figures


def paced(ground, proxy, sizes):
    """Logins are due at a fixed rate, done or not: the time of each counts from when it was due."""
    answer = drive(ground, proxy, "logins", "--rate", sizes.rate, "--count", sizes.logins)
    return {"cpu": answer["cpu"] / answer["good"] * 1e6, "p50": answer["p50_ms"], "p99": answer["p99_ms"],
            "p999": answer["p999_ms"], "most": answer["most_at_once"], **surroundings(answer)}


def source(name):
    """Against fresh processes, with a service of identity beside them where there is one."""
    def run(ground, proxy_name, sizes):
        variant = Variant(source=name)
        if name == "yescrypt":  # whose hashes take a hundred times as long
            sizes = dataclasses.replace(sizes, logins=max(20, sizes.logins // 20))
        if name == "dovecot":
            with dovecot_auth(ground) as service:
                return sourced(ground, proxy_name, sizes, variant, service)
        return sourced(ground, proxy_name, sizes, variant, None)
    return run


def sourced(ground, proxy_name, sizes, variant, service):
    with ground.start(proxy_name, variant, service) as proxy:
        login(ground, proxy, sizes, logins=100)
        before = service.cpu() if service else 0.0
        alone = drive(ground, proxy, "logins", "--at-once", 1, "--count", max(50, sizes.logins // 10))
        figures = login(ground, proxy, sizes)
        used = service.cpu() - before if service else 0.0
    return {**figures, "alone": alone["p50_ms"], "service": used / (sizes.logins + alone["good"]) * 1e6}
