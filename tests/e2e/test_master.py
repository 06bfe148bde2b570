"""Postern checks the password itself and logs in at the store as a master user."""

import crypt
import unittest

from rig import cyrus, dovecot
from rig.case import USERS, Case, message, plain
from rig.cyrus import Cyrus
from rig.dovecot import Dovecot
from rig.ground import wait_for
from rig.postern import pool

assert (dovecot.MASTER_USER, dovecot.MASTER_PASSWORD) == (cyrus.MASTER_USER, cyrus.MASTER_PASSWORD)
FRONT = {"anna": "front-secret-1", "bert@example.org": 'front "secret\\ 2', "dora": "front-secret-3"}


class MasterLogin(Case):
    secrets = [*FRONT.values(), dovecot.MASTER_PASSWORD]

    def setUp(self):
        super().setUp()
        self.passwd = self.passwords({})
        self.password_file = self.ground.write("master", dovecot.MASTER_PASSWORD + "\n", 0o600)

    def passwords(self, places):
        """The password file; `places` maps users to what stands behind their hash."""
        ways = (("", crypt.METHOD_SHA512, 1000), ("{SHA512-CRYPT}", crypt.METHOD_SHA512, 1000),
                ("{BLF-CRYPT}", crypt.METHOD_BLOWFISH, 16))
        text = ""
        for (user, password), (scheme, method, rounds) in zip(FRONT.items(), ways):
            hashed = crypt.crypt(password, crypt.mksalt(method, rounds=rounds))
            text += f"{user}:{scheme}{hashed}{places.get(user, '')}\n"
        return self.ground.write("passwd", text, 0o600)

    def run_with(self, store, **changes):
        return self.start(
            {"store": pool(store, login="master", master_user=dovecot.MASTER_USER,
                           master_password_file=self.password_file)},
            {"auth": {"by": "passwd", "passwd_file": self.passwd}, **changes})

    def check(self, store):
        for user in USERS:
            store.deliver(user, message(f"for {user}", to=user))
        postern = self.run_with(store)
        for user, password in FRONT.items():
            with self.subTest(user):
                wire = self.login(postern, user, password)
                self.assertIn(f"Subject: for {user}", wire.ask("b SELECT INBOX") + wire.ask("c FETCH 1 (BODY[HEADER])"))
                wire = self.login_pop3(postern, user, password)
                self.assertTrue(wire.say("STAT").startswith("+OK 1 "))
        wire = self.connect(postern)
        refusal = "NO [AUTHENTICATIONFAILED] Authentication failed."
        self.assertEqual(wire.ask("a LOGIN anna wrong-secret")[-1], f"a {refusal}")
        self.assertEqual(wire.ask("b LOGIN nobody wrong-secret")[-1], f"b {refusal}")
        wire = self.connect(postern, port=995)
        wire.say("USER anna")
        self.assertEqual(wire.say("PASS wrong-secret"), "-ERR [AUTH] Authentication failed.")

    def test_dovecot(self):
        self.check(Dovecot(self.ground, USERS))

    def test_cyrus(self):
        self.check(Cyrus(self.ground, USERS))

    def test_the_store_never_sees_the_clients_password_nor_a_refused_login(self):
        store = self.fake()
        postern = self.run_with(store)
        self.login(postern, "anna", FRONT["anna"])
        self.login_pop3(postern, "anna", FRONT["anna"])
        wire = self.connect(postern)
        wire.ask("a LOGIN dora wrong-secret")
        self.assertFalse(store.saw(FRONT["anna"]))
        self.assertFalse(store.saw("dora"))
        self.assertTrue(store.saw(plain(dovecot.MASTER_USER, dovecot.MASTER_PASSWORD, "anna")))

    def test_nobody_may_name_another_identity(self):
        store = self.fake()
        postern = self.run_with(store)
        wire = self.connect(postern)
        self.assertIn("a NO", wire.ask(f"a AUTHENTICATE PLAIN {plain('anna', FRONT['anna'], 'dora')}")[-1])
        self.assertFalse(any(wire.received.count(b"AUTHENTICATE") for wire in store.connections))

    def test_a_refused_master_is_not_the_users_fault(self):
        """The user's password was right: what the client reads must not make it ask for another."""
        self.password_file = self.ground.write("master", "not-the-secret\n", 0o600)
        postern = self.run_with(Dovecot(self.ground, USERS))
        wire = self.connect(postern)
        answer = wire.ask(f"a LOGIN anna {FRONT['anna']}")[-1]
        self.assertTrue(answer.startswith("a NO ["), answer)
        self.assertNotIn("AUTHENTICATIONFAILED", answer)

    def test_the_password_file_names_pool_and_backend(self):
        first, second = Dovecot(self.ground, USERS, name="first"), Dovecot(self.ground, USERS, name="second")
        third = Dovecot(self.ground, USERS, name="third")
        self.passwd = self.passwords({"anna": ":other", "dora": ":store:second", "bert@example.org": ":store:first"})
        settings = {"login": "master", "master_user": dovecot.MASTER_USER, "master_password_file": self.password_file}
        postern = self.start({"store": pool(first, second, **settings), "other": pool(third, **settings)},
                             {"auth": {"by": "passwd", "passwd_file": self.passwd}})
        for user, store in (("anna", third), ("dora", second), ("bert@example.org", first)):
            self.login(postern, user, FRONT[user])
            wait_for(store.logins, what=f"the login of {user} at {store.name}")
            self.assertIn(user, store.logins()[-1]["user"])


if __name__ == "__main__":
    unittest.main()
