"""Passwords that are longer than Dovecot's first buffer: they log in, and no store seems to fail for them."""

import unittest

from rig.case import Case, plain
from rig.dovecot import Dovecot
from rig.fake_store import imap, pop3
from rig.postern import pool

LONG = {f"user{size}": f"{size}-" + "s" * (size - 5) for size in (700, 1100, 3000, 4096)}
SHORT = {"anna": "anna-secret-1"}
TOO_LONG = "Password or token is too long for the mail store."


class LongPasswords(Case):
    secrets = [*LONG.values(), *SHORT.values()]

    def run_with(self, *stores):
        return self.start({"store": pool(*stores, health={"check": "connect", "interval": "10m",
                                                          "eject": {"errors": 2}})})

    def test_a_store_with_plain_lets_them_in(self):
        postern = self.run_with(*(Dovecot(self.ground, {**LONG, **SHORT}, name=name) for name in ("one", "two")))
        for user, password in LONG.items():
            with self.subTest(user):
                wire = self.connect(postern)
                self.assertTrue(wire.ask(f"a LOGIN {user} {password}")[-1].startswith("a OK"))
                wire = self.connect(postern)
                answer = wire.ask(f"a AUTHENTICATE PLAIN {plain(user, password)}")[-1]
                self.assertTrue(answer.startswith("a OK"), answer)
                wire = self.connect(postern)
                answer = wire.ask(f"a LOGIN {user} {password[:-1]}x")[-1]
                self.assertEqual(answer, "a NO [AUTHENTICATIONFAILED] Authentication failed.")
                wire = self.connect(postern, port=995)
                answer = wire.say(f"AUTH PLAIN {plain(user, password)}")
                self.assertTrue(answer.startswith("+OK"), answer)

    def test_a_store_without_plain_is_not_troubled(self):
        stores = [self.fake({143: imap(greeting="* OK [CAPABILITY IMAP4rev1 AUTH=LOGIN] ready"),
                             110: pop3(mechanisms="LOGIN")}, name=name) for name in ("one", "two")]
        postern = self.run_with(*stores)
        for _ in range(3):
            wire = self.connect(postern)
            self.assertEqual(wire.ask(f"a LOGIN user1100 {LONG['user1100']}")[-1], f"a NO {TOO_LONG}")
            wire = self.connect(postern, port=995)
            self.assertEqual(wire.say(f"AUTH PLAIN {plain('user3000', LONG['user3000'])}"), f"-ERR [AUTH] {TOO_LONG}")
        record = postern.wait_for_record(msg="login_refused")
        self.assertEqual((record["fault"], record["blame"]), ("line_too_long", "client"))
        self.assertFalse(postern.records(msg="backend_failed"))
        self.assertFalse(postern.records(msg="backend_ejected"))
        self.assertFalse(any(store.saw("-sss") for store in stores))
        self.assertTrue(self.connect(postern).ask(f"a LOGIN user700 {LONG['user700']}")[-1].startswith("a OK"))


if __name__ == "__main__":
    unittest.main()
