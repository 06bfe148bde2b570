"""What every end-to-end test needs: a ground, certificates, and Posterns that have to end well."""

import base64
import unittest

from .certificates import Authority
from .fake_store import FakeStore, imap, pop3
from .ground import Ground, wait_for
from .postern import Postern, everything, merge, pool
from .wire import Wire, trusting

USERS = {
    "anna": "anna-secret-1",
    "bert@example.org": 'b"rt\\ {3} secret',  # every character that IMAP quotes or that looks like a literal
    "dora": "dora-secret-4",
}


def message(subject, body="Hello.\r\n", to="anna@example.org"):
    return (f"From: rig@example.org\r\nTo: {to}\r\nDate: Mon, 07 Feb 2022 21:52:25 +0000\r\n"
            f"Message-Id: <{subject.replace(' ', '.')}@example.org>\r\nSubject: {subject}\r\n\r\n{body}").encode()


def plain(user, password, authorization=""):
    """The initial response of SASL PLAIN."""
    return base64.b64encode(f"{authorization}\0{user}\0{password}".encode()).decode()


class Case(unittest.TestCase):
    maxDiff = None
    secrets = list(USERS.values())  # none of these may stand in any log

    @classmethod
    def setUpClass(cls):
        cls.shared = Ground("postern-e2e-shared")
        cls.addClassCleanup(cls.shared.close)
        cls.authority = Authority(cls.shared.path("ca"))
        cls.certificate = cls.authority.issue("mail.test")
        cls.store_certificate = cls.authority.issue("store.test")

    def setUp(self):
        self.ground = Ground("postern-e2e")
        self.addCleanup(self.ground.close)

    def fake(self, scripts=None, **options):
        """A false store until the test ends. On ports that `scripts` does not name it behaves."""
        store = FakeStore(self.ground, {143: imap(), 110: pop3(), **(scripts or {})}, **options)
        self.addCleanup(store.close)
        return store

    def start(self, pools, changes=None, name="postern", expect=0, **options):
        """Runs Postern in front of these pools until the test ends, and then wants a good end and a clean log.
        One store, or a list of them, makes the pool "store"."""
        if not isinstance(pools, dict):
            pools = {"store": pool(*(pools if isinstance(pools, list) else [pools]))}
        configuration = merge(everything(self.ground, [self.certificate], pools), changes or {})
        postern = Postern(self.ground, configuration, name=name, **options)
        self.addCleanup(self._finish, postern, expect)
        return postern

    def _finish(self, postern, expect):
        postern.stop(expect)
        log = postern.log()
        for secret in self.secrets:
            for form in (secret, base64.b64encode(secret.encode()).decode().rstrip("=")):
                self.assertNotIn(form, log, "a secret stands in the log")

    def connect(self, postern, port=993, **options):
        """A TLS connection; the greeting has been read and is in `greeting`."""
        options.setdefault("tls", trusting(self.authority))
        options.setdefault("name", "mail.test")
        wire = Wire.connect(postern.address, port, **options)
        self.addCleanup(wire.close)
        wire.greeting = wire.line()
        return wire

    def connect_clear(self, postern, port=143, **options):
        return self.connect(postern, port, tls=None, name=None, **options)

    def offered(self, wire, port=993):
        """The SASL mechanisms that this connection is offered."""
        if port in (995, 110):
            wire.send_lines("CAPA")
            lines = wire.lines_until(".")
            return {word for line in lines if line.startswith("SASL ") for word in line.split()[1:]}
        words = wire.ask("c CAPABILITY")[0].split()
        return {word.removeprefix("AUTH=") for word in words if word.startswith("AUTH=")}

    def connect_offered(self, postern, *mechanisms, port=993, **options):
        """A connection that is offered exactly these: Postern learns from others what there is."""
        def connect():
            wire = self.connect(postern, port=port, **options)
            if self.offered(wire, port) == set(mechanisms):
                return wire
            wire.close()
            return None
        return wait_for(connect, what=f"{mechanisms} offered on port {port}")

    def login(self, postern, user, password, **options):
        """Logged in over IMAP; the tagged answer is in `welcome`."""
        wire = self.connect(postern, **options)
        wire.welcome = wire.ask(f"a AUTHENTICATE PLAIN {plain(user, password)}")[-1]
        self.assertTrue(wire.welcome.startswith("a OK"), wire.welcome)
        return wire

    def login_pop3(self, postern, user, password, **options):
        wire = self.connect(postern, port=995, **options)
        self.assertTrue(wire.say(f"USER {user}").startswith("+OK"))
        wire.welcome = wire.say(f"PASS {password}")
        self.assertTrue(wire.welcome.startswith("+OK"), wire.welcome)
        return wire
