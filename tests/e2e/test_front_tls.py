"""TLS towards clients: certificates by name, versions, ALPN, tickets, and nothing smuggled past STARTTLS."""

import socket
import ssl
import subprocess
import unittest

from rig.case import Case, plain
from rig.ground import wait_for
from rig.wire import Wire, trusting

PASSWORD = "tls-secret-3"


class FrontTls(Case):
    secrets = [PASSWORD]

    def setUp(self):
        super().setUp()
        self.store = self.fake()

    def names(self, wire):
        return {name for _, name in wire.socket.getpeercert()["subjectAltName"]}

    def alert(self, postern, port=993, **settings):
        """The reason why a handshake with these settings fails, in OpenSSL's words."""
        context = trusting(self.authority)
        for key, value in settings.items():
            attribute = getattr(context, key)
            attribute(value) if callable(attribute) else setattr(context, key, value)
        with self.assertRaises((ssl.SSLError, ConnectionError)) as caught:
            with Wire.connect(postern.address, port, tls=context, name="mail.test") as wire:
                if not wire.line():
                    raise ConnectionError("closed")
        return str(caught.exception).lower()

    def test_the_certificate_is_chosen_by_server_name(self):
        issued = [self.authority.issue("mail.test", file="default"), self.authority.issue("imap.example.org"),
                  self.authority.issue("*.example.net", "example.net")]
        postern = self.start(self.store, {"tls": {"certificates": [
            {"chain": each.chain, "key": each.key} for each in issued]}})
        for name, due in (("imap.example.org", "imap.example.org"), ("IMAP.Example.ORG", "imap.example.org"),
                          ("any.example.net", "*.example.net"), ("example.net", "*.example.net"),
                          ("two.labels.example.net", "mail.test"), ("unknown.test", "mail.test"),
                          (None, "mail.test")):
            with self.subTest(name):
                self.assertIn(due, self.names(self.connect(postern, name=name)))

    def test_ecdsa_comes_before_rsa_for_those_who_can(self):
        issued = [self.authority.issue("mail.test", rsa=True), self.authority.issue("mail.test", file="mail-ecdsa")]
        postern = self.start(self.store, {"tls": {"certificates": [
            {"chain": each.chain, "key": each.key} for each in issued]}})
        for ciphers, due in (("ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-ECDSA"),
                             ("ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA")):
            with self.subTest(due):
                context = trusting(self.authority, maximum_version=ssl.TLSVersion.TLSv1_2)
                context.set_ciphers(ciphers)
                self.assertIn(due, self.connect(postern, tls=context).socket.cipher()[0])

    def start_with_rsa(self):
        issued = self.authority.issue("mail.test", rsa=True)
        return self.start(self.store, {"tls": {"certificates": [{"chain": issued.chain, "key": issued.key}]},
                                       "limits": {"prelogin_per_address": 0}})

    def test_a_login_over_an_rsa_certificate(self):
        postern = self.start_with_rsa()
        for version, algorithm, due in (("-tls1_2", "rsa_pkcs1_sha256", "RSA"),
                                        ("-tls1_2", "rsa_pss_rsae_sha256", "RSA-PSS"),
                                        ("-tls1_3", "rsa_pss_rsae_sha256", "RSA-PSS"),
                                        ("-tls1_3", "rsa_pss_rsae_sha512", "RSA-PSS")):
            with self.subTest(version + " " + algorithm):
                done = subprocess.run(
                    ["openssl", "s_client", "-connect", f"{postern.address}:993", version, "-sigalgs", algorithm,
                     "-CAfile", self.authority.file, "-verify_return_error", "-crlf", "-ign_eof"],
                    input=f"a LOGIN anna {PASSWORD}\nb LOGOUT\n".encode(), capture_output=True, timeout=20)
                self.assertIn(f"Peer signature type: {due}\n".encode(), done.stdout)
                self.assertIn(b"a OK", done.stdout)
                self.assertIn(b"b OK", done.stdout)

    def test_clients_that_leave_before_the_signature_leave_nothing_behind(self):
        postern = self.start_with_rsa()
        self.connect(postern).close()
        before = postern.open_descriptors()
        hello = self.hello()
        for number in range(100):
            wire = Wire.connect(postern.address, 993)
            wire.send(hello)
            wire.reset() if number % 2 else wire.close()
        wait_for(lambda: postern.metric("postern_sessions_closed_total", who="client", phase="tls") == 100,
                 what="the end of every session")
        wait_for(lambda: postern.open_descriptors() <= before + 1, what="closed descriptors")
        self.assertTrue(self.connect(postern).greeting.startswith("* OK"))

    def test_it_stops_while_signatures_are_made(self):
        postern = self.start_with_rsa()
        hello = self.hello()
        for _ in range(100):
            wire = Wire.connect(postern.address, 993)
            self.addCleanup(wire.close)
            wire.send(hello)
        postern.stop()

    def test_old_versions_are_refused(self):
        postern = self.start(self.store)
        for version in (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1):
            with self.subTest(version.name):
                reason = self.alert(postern, minimum_version=version, maximum_version=version,
                                    set_ciphers="DEFAULT:@SECLEVEL=0")
                self.assertRegex(reason, "protocol version|handshake failure")
        for version in ("TLSv1.2", "TLSv1.3"):
            number = getattr(ssl.TLSVersion, version.replace(".", "_"))
            context = trusting(self.authority, minimum_version=number, maximum_version=number)
            self.assertEqual(self.connect(postern, tls=context).socket.version(), version)

    def test_tls_1_3_alone_when_configured(self):
        postern = self.start(self.store, {"tls": {"minimum": "1.3"}})
        self.assertIn("protocol version", self.alert(postern, maximum_version=ssl.TLSVersion.TLSv1_2))
        self.assertEqual(self.connect(postern).socket.version(), "TLSv1.3")

    def test_alpn_names_the_protocol_or_the_handshake_ends(self):
        postern = self.start(self.store)
        for port, offered, due in ((993, ["imap"], "imap"), (993, ["pop3", "imap"], "imap"), (995, ["pop3"], "pop3"),
                                   (993, None, None)):
            with self.subTest(port=port, offered=offered):
                context = trusting(self.authority)
                if offered:
                    context.set_alpn_protocols(offered)
                self.assertEqual(self.connect(postern, port, tls=context).socket.selected_alpn_protocol(), due)
        for port, offered in ((993, ["h2"]), (993, ["pop3"]), (995, ["imap", "h2"])):
            with self.subTest(port=port, offered=offered):
                self.assertIn("no application protocol", self.alert(postern, port, set_alpn_protocols=offered))

    def test_alpn_counts_after_starttls_too(self):
        postern = self.start(self.store)
        wire = self.connect_clear(postern)
        wire.ask("a STARTTLS")
        context = trusting(self.authority)
        context.set_alpn_protocols(["http/1.1"])
        with self.assertRaises(ssl.SSLError):
            wire.secure(context, "mail.test")

    def test_tickets_are_resumed_also_by_another_worker_and_after_a_reload(self):
        postern = self.start(self.store, {"server": {"workers": 2}})
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            context = trusting(self.authority, minimum_version=version, maximum_version=version)
            first = self.connect(postern, tls=context)
            session = first.socket.session
            for attempt in range(6):
                if attempt == 3:
                    self.reload(postern)
                peer = socket.create_connection((postern.address, 993), timeout=20)
                wire = Wire(peer)
                self.addCleanup(wire.close)
                wire.secure(context, "mail.test", session=session)
                self.assertTrue(wire.line().startswith("* OK"))
                self.assertTrue(wire.socket.session_reused, f"{version.name}, attempt {attempt}")
                session = wire.socket.session
        self.assertGreaterEqual(postern.metric("postern_tls_handshakes_total", resumed="yes"), 12)

    def reload(self, postern):
        before = len(postern.records(msg="reloaded"))
        postern.reconfigure(postern.configuration)
        wait_for(lambda: len(postern.records(msg="reloaded")) > before, what="the reload")

    def test_replicas_share_tickets_by_a_seed(self):
        seed = self.ground.write("seed", bytes(range(48)), 0o600)
        first = self.start(self.store, {"tls": {"ticket_seed_file": seed}}, name="first")
        second = self.start(self.store, {"tls": {"ticket_seed_file": seed}}, name="second")
        alien = self.start(self.store, name="alien")
        context = trusting(self.authority)
        session = self.connect(first, tls=context).socket.session
        for postern, due in ((second, True), (alien, False)):
            wire = Wire(socket.create_connection((postern.address, 993), timeout=20))
            self.addCleanup(wire.close)
            wire.secure(context, "mail.test", session=session)
            wire.line()
            self.assertEqual(wire.socket.session_reused, due)

    def test_a_command_behind_starttls_in_one_segment_is_never_obeyed(self):
        postern = self.start(self.store)
        for glued in ("a STARTTLS\r\nb NOOP\r\n", "a STARTTLS\r\nb LOGIN eve tls-secret-3\r\n"):
            wire = self.connect_clear(postern)
            wire.send(glued)
            self.assertTrue(wire.line().startswith("a OK"))
            self.never_answered(wire, "b ")

    def test_half_a_command_behind_starttls_does_not_join_the_first_inside(self):
        postern = self.start(self.store)
        wire = self.connect_clear(postern)
        wire.send("a STARTTLS\r\nx LOGIN eve ")
        self.assertTrue(wire.line().startswith("a OK"))
        try:
            wire.secure(trusting(self.authority), "mail.test")
            self.assertIn("b OK", wire.ask("b NOOP")[-1])
        except (ssl.SSLError, ConnectionError):
            pass  # the clear text was taken for TLS and failed: as good
        self.assertFalse(self.store.saw("eve"))

    def test_a_command_behind_stls_in_one_segment_is_never_obeyed(self):
        postern = self.start(self.store)
        wire = self.connect_clear(postern, 110)
        wire.send("STLS\r\nUSER eve\r\nPASS tls-secret-3\r\n")
        self.assertTrue(wire.line().startswith("+OK"))
        self.never_answered(wire, "+OK")
        self.assertFalse(self.store.saw("eve"))

    def never_answered(self, wire, prefix):
        try:
            wire.secure(trusting(self.authority), "mail.test")
            wire.socket.settimeout(0.7)
            line = wire.line()
        except (ssl.SSLError, ConnectionError, AssertionError, TimeoutError):
            return
        self.assertFalse((line or "").startswith(prefix), f"{line!r} answers what came in clear text")

    def test_what_was_said_in_clear_text_is_forgotten_with_stls(self):
        postern = self.start(self.store)
        wire = self.connect_clear(postern, 110)
        self.assertTrue(wire.say("USER eve").startswith("-ERR"))
        self.assertTrue(wire.say("STLS").startswith("+OK"))
        wire.secure(trusting(self.authority), "mail.test")
        self.assertTrue(wire.say("PASS tls-secret-3").startswith("-ERR"))
        self.assertFalse(self.store.saw("eve"))

    def test_credentials_in_clear_text_are_refused_though_right(self):
        postern = self.start(self.store)
        wire = self.connect_clear(postern)
        self.assertIn("LOGINDISABLED", wire.greeting)
        self.assertNotIn("AUTH=", wire.greeting)
        self.assertIn("NO [PRIVACYREQUIRED]", wire.ask(f"a LOGIN anna {PASSWORD}")[-1])
        self.assertRegex(wire.ask(f"b AUTHENTICATE PLAIN {plain('anna', PASSWORD)}")[-1], "^b (NO|BAD)")
        self.assertFalse(self.store.saw(PASSWORD))

    def test_starttls_is_offered_and_taken_once(self):
        postern = self.start(self.store)
        self.assertNotIn("STARTTLS", self.connect(postern).greeting)
        self.assertIn("a BAD", self.connect(postern).ask("a STARTTLS")[-1])
        wire = self.connect_clear(postern)
        self.assertIn("STARTTLS", wire.greeting)
        self.assertIn("a OK", wire.ask("a STARTTLS")[-1])
        wire.secure(trusting(self.authority), "mail.test")
        self.assertNotIn("STARTTLS", " ".join(wire.ask("b CAPABILITY")))
        self.assertIn("c BAD", wire.ask("c STARTTLS")[-1])
        self.assertIn("d OK", wire.ask(f"d LOGIN anna {PASSWORD}")[-1])
        self.assertTrue(self.connect(postern, 995).say("STLS").startswith("-ERR"))

    def test_clear_text_on_the_tls_port_and_tls_on_the_clear_port_end_at_once(self):
        postern = self.start(self.store)
        wire = Wire.connect(postern.address, 993)
        wire.send("a NOOP\r\n")
        self.assertNotIn(b"a OK", wire.rest())
        wire = self.connect_clear(postern)
        wire.send(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200) + b"\r\n\r\n\r\n\r\n")
        self.assertRegex(wire.rest(), rb"\* (BAD|BYE) ")

    def test_renegotiation_is_refused(self):
        postern = self.start(self.store)
        done = subprocess.run(["openssl", "s_client", "-connect", f"{postern.address}:993", "-tls1_2", "-CAfile",
                               self.authority.file], input=b"R\na NOOP\n", capture_output=True, timeout=20)
        self.assertNotIn(b"a OK", done.stdout)

    def test_the_end_is_said_inside_tls(self):
        """An orderly end carries close_notify: OpenSSL reports its absence as an error."""
        postern = self.start(self.store)
        wire = self.connect(postern, tls=trusting(self.authority))
        wire.socket.suppress_ragged_eofs = False
        wire.send_lines("a LOGOUT")
        self.assertEqual([line.split()[0] for line in wire.lines_until("a OK")], ["*", "a"])
        self.assertEqual(wire.socket.recv(1), b"")

    def test_failed_handshakes_leave_nothing_behind(self):
        postern = self.start(self.store)
        self.connect(postern).close()
        before = postern.open_descriptors()
        hello = self.hello()
        cuts = range(1, len(hello), 12)
        for cut in cuts:
            wire = Wire.connect(postern.address, 993)
            wire.send(hello[:cut])
            wire.reset() if cut % 24 == 1 else wire.close()
        wait_for(lambda: postern.metric("postern_sessions_closed_total", who="client", phase="tls") == len(cuts),
                 what="the end of every session")
        wait_for(lambda: postern.open_descriptors() <= before + 1, what="closed descriptors")
        self.assertTrue(self.connect(postern).greeting.startswith("* OK"))

    def hello(self):
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        client = trusting(self.authority).wrap_bio(incoming, outgoing, server_hostname="mail.test")
        with self.assertRaises(ssl.SSLWantReadError):
            client.do_handshake()
        return outgoing.read()


if __name__ == "__main__":
    unittest.main()
