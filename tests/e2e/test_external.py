"""SASL EXTERNAL: the client's certificate says who it is."""

import crypt
import ssl
import unittest

from rig import dovecot, sasl
from rig.case import USERS, Case, message
from rig.certificates import Authority
from rig.dovecot import Dovecot
from rig.http_service import HttpService
from rig.postern import pool
from rig.wire import Wire, trusting

PASSWORD = "front-secret-1"
REFUSED = "NO [AUTHENTICATIONFAILED] Authentication failed."


class External(Case):
    secrets = [PASSWORD, dovecot.MASTER_PASSWORD]

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.clients = Authority(cls.shared.path("clients"), "Clients CA")
        cls.stranger = Authority(cls.shared.path("stranger"), "Another CA").issue_client("anna", "/CN=anna", "anna")
        cls.anna = cls.clients.issue_client("anna", "/O=Rig/CN=anna", "bert@example.org")
        cls.nameless = cls.clients.issue_client("nameless", "/O=Rig/CN=anna")
        cls.double = cls.clients.issue_client("double", "/CN=anna", "anna@example.org", "bert@example.org")
        cls.unknown = cls.clients.issue_client("unknown", "/CN=nobody", "nobody@example.org")
        cls.expired = cls.clients.issue_client("expired", "/CN=anna", "bert@example.org", expired=True)

    def run_with(self, store, auth=None, **settings):
        hashed = crypt.crypt(PASSWORD, crypt.mksalt(crypt.METHOD_SHA512, rounds=1000))
        passwd = self.ground.write("passwd", f"anna:{hashed}\nbert@example.org:{hashed}\n", 0o600)
        settings = {"login": "master", "master_user": dovecot.MASTER_USER,
                    "master_password_file": self.ground.write("master", dovecot.MASTER_PASSWORD, 0o600), **settings}
        return self.start({"store": pool(store, **settings)}, {
            "tls": {"client_ca": self.clients.file},
            "auth": {"by": "passwd", "passwd_file": passwd, "mechanisms": ["plain", "external"], **(auth or {})}})

    def context(self, certificate, **settings):
        context = trusting(self.authority, **settings)
        context.load_cert_chain(certificate.chain, certificate.key)
        return context

    def ask(self, postern, certificate, identity=""):
        wire = self.connect(postern, tls=self.context(certificate))
        self.assertEqual(self.offered(wire), {"PLAIN", "EXTERNAL"})
        wire.send_lines(f"a AUTHENTICATE EXTERNAL {sasl.encode(identity) or '='}")
        return wire, wire.lines_until("a ")[-1]

    def test_a_certificate_opens_the_mailbox_that_it_names(self):
        store = Dovecot(self.ground, USERS)
        store.deliver("bert@example.org", message("for bert"))
        postern = self.run_with(store)
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            with self.subTest(version.name):
                context = self.context(self.anna, maximum_version=version)
                wire = self.connect(postern, tls=context)
                wire.send_lines("a AUTHENTICATE EXTERNAL =")
                self.assertTrue(wire.lines_until("a ")[-1].startswith("a OK"))
                self.assertIn("Subject: for bert",
                              wire.ask("b SELECT INBOX") + wire.ask("c FETCH 1 (BODY[HEADER])"))
        wire = self.connect(postern, port=995, tls=self.context(self.anna))
        self.assertEqual(self.offered(wire, 995), {"PLAIN", "EXTERNAL"})
        self.assertTrue(wire.say("AUTH EXTERNAL =").startswith("+OK"))
        self.assertTrue(wire.say("STAT").startswith("+OK 1 "))

    def starttls(self, postern, context, port=143):
        wire = self.connect_clear(postern, port)
        self.assertEqual(self.offered(wire, port), set(), "nothing before TLS")
        (wire.ask if port == 143 else wire.say)("s STARTTLS" if port == 143 else "STLS")
        wire.secure(context, "mail.test")
        return wire

    def test_after_starttls_and_without_an_initial_response(self):
        postern = self.run_with(self.fake())
        for port, command, done in ((143, "a AUTHENTICATE EXTERNAL", "a OK"), (110, "AUTH EXTERNAL", "+OK")):
            with self.subTest(port):
                wire = self.starttls(postern, self.context(self.anna), port)
                self.assertEqual(self.offered(wire, port), {"PLAIN", "EXTERNAL"})
                self.assertEqual(wire.say(command).strip(), "+")
                wire.send_lines("")
                self.assertTrue(wire.lines_until(done.split()[0])[-1].startswith(done))
                wire = self.starttls(postern, trusting(self.authority), port)
                self.assertEqual(self.offered(wire, port), {"PLAIN"})

    def test_a_resumed_session_keeps_its_certificate(self):
        postern = self.run_with(self.fake())
        context = self.context(self.anna, maximum_version=ssl.TLSVersion.TLSv1_2)
        first = self.connect(postern, tls=context)
        with Wire.connect(postern.address, 993) as wire:
            wire.secure(context, "mail.test", session=first.socket.session)
            wire.line()
            self.assertTrue(wire.socket.session_reused)
            wire.send_lines("a AUTHENTICATE EXTERNAL =")
            self.assertTrue(wire.lines_until("a ")[-1].startswith("a OK"))

    def test_the_common_name_counts_where_that_is_wanted(self):
        store = self.fake()
        postern = self.run_with(store, {"certificate_name": "common_name"})
        for certificate in (self.anna, self.nameless):
            self.assertTrue(self.ask(postern, certificate)[1].startswith("a OK"))
        self.assertFalse(store.saw("bert"))

    def test_one_may_name_oneself_and_nobody_else(self):
        postern = self.run_with(self.fake())
        self.assertTrue(self.ask(postern, self.anna, "bert@example.org")[1].startswith("a OK"))
        self.assertTrue(self.ask(postern, self.anna, "anna")[1].startswith("a NO [AUTHORIZATIONFAILED]"))

    def test_a_certificate_without_one_known_name_is_refused(self):
        store = self.fake()
        postern = self.run_with(store)
        for certificate in (self.nameless, self.double, self.unknown):
            wire, answer = self.ask(postern, certificate)
            self.assertEqual(answer, "a " + REFUSED)
            self.assertIn("b OK", wire.ask(f"b LOGIN anna {PASSWORD}")[-1])

    def test_without_a_certificate_it_is_not_offered(self):
        postern = self.run_with(self.fake())
        wire = self.connect(postern)
        self.assertEqual(self.offered(wire), {"PLAIN"})
        self.assertRegex(wire.ask("a AUTHENTICATE EXTERNAL =")[-1], "^a (NO|BAD) ")
        self.assertIn("b OK", wire.ask(f"b LOGIN anna {PASSWORD}")[-1])

    def test_a_certificate_that_is_not_ours_ends_the_handshake(self):
        postern = self.run_with(self.fake())
        for certificate in (self.stranger, self.expired):
            for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
                with self.subTest(certificate.chain, version=version.name), \
                        self.assertRaises((ssl.SSLError, ConnectionError)):
                    # With TLS 1.3 the client learns of it by its first read.
                    self.connect(postern, tls=self.context(certificate, maximum_version=version))
        postern.wait_for_record(fault="client_tls")

    def test_a_service_is_told_of_the_certificate(self):
        service = HttpService(self.ground, lambda request: {"Auth-Status": "OK", "Auth-User": "box", "Auth-Pass": "p1"})
        self.addCleanup(service.close)
        postern = self.run_with(self.fake(), {"by": "http", "passwd_file": None,
                                              "http": {"url": service.url, "pass_certificate": True}})
        self.assertTrue(self.ask(postern, self.anna)[1].startswith("a OK"))
        request = service.requests[-1]
        self.assertEqual((request["Auth-Method"], request["Auth-User"], request["Auth-Pass"],
                          request["Auth-SSL-Verify"]), ("external", "bert@example.org", "", "SUCCESS"))
        self.assertEqual(request["Auth-SSL-Subject"], "CN=anna,O=Rig")
        self.assertTrue(request["Auth-SSL-Cert"].startswith("-----BEGIN%20CERTIFICATE-----%0A"))


if __name__ == "__main__":
    unittest.main()
