"""SIGHUP: new sessions meet the new configuration, old ones live on, a bad one changes nothing."""

import os
import shutil
import signal
import unittest

from rig.case import Case
from rig.fake_store import imap, pop3
from rig.ground import wait_for
from rig.postern import merge

PASSWORD = "process-secret-5"


class Reload(Case):
    secrets = [PASSWORD]

    def setUp(self):
        super().setUp()
        self.store = self.fake()
        self.seen = {True: 0, False: 0}

    def reloaded(self, postern, ok):
        wait_for(lambda: postern.metric("postern_config_last_reload_successful") == int(ok)
                 and len(postern.records(msg="reloaded" if ok else "reload_refused")) > self.seen[ok],
                 what=f"a reload that ends {'well' if ok else 'badly'}")
        self.seen[ok] += 1

    def test_a_good_file_counts_for_new_sessions_and_old_ones_live_on(self):
        other = self.fake({143: imap(login="OK [CAPABILITY IMAP4rev1] other"), 110: pop3()}, name="other")
        postern = self.start(self.store)
        old = self.login(postern, "anna", PASSWORD)
        waiting = self.connect(postern)
        postern.reconfigure(merge(postern.configuration, {"pool": {"store": {
            "backends": {"fake": None, "other": other.address}}}}))
        self.reloaded(postern, True)
        self.assertIn("OK NOOP", old.ask("b NOOP")[-1])
        self.assertTrue(self.login(postern, "anna", PASSWORD).welcome.endswith("other"))
        self.assertIn("a OK", waiting.ask(f"a LOGIN anna {PASSWORD}")[-1])

    def test_a_bad_file_changes_nothing_and_is_told(self):
        postern = self.start(self.store)
        good = postern.configuration
        for bad in ({"servre": {"name": "x"}}, {"route": [{"user": "*", "pool": "elsewhere"}]},
                    {"tls": {"certificates": [{"chain": "/nowhere", "key": "/nowhere"}]}}):
            with self.subTest(bad):
                postern.reconfigure(merge(good, bad))
                self.reloaded(postern, False)
                self.login(postern, "anna", PASSWORD)
        self.ground.write("postern.toml", "")
        postern.signal(signal.SIGHUP)
        self.reloaded(postern, False)
        self.login(postern, "anna", PASSWORD)
        postern.reconfigure(good)
        self.reloaded(postern, True)
        self.login(postern, "anna", PASSWORD)

    def test_an_address_that_cannot_be_bound_changes_nothing(self):
        store = self.fake({143: imap(greeting="* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN ID XTOLD] ready"),
                           110: pop3()}, name="telling")
        postern = self.start(store)
        wait_for(lambda: "XTOLD" in self.connect(postern).greeting, what="a greeting with what the store offers")
        postern.reconfigure(merge(postern.configuration, {
            "listen": {"imaps": {"address": ["192.0.2.1:993"]}},
            "pool": {"store": {"backends": {"fake": None, "other": self.store.address}}}}))
        self.reloaded(postern, False)
        self.assertIn("XTOLD", self.connect(postern).greeting)
        self.login(postern, "anna", PASSWORD)

    def test_an_address_may_go_to_a_listener_of_another_name(self):
        postern = self.start(self.store)
        old = self.login(postern, "anna", PASSWORD)
        imaps = postern.configuration["listen"]["imaps"]
        postern.reconfigure(merge(postern.configuration, {"listen": {"imaps": None, "secure": imaps}}))
        self.reloaded(postern, True)
        self.login(postern, "anna", PASSWORD)
        self.assertIn("OK NOOP", old.ask("b NOOP")[-1])
        self.assertEqual(1, postern.metric("postern_sessions_accepted_total", listener="secure"))

    def test_an_address_may_change_its_protocol(self):
        postern = self.start(self.store)
        imaps, pop3s = (postern.configuration["listen"][name]["address"] for name in ("imaps", "pop3s"))
        postern.reconfigure(merge(postern.configuration, {"listen": {
            "imaps": {"address": pop3s}, "pop3s": {"address": imaps}}}))
        self.reloaded(postern, True)
        self.assertTrue(self.connect(postern, port=995).greeting.startswith("* OK"))
        self.assertTrue(self.connect(postern, port=993).greeting.startswith("+OK"))

    def test_certificates_are_read_again(self):
        first, second = self.authority.issue("mail.test", "first.test", file="one"), self.authority.issue(
            "mail.test", "second.test", file="two")
        chain, key = self.ground.path("live.crt"), self.ground.path("live.key")
        shutil.copy(first.chain, chain)
        shutil.copy(first.key, key)
        postern = self.start(self.store, {"tls": {"certificates": [{"chain": chain, "key": key}]}})

        def names():
            wire = self.connect(postern)
            found = {name for _, name in wire.socket.getpeercert()["subjectAltName"]}
            wire.close()
            return found

        self.assertIn("first.test", names())
        old = self.login(postern, "anna", PASSWORD)
        for source, target in ((second.key, key), (second.chain, chain)):  # for a moment they do not fit
            shutil.copy(source, target + ".new")
            os.rename(target + ".new", target)
        postern.signal(signal.SIGHUP)
        self.reloaded(postern, True)
        self.assertIn("second.test", names())
        self.assertIn("OK", old.ask("b NOOP")[-1])
        shutil.copy(first.key, key)  # a key that does not fit
        postern.signal(signal.SIGHUP)
        self.reloaded(postern, False)
        self.assertIn("second.test", names())

    def test_many_reloads_under_logins_fail_none(self):
        postern = self.start(self.store)
        self.login(postern, "anna", PASSWORD).close()
        descriptors = postern.open_descriptors()
        for turn in range(60):
            for _ in range(5):
                postern.signal(signal.SIGHUP)
            self.login(postern, f"user{turn}", PASSWORD).close()
        wait_for(lambda: postern.metric("postern_sessions") == 0, what="no sessions")
        wait_for(lambda: postern.open_descriptors() <= descriptors + 4, what="descriptors given back")
        self.assertEqual(postern.metric("postern_config_last_reload_successful"), 1)


if __name__ == "__main__":
    unittest.main()
