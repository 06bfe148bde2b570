"""What is measured: each scenario drives one proxy once and gives the figures of its metrics."""

import dataclasses
import functools
import typing

import scenarios_crowd as crowd
import scenarios_login as login
import scenarios_splice as splice
from ground import Variant

NO_FORKS = ("postern", "floor", "haproxy", "nginx", "dovecot")
ALL = (*NO_FORKS, "perdition")  # which has a process for each session


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
    small: int = 20_000  # messages of 4 kB
    seconds: float = 3.0  # of round trips
    rate: int = 400     # logins per second, where they are paced
    busy: int = 500     # sessions that work while others log in
    pace: int = 5000    # their round trips per second
    signatures: int = 200  # full handshakes per second, where they are paced beside work
    storm: int = 8000   # sessions that come at once: the proxy has two descriptors for each, of 20,000


SHORT = Sizes(logins=100, sessions=100, messages=3, small=200, seconds=0.3, rate=100, busy=20, pace=500, signatures=50,
              storm=200)


@dataclasses.dataclass(frozen=True)
class Scenario:
    run: typing.Callable  # with ground, proxy and sizes
    metrics: list
    who: tuple = ALL
    variant: Variant = Variant()
    fresh: bool = False   # gets the proxy's name and starts it itself


def logins(run, title, variant=Variant(), who=ALL, cpu=None, p50=None):
    return Scenario(run, [Metric("cpu", f"login, {title}: CPU µs", least=cpu),
                          Metric("p50", "  p50 ms, 16 at once", 2, least=p50),
                          Metric("p99", "  p99 ms", 2), Metric("rate", "  per second")], who, variant)


def transfers(run, title, variant=Variant(), who=ALL, least=None):
    return Scenario(run, [Metric("cpu", f"{title}: CPU s per GB", 3, least=least),
                          Metric("rate", "  MB per second")], who, variant)


def noops(count, cpu=None, protocol="imap"):
    title = f"NOOP, {count} sessions" + (", POP3" if protocol == "pop3" else "")
    return Scenario(splice.noop(count, protocol), [Metric("cpu", f"{title}: CPU µs", 2, least=cpu),
                                                   Metric("p50", "  p50 µs"), Metric("p99", "  p99 µs"),
                                                   Metric("added", "  p50 µs more than without a proxy")],
                    ALL if count < 1000 else NO_FORKS)


def at_rest(title, variant=Variant(), who=ALL, most=None, protocol="imap"):
    return Scenario(functools.partial(crowd.idle, variant=variant, protocol=protocol),
                    [Metric("pss", f"idle session{title}: PSS KiB", 2, most=most),
                     Metric("kernel", "  KiB in the kernel", 1),
                     Metric("awake", "  CPU ms in one second, all idle", 2)], who, fresh=True)


def sources(name, who=("postern",)):
    return Scenario(login.source(name), [Metric("cpu", f"login, identity by {name}: CPU µs"),
                                         *([Metric("service", "  CPU µs of the service")] if name == "dovecot" else []),
                                         Metric("alone", "  p50 ms, one at a time", 2),
                                         Metric("p50", "  p50 ms, 16 at once", 2)], who, fresh=True)


