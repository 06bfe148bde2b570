"""The password file while Postern runs: whoever rewrites it need not tell anybody."""

import crypt
import os
import unittest

from rig.case import Case
from rig.fake_store import imap, pop3
from rig.ground import wait_for
from rig.postern import pool

OLD, NEW = "file-secret-1", "file-secret-2"
MASTER = "master-secret-3"
REFUSED = "NO [AUTHENTICATIONFAILED] Authentication failed."


def entry(user, password, place=""):
    return f"{user}:{crypt.crypt(password, crypt.mksalt(crypt.METHOD_SHA512, rounds=1000))}{place}\n"


class AuthPasswd(Case):
    secrets = [OLD, NEW, MASTER]

    def setUp(self):
        super().setUp()
        stores = {name: self.fake({143: imap(login=f"OK [CAPABILITY IMAP4rev1] {name}"),
                                   110: pop3(login=f"+OK {name}")}, name=name) for name in ("one", "two", "three")}
        master = {"login": "master", "master_user": "postern",
                  "master_password_file": self.ground.write("master", MASTER, 0o600)}
        self.write(entry("anna", OLD))
        self.postern = self.start(
            {"main": pool(stores["one"], **master), "other": pool(stores["two"], stores["three"], **master)},
            {"auth": {"by": "passwd", "passwd_file": self.ground.path("passwd")}})

    def write(self, text):
        """As one should: beside the file, and renamed."""
        os.rename(self.ground.write("passwd.new", text, 0o600), self.ground.path("passwd"))

    def ask(self, user, password):
        wire = self.connect(self.postern)
        answer = wire.ask(f"a LOGIN {user} {password}")[-1]
        wire.close()
        return answer

    def wait_for_rereads(self, count):
        wait_for(lambda: len(self.postern.records(msg="passwd_reread")) == count, what=f"reread {count} times")

    def test_a_new_file_counts_at_once_and_live_sessions_stay(self):
        live = self.login(self.postern, "anna", OLD)
        self.assertEqual(self.ask("bert", NEW), "a " + REFUSED)
        self.write(entry("anna", NEW) + entry("bert", NEW, ":other:three"))
        self.wait_for_rereads(1)
        self.assertEqual(self.ask("anna", OLD), "a " + REFUSED)
        self.assertTrue(self.ask("anna", NEW).endswith("one"))
        self.assertTrue(self.ask("bert", NEW).endswith("three"))
        self.write(entry("bert", NEW, ":other:two"))
        self.wait_for_rereads(2)
        self.assertEqual(self.ask("anna", NEW), "a " + REFUSED)
        self.assertTrue(self.ask("bert", NEW).endswith("two"))
        self.assertTrue(self.login_pop3(self.postern, "bert", NEW).welcome.endswith("two"))
        self.assertIn("n OK", live.ask("n NOOP")[-1])

    def test_a_file_written_in_place_is_read_when_it_stands_still(self):
        with open(self.ground.path("passwd"), "a") as file:
            file.write(entry("bert", NEW))
        self.wait_for_rereads(1)
        self.assertTrue(self.ask("bert", NEW).startswith("a OK"))

    def test_a_bad_file_changes_nothing_and_says_so(self):
        self.write(entry("anna", NEW) + "bert:{PLAIN}clear\n")
        record = self.postern.wait_for_record(msg="passwd_refused", level="error")
        self.assertIn("line 2", record["problems"])
        self.assertTrue(self.ask("anna", OLD).startswith("a OK"))
        os.unlink(self.ground.path("passwd"))
        wait_for(lambda: len(self.postern.records(msg="passwd_refused")) == 2, what="it says that the file is gone")
        self.assertTrue(self.ask("anna", OLD).startswith("a OK"))
        self.write(entry("anna", NEW))
        self.wait_for_rereads(1)
        self.assertTrue(self.ask("anna", NEW).startswith("a OK"))

    def test_a_place_that_is_not_there_is_the_configurations_fault(self):
        self.write(entry("anna", OLD, ":nowhere"))
        self.wait_for_rereads(1)
        self.assertEqual(self.ask("anna", OLD), "a NO [SERVERBUG] Account is temporarily unavailable.")
        self.postern.wait_for_record(msg="login_refused", user="anna", fault="lookup_invalid")


if __name__ == "__main__":
    unittest.main()
