"""The rig itself: the stores that the other tests trust, without Postern."""

import imaplib
import poplib
import ssl
import unittest

from rig.case import USERS, Case, message, plain
from rig.cyrus import Cyrus
from rig.cyrus import MASTER_PASSWORD, MASTER_USER
from rig.dovecot import Dovecot
from rig.fake_store import FakeStore, imap, pop3, resetting
from rig.ground import wait_for
from rig.postern import merge, toml
from rig.wire import Wire, trusting


class RealStores(Case):
    def check(self, store):
        for user, password in USERS.items():
            with self.subTest(store=store.name, user=user):
                store.deliver(user, message("one", to=user))
                session = imaplib.IMAP4(store.address)
                session.starttls(trusting(self.authority))
                session.authenticate("PLAIN", lambda _: f"\0{user}\0{password}".encode())
                self.assertEqual(session.select()[1], [b"1"])
                session.logout()
                session = poplib.POP3(store.address)
                session.user(user)
                session.pass_(password)
                self.assertEqual(session.stat()[0], 1)
                session.quit()
                session = imaplib.IMAP4(store.address)
                session.authenticate("PLAIN", lambda _: f"{user}\0{MASTER_USER}\0{MASTER_PASSWORD}".encode())
                self.assertEqual(session.select()[1], [b"1"])
                session.logout()
                with self.assertRaises(imaplib.IMAP4.error):
                    imaplib.IMAP4(store.address).login(user, "wrong")

    def test_dovecot_serves_its_users_and_the_master(self):
        self.check(Dovecot(self.ground, USERS, certificate=self.store_certificate))

    def test_cyrus_serves_its_users_and_the_master(self):
        self.check(Cyrus(self.ground, USERS, certificate=self.store_certificate))

    def test_dovecot_believes_forwarded_addresses_and_logs_them(self):
        store = Dovecot(self.ground, USERS)
        with Wire.connect(store.address, store.imap_port) as wire:
            wire.line()
            wire.ask('a ID ("x-originating-ip" "192.0.2.9" "x-session-id" "rig-1")')
            self.assertIn("OK", wire.ask(f"b AUTHENTICATE PLAIN {plain('anna', USERS['anna'])}")[-1])
        wait_for(store.logins, what="the line of the login in the store's log")
        self.assertEqual([(each["rip"], each["session"]) for each in store.logins()], [("192.0.2.9", "rig-1")])

    def test_dovecot_demands_a_proxy_header_on_its_haproxy_port(self):
        store = Dovecot(self.ground, USERS)
        header = "PROXY TCP4 192.0.2.8 127.0.0.1 7 143\r\n"
        with Wire.connect(store.address, store.haproxy_imap_port, first=header) as wire:
            self.assertTrue(wire.line().startswith("* OK"))
            wire.ask(f"b AUTHENTICATE PLAIN {plain('anna', USERS['anna'])}")
        wait_for(store.logins, what="the line of the login in the store's log")
        self.assertEqual(store.logins()[0]["rip"], "192.0.2.8")

    def test_every_certificate_is_what_it_is_called(self):
        cases = {"good": self.authority.issue("host.test"), "rsa": self.authority.issue("host.test", rsa=True),
                 "expired": self.authority.issue("host.test", file="expired", expired=True),
                 "other": self.authority.issue("other.test")}
        for kind, certificate in cases.items():
            with self.subTest(kind):
                store = Dovecot(self.ground, USERS, name=kind, certificate=certificate)
                context = trusting(self.authority, check_hostname=True)
                try:
                    Wire.connect(store.address, 993, tls=context, name="host.test").close()
                    verdict = "good"
                except ssl.SSLCertVerificationError as error:
                    verdict = error.verify_message
                due = {"expired": "expired", "other": "mismatch"}
                self.assertIn(due.get(kind, "good"), verdict)


class FalseStores(Case):
    def test_a_well_behaved_script_serves_imap_and_pop3(self):
        with FakeStore(self.ground, {143: imap(), 110: pop3()}) as store:
            session = imaplib.IMAP4(store.address)
            self.assertEqual(session.login("anna", "pw")[0], "OK")
            self.assertEqual(session.noop()[0], "OK")
            session.logout()
            session = poplib.POP3(store.address)
            session.user("anna")
            session.pass_("pop-pw")
            session.quit()
            self.assertTrue(store.saw("pop-pw"))
            self.assertFalse(store.saw("another"))

    def test_a_reset_is_a_reset(self):
        with FakeStore(self.ground, {143: resetting}) as store:
            with self.assertRaises((ConnectionResetError, imaplib.IMAP4.abort)):
                imaplib.IMAP4(store.address)


class Configuration(unittest.TestCase):
    def test_nested_tables_become_toml(self):
        text = toml({"a": {"x": 1, "s": 'q"', "b": {"flag": True}}, "route": [{"user": "*"}],
                     "pool": {"p": {"backends": {"s1": "h", "s2": {"host": "h2", "weight": 5}}}}})
        self.assertEqual(text.split(), '''[a] x = 1 s = "q\\"" [a.b] flag = true [[route]] user = "*"
            [pool.p.backends] s1 = "h" s2 = { host = "h2", weight = 5 }'''.split())

    def test_changes_are_laid_over_and_none_takes_out(self):
        self.assertEqual(merge({"a": {"x": 1, "y": 2}, "b": 3}, {"a": {"y": 4}, "b": None}), {"a": {"x": 1, "y": 4}})


if __name__ == "__main__":
    unittest.main()
