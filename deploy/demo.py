"""The demo that deploy/demo.sh starts. It stands on the rig of the end-to-end tests."""

import argparse
import contextlib
import os
import signal
import socket
import subprocess
import sys
import textwrap
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "e2e"))

from rig.certificates import Authority  # noqa: E402
from rig.cyrus import Cyrus  # noqa: E402
from rig.dovecot import Dovecot  # noqa: E402
from rig.ground import Ground, wait_for  # noqa: E402
from rig.postern import Postern  # noqa: E402

PASSWORD = "demo"
DOVECOT_USERS = ["anna@example.org", "bert@example.org", "carla@example.org"]
CYRUS_USERS = ["dora@example.net", "emil@example.net"]
METRICS = ("postern_sessions", "postern_logins_total", "postern_backend_up", "postern_tls_handshakes_total",
           "postern_login_seconds_sum", "postern_login_seconds_count",
           "postern_route_decisions_total", "postern_bytes_total")


def heading(text):
    print(f"\n\033[1m{text}\033[0m" if sys.stdout.isatty() else f"\n{text}\n{'-' * len(text)}")


def indent(text):
    print(textwrap.indent(text.rstrip("\n"), "  "), flush=True)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def is_taken(port):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


def mail(store, user, number):
    return (f"From: demo@example.org\r\nTo: {user}\r\nDate: Mon, 07 Feb 2022 21:52:2{number} +0000\r\n"
            f"Message-Id: <{number}.{user}>\r\nSubject: Message {number} for {user}, kept on {store.name}\r\n\r\n"
            f"Hello {user.split('@')[0]}.\r\n").encode()


def configuration(certificate, stores, ports):
    def listener(protocol, port):
        return {"protocol": protocol, "address": [f"127.0.0.1:{port}"], "tls": "implicit"}

    def pool(*members):
        return {"data": "replicated", "backends": {each.name: each.address for each in members}}

    return {
        "server": {"name": "localhost", "drain": {"spread": "0s", "deadline": "2s"}},
        "limits": {"sessions": 1000},
        "tls": {"certificates": [{"chain": certificate.chain, "key": certificate.key}]},
        "listen": {"imaps": listener("imap", ports["imaps"]), "pop3s": listener("pop3", ports["pop3s"])},
        "route": [{"user": "*@example.org", "pool": "dovecot"}, {"user": "*@example.net", "pool": "cyrus"}],
        "pool": {"dovecot": pool(*stores[:2]), "cyrus": pool(stores[2])},
        "admin": {"http": f"127.0.0.1:{ports['admin']}"},
    }


def curl(authority, user, url):
    command = ["curl", "--silent", "--show-error", "--cacert", authority.file, "--user", f"{user}:{PASSWORD}", url]
    shown = [word if word.isascii() and ";" not in word else f'"{word}"' for word in command]
    indent("$ " + " ".join(shown))
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          timeout=60)
    indent(done.stdout.decode(errors="replace").replace("\r\n", "\n"))
    print(flush=True)
    if done.returncode:
        raise SystemExit(f"curl ended with status {done.returncode}")


def show(ground, ports):
    authority = Authority(ground.path("tls"), "Postern Demo CA")
    certificate = authority.issue("localhost", "127.0.0.1")

    heading("Three stores")
    stores = [Dovecot(ground, dict.fromkeys(DOVECOT_USERS, PASSWORD), name="alpha"),
              Dovecot(ground, dict.fromkeys(DOVECOT_USERS, PASSWORD), name="beta"),
              Cyrus(ground, dict.fromkeys(CYRUS_USERS, PASSWORD), name="gamma")]
    for store, users in zip(stores, (DOVECOT_USERS, DOVECOT_USERS, CYRUS_USERS)):
        for user in users:
            for number in (1, 2):
                store.deliver(user, mail(store, user, number))
        indent(f"{store.name:6} {type(store).__name__:8} {store.address:16} {', '.join(users)}")

    heading("Postern before them")
    postern = Postern(ground, configuration(certificate, stores, ports))
    indent(f"$ postern run --config {postern.file}")
    with open(postern.file) as file:
        indent(file.read().strip())

    heading("anna reads her mail: her home is one of the two Dovecot stores, chosen by a hash of her name")
    curl(authority, "anna@example.org", f"imaps://localhost:{ports['imaps']}/INBOX;MAILINDEX=1")
    curl(authority, "anna@example.org", f"pop3s://localhost:{ports['pop3s']}/2")
    heading("dora reads hers: her domain lives on the Cyrus store")
    curl(authority, "dora@example.net", f"imaps://localhost:{ports['imaps']}/INBOX;MAILINDEX=1")
    curl(authority, "dora@example.net", f"pop3s://localhost:{ports['pop3s']}/2")

    heading("One log line per session")
    def sessions():
        return [line for line in postern.log().splitlines() if "user=" in line]
    wait_for(lambda: len(sessions()) >= 4, what="the sessions' log lines")
    for line in sessions():
        indent(line)
        print()

    heading(f"Some of the metrics at http://127.0.0.1:{ports['admin']}/metrics")
    for line in postern.http("/metrics")[1].splitlines():
        if line.split("{")[0].split(" ")[0] in METRICS and not line.endswith(" 0"):
            indent(line)

    heading("Point your mail client here")
    indent(f"IMAP    localhost, port {ports['imaps']}, SSL/TLS, normal password\n"
           f"POP3    localhost, port {ports['pop3s']}, SSL/TLS, normal password\n"
           f"Users   {', '.join(DOVECOT_USERS + CYRUS_USERS)}\n"
           f"        password of each: {PASSWORD}\n"
           f"Trust   {authority.file}\n"
           f"Watch   tail -f {ground.path('postern.log')}\n"
           f"        http://127.0.0.1:{ports['admin']}/")
    return postern


def main():
    arguments = argparse.ArgumentParser(prog="deploy/demo.sh", description="Postern before three mail stores.")
    arguments.add_argument("--imaps", type=int, default=993, metavar="PORT", help="0: any free port")
    arguments.add_argument("--pop3s", type=int, default=995, metavar="PORT", help="0: any free port")
    arguments.add_argument("--once", action="store_true", help="end after everything was shown")
    asked = arguments.parse_args()
    ports = {"imaps": asked.imaps or free_port(), "pop3s": asked.pop3s or free_port(), "admin": 9993}
    if is_taken(ports["admin"]):
        ports["admin"] = free_port()
    for name in ("imaps", "pop3s"):
        if is_taken(ports[name]):
            raise SystemExit(f"Port {ports[name]} is taken on this machine: give another with --{name} PORT.")

    def leave(*_):
        raise SystemExit(0)
    signal.signal(signal.SIGTERM, leave)
    signal.signal(signal.SIGHUP, leave)
    with Ground("postern-demo") as ground:
        postern = show(ground, ports)
        if not asked.once:
            heading("Ctrl-C ends the demo")
            with contextlib.suppress(KeyboardInterrupt):
                while postern.child.poll() is None:
                    time.sleep(1)
                raise SystemExit(f"Postern ended with status {postern.child.returncode}:\n{postern.log()}")
        postern.stop()
    heading("Everything was stopped and removed")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
