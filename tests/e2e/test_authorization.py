"""Acting as another user: who may, as whom, and where it is refused."""

import unittest

from rig.case import USERS, Case, message, plain
from rig.dovecot import MASTER_PASSWORD, MASTER_USER, Dovecot
from rig.ground import wait_for
from rig.postern import pool

DENIED = "NO [AUTHORIZATIONFAILED] Authorization failed."


class Authorization(Case):
    secrets = [*USERS.values(), MASTER_PASSWORD]

    def run_with(self, store, allowed=True, separator="*"):
        return self.start({"store": pool(store, authorization=allowed)},
                          {"auth": {"by": "store", "master_separator": separator}})

    def test_a_master_of_the_store_opens_another_mailbox(self):
        store = Dovecot(self.ground, USERS)
        store.deliver("anna", message("for anna"))
        postern = self.run_with(store)
        master = f"anna*{MASTER_USER}"
        ways = (f'LOGIN "{master}" {MASTER_PASSWORD}', f"AUTHENTICATE PLAIN {plain(master, MASTER_PASSWORD)}",
                f"AUTHENTICATE PLAIN {plain(MASTER_USER, MASTER_PASSWORD, 'anna')}")
        for way in ways:
            with self.subTest(way.split()[1]):
                wire = self.connect(postern)
                self.assertTrue(wire.ask(f"a {way}")[-1].startswith("a OK"))
                self.assertIn("Subject: for anna", wire.ask("b SELECT INBOX") + wire.ask("c FETCH 1 (BODY[HEADER])"))
        wire = self.login_pop3(postern, master, MASTER_PASSWORD)
        self.assertTrue(wire.say("STAT").startswith("+OK 1 "))
        for login in wait_for(lambda: len(store.logins()) == 4 and store.logins(), what="four logins"):
            self.assertIn("anna", login["user"])

    def test_routes_and_log_know_the_user_and_not_the_master(self):
        red, blue = Dovecot(self.ground, USERS, name="red"), Dovecot(self.ground, USERS, name="blue")
        postern = self.start(
            {"red": pool(red, authorization=True), "blue": pool(blue, authorization=True)},
            {"auth": {"by": "store", "master_separator": "*"},
             "route": [{"user": "anna", "pool": "red"}, {"user": "*", "pool": "blue"}]})
        self.login(postern, f"anna*{MASTER_USER}", MASTER_PASSWORD).close()
        record = postern.wait_for_record(msg="session", result="ok")
        self.assertEqual((record["user"], record["pool"]), ("anna", "red"))

    def test_who_is_no_master_is_refused_by_the_store(self):
        postern = self.run_with(Dovecot(self.ground, USERS))
        wire = self.connect(postern)
        for credentials in (plain("dora", USERS["dora"], "anna"), plain("anna*dora", USERS["dora"]),
                            plain(f"anna*{MASTER_USER}", "wrong-secret")):
            answer = wire.ask(f"a AUTHENTICATE PLAIN {credentials}")[-1]
            self.assertRegex(answer, r"^a NO \[AUTH")
            wire = self.connect(postern)

    def test_a_pool_that_does_not_allow_it_is_never_asked(self):
        store = self.fake()
        postern = self.run_with(store, allowed=False)
        wire = self.connect(postern)
        self.assertEqual(wire.ask(f'a LOGIN "anna*{MASTER_USER}" {MASTER_PASSWORD}')[-1], "a " + DENIED)
        self.assertEqual(wire.ask(f"b AUTHENTICATE PLAIN {plain(MASTER_USER, MASTER_PASSWORD, 'anna')}")[-1],
                         "b " + DENIED)
        wire = self.connect(postern, port=995)
        wire.say(f"USER anna*{MASTER_USER}")
        self.assertEqual(wire.say(f"PASS {MASTER_PASSWORD}"), "-ERR [AUTH] Authorization failed.")
        self.assertFalse(store.saw(MASTER_PASSWORD))
        postern.wait_for_record(msg="login_refused", fault="not_authorized", blame="credentials")

    def test_without_a_separator_it_is_a_name_like_any_other(self):
        store = self.fake()
        postern = self.run_with(store, separator="")
        self.login(postern, "anna*dora", USERS["dora"])
        self.assertTrue(store.saw("anna*dora"))

    def test_half_a_name_is_a_name(self):
        store = self.fake()
        postern = self.run_with(store)
        for name in ("*dora", "dora*"):
            self.login(postern, name, USERS["dora"])
            self.assertTrue(store.saw(name))


if __name__ == "__main__":
    unittest.main()