SCENARIOS = {
    "login": logins(login.login, "full handshake", cpu=0.60, p50=0.7),
    "resumed": logins(login.resumed, "resumed", who=NO_FORKS),
    "tls12": logins(login.tls12, "TLS 1.2"),
    "resumed12": logins(login.resumed12, "TLS 1.2 resumed", who=NO_FORKS),
    "rsa": logins(login.login, "RSA-2048", Variant(certificate="rsa")),
    "mlkem": logins(login.mlkem, "X25519MLKEM768", who=("postern",)),
    "unlogged": logins(login.login, "nothing logged", Variant(logs=False), ("postern",)),
    "pop3": logins(login.pop3, "POP3"),
    "paced": Scenario(login.paced, [Metric("cpu", "login, at a fixed rate: CPU µs"), Metric("p50", "  p50 ms", 2),
                                    Metric("p99", "  p99 ms", 2), Metric("p999", "  p99.9 ms", 2),
                                    Metric("most", "  most at once")]),
    "idle": at_rest("", most=5.0),
    "idle_pop3": at_rest(", POP3", protocol="pop3"),
    "idle_tls": at_rest(", TLS on both sides", Variant(store_tls=True), ("postern", "haproxy", "dovecot")),
    "growth": Scenario(crowd.growth, [Metric("few", "session, 100 of them: PSS KiB", 2),
                                      Metric("further", "  each further one", 2, most=5.0)], NO_FORKS, fresh=True),
    "fetch": transfers(splice.transfer, "to the client", least=0.55),
    "retr": transfers(splice.retr, "to the client, POP3"),
    "append": transfers(splice.append, "from the client"),
    "small": Scenario(splice.small, [Metric("each", "FETCH of 4 kB: CPU µs", 2)]),
    "fetch_tls": transfers(splice.transfer, "to the client, TLS on both sides", Variant(store_tls=True),
                           ("postern", "haproxy", "dovecot")),
    "append_tls": transfers(splice.append, "from the client, TLS on both sides", Variant(store_tls=True),
                            ("postern", "haproxy", "dovecot")),
    "noop1": noops(1),
    "noop": noops(8, cpu=0.8),
    "noop_pop3": noops(8, protocol="pop3"),
    "noop100": noops(100),
    "noop2000": noops(2000),
    "newcomers": Scenario(crowd.newcomers, [Metric("p50", "login while 500 work: p50 ms", 2),
                                            Metric("p99", "  p99 ms", 2),
                                            Metric("busy_p99", "  p99 ms of those that work", 2)], NO_FORKS, fresh=True),
    "signatures": Scenario(crowd.signatures, [Metric("calm", "p99 ms of 500 that work, alone", 2),
                                              Metric("busy", "  beside 200 RSA-2048 logins per second", 2),
                                              Metric("busy_p999", "  p99.9 ms of theirs", 2),
                                              Metric("p50", "  those logins: p50 ms", 2),
                                              Metric("p99", "  p99 ms", 2)], NO_FORKS, fresh=True),
    "storm": Scenario(crowd.storm, [Metric("again", "all connect at once: s until all are in", 2),
                                    Metric("calm_p50", "  p50 ms of 500 that work, before", 2),
                                    Metric("arrival_p50", "    while all come", 2),
                                    Metric("bare_p50", "    while all come, without a proxy", 2),
                                    Metric("departure_p50", "    while all leave", 2),
                                    Metric("calm_p95", "  p95 ms of theirs, before", 2),
                                    Metric("arrival_p95", "    while all come", 2),
                                    Metric("bare_p95", "    while all come, without a proxy", 2),
                                    Metric("departure_p95", "    while all leave", 2),
                                    Metric("calm", "  p99 ms of theirs, before", 2),
                                    Metric("arrival", "    while all come", 2),
                                    Metric("bare", "    while all come, without a proxy", 2),
                                    Metric("departure", "    while all leave", 2),
                                    Metric("bare_departure", "    while all leave, without a proxy", 2),
                                    Metric("before", "  PSS MB before", 1), Metric("peak", "  PSS MB at most", 1),
                                    Metric("after", "  PSS MB after", 1)], NO_FORKS, fresh=True),
    "workers": Scenario(crowd.workers, [Metric("cpu1", "login, one worker: CPU µs"),
                                        Metric("cpu2", "  two workers: CPU µs"),
                                        Metric("rate1", "  one worker: per second"),
                                        Metric("rate2", "  two workers: per second")], NO_FORKS, fresh=True),
    "by_store": sources("store"),
    "by_passwd": sources("passwd"),
    "by_http": sources("http", ("postern", "nginx")),
    "by_dovecot": sources("dovecot"),
    "yescrypt": Scenario(login.source("yescrypt"), [Metric("rate", "login, yescrypt hashes: per second"),
                                                    Metric("cpu", "  CPU µs"),
                                                    Metric("alone", "  p50 ms, one at a time", 2)], ("postern",),
                         fresh=True),
}

GROUPS = {
    "logins": ("login", "resumed", "tls12", "resumed12", "rsa", "mlkem", "unlogged", "pop3", "paced"),
    "transfers": ("fetch", "retr", "append", "small", "fetch_tls", "append_tls"),
    "noops": ("noop1", "noop", "noop_pop3", "noop100", "noop2000"),
    "crowds": ("idle", "idle_pop3", "idle_tls", "growth", "newcomers", "signatures", "storm", "workers"),
    "sources": ("by_store", "by_passwd", "by_http", "by_dovecot", "yescrypt"),
    "budgets": ("login", "idle", "fetch", "noop"),
    "floors": ("login", "resumed", "rsa", "fetch", "append", "small", "noop1", "noop"),
}
