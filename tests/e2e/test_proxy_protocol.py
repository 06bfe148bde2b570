"""PROXY headers from the networks that must send them, and from nobody else."""

import socket
import ssl
import struct
import unittest

from rig.case import USERS, Case
from rig.dovecot import Dovecot
from rig.ground import wait_for
from rig.wire import Wire, trusting

V1 = b"PROXY TCP4 192.0.2.7 127.0.0.1 51000 993\r\n"
SIGNATURE = b"\r\n\r\n\x00\r\nQUIT\n"


def v2(source="192.0.2.8", command=1, extra=b""):
    addresses = socket.inet_aton(source) + socket.inet_aton("127.0.0.1") + struct.pack("!HH", 51000, 993) + extra
    return SIGNATURE + struct.pack("!BBH", 0x20 | command, 0x11, len(addresses)) + addresses


class ProxyProtocol(Case):
    balancer = "127.0.0.71"

    def setUp(self):
        super().setUp()
        self.store = Dovecot(self.ground, USERS)
        networks = [f"{self.balancer}/32"]
        self.postern = self.start(self.store, {
            "listen": {each: {"proxy_protocol": networks} for each in ("imaps", "imap", "pop3s", "pop3")},
            "limits": {"login_time": "4s"}})

    def rip_after(self, header, drip=False):
        """The client's address in the store's log, of a login behind this header."""
        before = len(self.store.logins())
        wire = Wire.connect(self.postern.address, 993, source=self.balancer)
        self.addCleanup(wire.close)
        wire.drip(header) if drip else wire.send(header)
        wire.secure(trusting(self.authority), "mail.test")
        self.assertTrue(wire.line().startswith("* OK"))
        self.assertIn("OK", wire.ask(f"a LOGIN anna {USERS['anna']}")[-1])
        wait_for(lambda: len(self.store.logins()) > before, what="the login in the store's log")
        return self.store.logins()[-1]["rip"]

    def test_both_versions_whole_and_octet_by_octet(self):
        for header, due in ((V1, "192.0.2.7"), (v2(), "192.0.2.8"), (v2(extra=b"\x04\x00\x03abc"), "192.0.2.8"),
                            (b"PROXY UNKNOWN\r\n", self.balancer), (v2(command=0), self.balancer)):
            for drip in (False, True):
                with self.subTest(header=header, drip=drip):
                    self.assertEqual(self.rip_after(header, drip), due)

    def test_the_handshake_may_follow_in_the_same_segment(self):
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        client = trusting(self.authority).wrap_bio(incoming, outgoing, server_hostname="mail.test")
        with self.assertRaises(ssl.SSLWantReadError):
            client.do_handshake()
        peer = socket.create_connection((self.postern.address, 993), source_address=(self.balancer, 0), timeout=10)
        self.addCleanup(peer.close)
        peer.sendall(V1 + outgoing.read())
        text = b""
        while b"* OK" not in text:
            incoming.write(peer.recv(65536))
            try:
                client.do_handshake()
                text += client.read()
            except ssl.SSLWantReadError:
                pass
            if outgoing.pending:
                peer.sendall(outgoing.read())

    def test_a_greeting_in_clear_text_waits_for_the_header(self):
        wire = Wire.connect(self.postern.address, 143, source=self.balancer)
        self.addCleanup(wire.close)
        wire.socket.settimeout(0.5)
        with self.assertRaises(TimeoutError):
            wire.line()
        wire.socket.settimeout(10)
        wire.send(V1)
        self.assertTrue(wire.line().startswith("* OK"))

    def test_a_balancer_without_a_header_is_turned_away_without_a_word(self):
        for first in (b"a NOOP\r\n", b"\x16\x03\x01\x00\xa0" + bytes(160), b"PROXY TCP4 1.2.3 4.5.6.7 1 2\r\n",
                      b"PROXY TCP4 " + b"9" * 200, SIGNATURE + b"\x31\x11\x00\x0c" + bytes(12),
                      v2()[:14] + b"\x00\x04" + bytes(4)):
            with self.subTest(first):
                wire = Wire.connect(self.postern.address, 143, source=self.balancer)
                wire.send(first)
                self.assertEqual(wire.rest(), b"")
        wait_for(lambda: self.postern.records(reason="proxy_header") or self.postern.records(fault="proxy_header"),
                 what="it is logged")

    def test_a_header_that_never_comes_is_not_waited_for_longer_than_a_login(self):
        for first in (b"", V1[:20]):
            wire = Wire.connect(self.postern.address, 143, source=self.balancer)
            wire.send(first)
            self.assertEqual(wire.rest(), b"")

    def test_a_header_from_elsewhere_is_a_bad_command_and_changes_nothing(self):
        wire = Wire.connect(self.postern.address, 143, source="127.0.0.72")
        self.addCleanup(wire.close)
        self.assertTrue(wire.line().startswith("* OK"))
        wire.send(V1)
        self.assertIn("BAD", wire.line())
        self.assertFalse("192.0.2.7" in self.postern.log())

    def test_a_client_from_elsewhere_needs_no_header(self):
        self.assertTrue(self.connect(self.postern, source="127.0.0.72").greeting.startswith("* OK"))


if __name__ == "__main__":
    unittest.main()
