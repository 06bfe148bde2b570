"""The store learns who the client is: by IMAP ID, POP3 XCLIENT, or a PROXY header."""

import socket
import struct
import unittest

from rig.case import USERS, Case
from rig.dovecot import Dovecot
from rig.fake_store import imap, server_context
from rig.ground import wait_for
from rig.postern import pool


class Forwarding(Case):
    def only_login(self, store):
        """The client's address in Dovecot's log; Postern's own health checks do not log in."""
        wait_for(store.logins, what="a login in Dovecot's log")
        self.assertEqual(len(store.logins()), 1, store.log())
        return store.logins()[0]

    def session_of(self, postern, wire):
        """The session's id as Postern logs it, once the session is over."""
        local = wire.socket.getsockname()
        wire.close()
        return wait_for(lambda: [each["session"] for each in postern.records()
                                 if f"{local[0]}:{local[1]}" in str(each.get("client")) and "session" in each],
                        what="the session's log line")[-1]

    def test_id_tells_dovecot_the_address_and_the_session(self):
        store = Dovecot(self.ground, USERS)
        postern = self.start(store)
        wire = self.login(postern, "anna", USERS["anna"], source="127.0.0.55")
        login = self.only_login(store)
        self.assertEqual(login["rip"], "127.0.0.55")
        self.assertEqual(login["lip"], postern.address)
        self.assertEqual(login["session"], self.session_of(postern, wire))

    def test_xclient_tells_dovecot_the_address_and_the_session(self):
        store = Dovecot(self.ground, USERS)
        postern = self.start(store)
        wire = self.login_pop3(postern, "anna", USERS["anna"], source="127.0.0.56")
        login = self.only_login(store)
        self.assertEqual(login["rip"], "127.0.0.56")
        self.assertEqual(login["session"], self.session_of(postern, wire))

    def test_proxy_headers_tell_dovecot_the_address(self):
        for version in ("proxy_v1", "proxy_v2"):
            for protocol in ("imap", "pop3"):
                with self.subTest(version=version, protocol=protocol):
                    store = Dovecot(self.ground, USERS, name=f"{version}-{protocol}")
                    postern = self.start({"store": pool(
                        store, forward=[version], imap_port=store.haproxy_imap_port,
                        pop3_port=store.haproxy_pop3_port)}, name=f"{version}-{protocol}-postern")
                    login = self.login if protocol == "imap" else self.login_pop3
                    login(postern, "anna", USERS["anna"], source="127.0.0.57")
                    self.assertEqual(self.only_login(store)["rip"], "127.0.0.57")

    def test_a_proxy_header_comes_before_tls_and_once(self):
        address = self.ground.address()
        context = server_context(self.authority.issue(address))
        headers = []

        def behind_header(wire):
            header = wire.socket.recv(16, socket.MSG_WAITALL)
            if len(header) < 16:
                return  # a health check
            header += wire.socket.recv(struct.unpack("!H", header[14:16])[0], socket.MSG_WAITALL)
            headers.append(header)
            wire.secure(context, server_side=True)
            imap()(wire)

        store = self.fake({993: behind_header}, address=address)
        postern = self.start({"store": pool(store, forward=["proxy_v2"], tls="implicit", ca_file=self.authority.file,
                                            health={"check": "connect", "interval": "10m"})}, ready="/healthz")
        wire = self.login(postern, "anna", "some-secret", source="127.0.0.63")
        self.assertIn("OK NOOP", wire.ask("b NOOP")[-1])
        header = next(each for each in headers if each[16:20] == socket.inet_aton("127.0.0.63"))
        self.assertEqual(header[20:24], socket.inet_aton(postern.address))
        self.assertEqual(header[:14], b"\r\n\r\n\x00\r\nQUIT\n\x21\x11")

    def test_nothing_is_told_when_nothing_shall_be_forwarded(self):
        store = Dovecot(self.ground, USERS)
        postern = self.start({"store": pool(store, forward=[])})
        self.login(postern, "anna", USERS["anna"], source="127.0.0.58")
        self.assertNotEqual(self.only_login(store)["rip"], "127.0.0.58")

    def test_a_clients_own_claims_are_not_believed(self):
        store = Dovecot(self.ground, USERS)
        postern = self.start(store)
        wire = self.connect(postern, source="127.0.0.59")
        self.assertIn("OK", wire.ask('x ID ("name" "rig" "x-originating-ip" "192.0.2.66" "x-session-id" "forged")')[-1])
        self.assertIn("OK", wire.ask(f"a LOGIN anna {USERS['anna']}")[-1])
        login = self.only_login(store)
        self.assertEqual(login["rip"], "127.0.0.59")
        self.assertNotEqual(login["session"], "forged")

    def test_a_pop3_clients_own_xclient_is_not_believed(self):
        store = Dovecot(self.ground, USERS)
        postern = self.start(store)
        wire = self.connect(postern, port=995, source="127.0.0.60")
        wire.say("XCLIENT ADDR=192.0.2.66 SESSION=forged")
        wire.say("USER anna")
        self.assertTrue(wire.say(f"PASS {USERS['anna']}").startswith("+OK"))
        self.assertEqual(self.only_login(store)["rip"], "127.0.0.60")

    def test_a_trusted_proxys_claims_are_believed_and_passed_on(self):
        store = Dovecot(self.ground, USERS)
        postern = self.start(store, {"listen": {"imaps": {"trusted": ["127.0.0.61/32"]},
                                                "pop3s": {"trusted": ["127.0.0.61/32"]}}})
        wire = self.connect(postern, source="127.0.0.61")
        wire.ask('x ID ("x-originating-ip" "192.0.2.66" "x-originating-port" "1234" "x-session-id" "outer-1" '
                 '"x-proxy-ttl" "5")')
        self.assertIn("OK", wire.ask(f"a LOGIN anna {USERS['anna']}")[-1])
        login = self.only_login(store)
        self.assertEqual((login["rip"], login["session"]), ("192.0.2.66", "outer-1"))
        wire = self.connect(postern, port=995, source="127.0.0.61")
        self.assertTrue(wire.say("XCLIENT ADDR=192.0.2.67 PORT=1234 SESSION=outer-2 TTL=5").startswith("+OK"))
        wire.say("USER anna")
        self.assertTrue(wire.say(f"PASS {USERS['anna']}").startswith("+OK"))
        wait_for(lambda: len(store.logins()) == 2, what="the second login")
        self.assertEqual((store.logins()[1]["rip"], store.logins()[1]["session"]), ("192.0.2.67", "outer-2"))

    def test_hops_count_down_and_end(self):
        store = self.fake()
        postern = self.start(store, {"listen": {"imaps": {"trusted": ["127.0.0.62/32"]}}})
        wire = self.connect(postern, source="127.0.0.62")
        wire.ask('x ID ("x-proxy-ttl" "3")')
        self.assertIn("OK", wire.ask("a LOGIN anna hop-secret")[-1])
        self.assertTrue(store.saw('"x-proxy-ttl" "2"'))
        wire = self.connect(postern, source="127.0.0.62")
        wire.ask('x ID ("x-proxy-ttl" "1")')
        self.assertIn("NO [SERVERBUG]", wire.ask("a LOGIN anna loop-secret")[-1])
        self.assertFalse(store.saw("loop-secret"))

    def test_the_clients_own_id_goes_along(self):
        store = self.fake({143: imap()})
        postern = self.start(store)
        wire = self.connect(postern)
        wire.ask('x ID ("name" "rig" "version" "1.\\"2")')
        wire.ask("a LOGIN anna some-secret")
        self.assertTrue(store.saw('"name" "rig" "version" "1.\\"2"'))

    def test_a_backend_that_is_postern_itself_is_a_loop(self):
        address = self.ground.address()
        postern = self.start({"store": pool(backends={"self": address})}, {
            "admin": {"http": f"{address}:9993"},
            "listen": {"imaps": {"address": [f"{address}:993"]}, "imap": {"address": [f"{address}:143"]},
                       "pop3s": {"address": [f"{address}:995"]}, "pop3": {"address": [f"{address}:110"]}}})
        wire = self.connect(postern)
        self.assertIn("NO [SERVERBUG]", wire.ask("a LOGIN anna loop-secret")[-1])


if __name__ == "__main__":
    unittest.main()
