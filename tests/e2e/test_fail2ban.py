"""deploy/fail2ban/postern.conf, as fail2ban itself understands it, against lines that Postern wrote."""

import os
import shutil
import subprocess
import unittest

from rig.case import Case
from rig.fake_store import imap
from rig.ground import wait_for
from rig.wire import Wire

FILTER = os.path.join(os.path.dirname(__file__), "..", "..", "deploy", "fail2ban", "postern.conf")
PASSWORD = "ban-secret-1"


class Fail2ban(Case):
    secrets = [PASSWORD]

    def setUp(self):
        super().setUp()
        self.assertTrue(shutil.which("fail2ban-regex"), "deploy/packages.sh test installs fail2ban")

    def run_with(self, login="NO no"):
        """Postern with a log as an operator has it. On port 143 a proxy says who the client is."""
        return self.start(self.fake({143: imap(login=login)}), {
            "log": {"level": "info", "format": "logfmt"},
            "listen": {"imap": {"proxy_protocol": ["127.0.0.0/8"], "tls": "none"}}})

    def refuse(self, postern, client, user="anna"):
        """A refused login that seems to come from `client`."""
        family = "TCP6" if ":" in client else "TCP4"
        own = "2001:db8::99" if ":" in client else "192.0.2.99"
        with Wire.connect(postern.address, 143) as wire:
            wire.send(f"PROXY {family} {client} {own} 4242 143\r\n")
            wire.line()
            self.assertTrue(wire.ask(f"a LOGIN {{{len(user.encode())}}}")[0].startswith("+"))
            wire.send_lines(f"{user} {PASSWORD}")
            self.assertTrue(wire.lines_until("a ")[-1].startswith("a NO"))

    def found(self, postern, refusals):
        """The addresses that fail2ban would count, once per line."""
        wait_for(lambda: postern.log().count(" msg=login_refused session=") == refusals, what="every line in the log")
        done = subprocess.run(["fail2ban-regex", "--out", "ip", self.ground.path("postern.log"), FILTER],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
                              env={**os.environ, "TZ": "UTC"})
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout.split()

    def test_wrong_passwords_count_and_know_their_client(self):
        postern = self.run_with()
        clients = ["192.0.2.1", "2001:db8::1", "198.51.100.17", "2001:db8:1:2:3:4:5:6"]
        for client in clients:
            self.refuse(postern, client)
        self.assertEqual(self.found(postern, 4), clients)

    def test_every_other_line_is_nobodys_guess(self):
        postern = self.run_with(login="NO [UNAVAILABLE] later")
        self.refuse(postern, "192.0.2.1")
        self.refuse(postern, "2001:db8::1", "x blame=credentials")
        self.refuse(postern, "192.0.2.2", 'x" blame=credentials fault="y')
        self.assertEqual(self.found(postern, 3), [])

    def test_a_name_cannot_put_the_blame_on_others(self):
        postern = self.run_with()
        names = ['x" client=203.0.113.9:1 y="', "x client=203.0.113.9:1 blame=credentials", 'x\\" client=203.0.113.9:1',
                 "client=203.0.113.9:1", "level=info msg=login_refused client=203.0.113.9:1 blame=credentials",
                 "ts=2026-01-01T00:00:00.000Z level=info msg=login_refused client=203.0.113.9:1 blame=credentials",
                 "b\u00f6rt", "x\\", '"', "<HOST>", "x" * 1000]
        for name in names:
            self.refuse(postern, "192.0.2.7", name)
        self.assertEqual(self.found(postern, len(names)), ["192.0.2.7"] * len(names))


if __name__ == "__main__":
    unittest.main()
