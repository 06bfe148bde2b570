"""An HTTP service that speaks nginx's auth_http decides who may log in and where to."""

import base64
import socket
import time
import unittest

from rig.case import Case, plain
from rig.certificates import Authority
from rig.fake_store import imap, pop3, server_context
from rig.ground import wait_for
from rig.http_service import MUTE, HttpService
from rig.postern import pool
from rig.wire import Wire

PASSWORD = "http-secret-1"
OTHER = "store-secret-2"
ODD = 'p\u00e4ss %41+"w\\ {3}\u00f6'
TOKEN = "ya29.token-secret-3"
UNAVAILABLE = "NO [UNAVAILABLE] Account is temporarily unavailable."
SYS_TEMP = "-ERR [SYS/TEMP] Account is temporarily unavailable."
OK = {"Auth-Status": "OK"}


def telling(name, imap_port=143, pop3_port=110):
    return {imap_port: imap(login=f"OK [CAPABILITY IMAP4rev1] {name}"), pop3_port: pop3(login=f"+OK {name}")}


class AuthHttp(Case):
    secrets = [PASSWORD, OTHER, ODD, TOKEN]

    def service(self, answer=OK):
        service = HttpService(self.ground, answer if callable(answer) else lambda request: answer)
        self.addCleanup(service.close)
        return service

    def run_with(self, service, pools, auth=None, http=None, name="postern", **changes):
        settings = {"by": "http", "http": {"url": service.url + "/auth?x=1", "timeout": "10s", **(http or {})}}
        return self.start(pools, {"auth": {**settings, **(auth or {})}, **changes}, name=name)

    def pop3(self, postern, user, password):
        wire = self.connect(postern, port=995)
        wire.say(f"USER {user}")
        return wire.say(f"PASS {password}")

    def test_the_service_is_asked_as_nginx_asks(self):
        service = self.service()
        postern = self.run_with(service, self.fake(), http={"headers": {"X-Auth-Key": "k1"}})
        imap_wire = self.connect(postern)
        self.assertIn("a OK", imap_wire.ask(f"a LOGIN anna {PASSWORD}")[-1])
        self.login(postern, "anna", PASSWORD)
        self.login_pop3(postern, "anna", PASSWORD)
        for request, protocol in zip(service.requests, ("imap", "imap", "pop3")):
            with self.subTest(protocol):
                self.assertEqual(request.line, "GET /auth?x=1 HTTP/1.1")
                names = [name for name in request.names if name not in ("Connection", "User-Agent", "Accept")]
                self.assertEqual(names, ["Host", "Auth-Method", "Auth-User", "Auth-Pass", "Auth-Protocol",
                                         "Auth-Login-Attempt", "Client-IP", "Auth-SSL", "Auth-SSL-Protocol",
                                         "Auth-SSL-Cipher", "X-Auth-Key"])
                expected = {"Host": f"{service.address}:{service.port}", "Auth-Method": "plain", "Auth-User": "anna",
                            "Auth-Pass": PASSWORD, "Auth-Protocol": protocol, "Auth-Login-Attempt": "1",
                            "Auth-SSL": "on", "Auth-SSL-Protocol": "TLSv1.3", "X-Auth-Key": "k1"}
                self.assertEqual({name: request[name] for name in expected}, expected)
        self.assertEqual(service.requests[0]["Client-IP"], imap_wire.socket.getsockname()[0])

    def test_the_client_is_the_one_of_the_proxy_header(self):
        service = self.service()
        postern = self.run_with(service, self.fake(),
                                listen={"imap": {"proxy_protocol": ["127.0.0.0/8"], "tls": "none"}})
        with Wire.connect(postern.address, 143) as wire:
            wire.send("PROXY TCP6 2001:db8::1 2001:db8::99 4242 993\r\n")
            wire.line()
            self.assertIn("a OK", wire.ask(f"a LOGIN anna {PASSWORD}")[-1])
        expected = {"Client-IP": "2001:db8::1", "Proxy-Protocol-Addr": "2001:db8::1", "Proxy-Protocol-Port": "4242",
                    "Proxy-Protocol-Server-Addr": "2001:db8::99", "Proxy-Protocol-Server-Port": "993"}
        self.assertEqual({name: service.requests[0][name] for name in expected}, expected)
        self.assertNotIn("Auth-SSL", service.requests[0].names)

    def test_a_service_behind_tls_has_to_prove_who_it_is(self):
        address = self.ground.address()
        service = HttpService(self.ground, lambda request: OK, address, server_context(self.authority.issue(address)))
        self.addCleanup(service.close)
        others = Authority(self.ground.path("others"), "Another CA")
        good = self.run_with(service, self.fake(), http={"ca_file": self.authority.file}, name="good")
        self.login(good, "anna", PASSWORD)
        bad = self.run_with(service, self.fake(), http={"ca_file": others.file}, name="bad")
        self.assertEqual(self.connect(bad).ask(f"a LOGIN anna {PASSWORD}")[-1], "a " + UNAVAILABLE)
        self.assertEqual(len(service.requests), 1)

    def test_every_octet_of_a_credential_arrives(self):
        """Escaped as nginx does, and what is beyond ASCII too unless nginx's own form is wanted."""
        full = "p%C3%A4ss%20%2541+\"w\\%20{3}%C3%B6"
        raw = full.replace("%C3%A4", "\u00e4").replace("%C3%B6", "\u00f6").encode().decode("latin-1")
        for escape, expected in (("full", full), ("nginx", raw)):
            with self.subTest(escape):
                service, store = self.service(), self.fake()
                postern = self.run_with(service, store, http={"escape": escape}, name=escape)
                self.login(postern, "d\u00f6ra", ODD)
                self.assertEqual(service.requests[-1]["Auth-Pass"], expected)
                self.assertTrue(store.saw(ODD))
                wire = self.connect(postern)
                wire.ask(f"a LOGIN dora {{{len(ODD.encode())}}}")
                wire.send_lines(ODD)
                self.assertTrue(wire.lines_until("a ")[-1].startswith("a OK"))
                self.assertEqual(service.requests[-1]["Auth-Pass"], expected)

    def test_the_service_chooses_a_backend_of_the_pool(self):
        one, two = self.fake(telling("one"), name="one"), self.fake(telling("two"), name="two")
        chosen = {}
        service = self.service(lambda request: {
            **OK, "Auth-Server": chosen[request["Auth-User"]].address,
            "Auth-Port": "143" if request["Auth-Protocol"] == "imap" else "110"})
        postern = self.run_with(service, [one, two])
        for turn, store in enumerate((one, two, two, one)):
            chosen[f"user{turn}"] = store
            self.assertIn(store.name, self.login(postern, f"user{turn}", PASSWORD).welcome)
            self.assertIn(store.name, self.login_pop3(postern, f"user{turn}", PASSWORD).welcome)

    def test_the_service_names_pool_and_backend(self):
        one, two, three = (self.fake(telling(name), name=name) for name in ("one", "two", "three"))
        service = self.service({**OK, "Auth-Pool": "other", "Auth-Backend": "three"})
        postern = self.run_with(service, {"main": pool(one), "other": pool(two, three)})
        self.assertIn("three", self.login(postern, "anna", PASSWORD).welcome)
        service.answer = lambda request: {**OK, "Auth-Pool": "nowhere"}
        self.assertEqual(self.connect(postern).ask(f"a LOGIN anna {PASSWORD}")[-1],
                         "a NO [SERVERBUG] Account is temporarily unavailable.")
        self.assertIn("nowhere", postern.wait_for_record(fault="lookup_invalid")["detail"])

    def test_a_foreign_store_is_used_inside_allowed_hosts_only(self):
        member = self.fake(telling("member"), name="member")
        foreign = self.fake(telling("foreign", 2143, 2110), name="foreign")
        barred = self.fake(telling("barred", 2143, 2110), name="barred")
        service = self.service(lambda request: {
            **OK, "Auth-Server": (foreign if request["Auth-User"] == "anna" else barred).address,
            "Auth-Port": "2143" if request["Auth-Protocol"] == "imap" else "2110"})
        postern = self.run_with(service, member, {"allowed_hosts": [foreign.address + "/32"]})
        self.assertIn("foreign", self.login(postern, "anna", PASSWORD).welcome)
        self.assertIn("foreign", self.login_pop3(postern, "anna", PASSWORD).welcome)
        self.assertEqual(self.connect(postern).ask(f"a LOGIN dora {PASSWORD}")[-1],
                         "a NO [SERVERBUG] Account is temporarily unavailable.")
        self.assertEqual(self.pop3(postern, "dora", PASSWORD),
                         "-ERR [SYS/PERM] Account is temporarily unavailable.")
        wait_for(lambda: len(postern.records(msg="login_refused", fault="host_not_allowed")) == 2, what="both logged")
        self.assertEqual(barred.connections, [])
        self.assertFalse(member.saw(PASSWORD))

    def test_a_name_cannot_lead_outside_allowed_hosts(self):
        postern = self.run_with(self.service({**OK, "Auth-Server": "localhost", "Auth-Port": "2143"}), self.fake(),
                                {"allowed_hosts": ["192.0.2.0/24"]})
        self.assertIn("a NO [SERVERBUG]", self.connect(postern).ask(f"a LOGIN anna {PASSWORD}")[-1])
        postern.wait_for_record(msg="login_refused", fault="host_not_allowed")

    def test_user_and_password_for_the_store_come_from_the_service(self):
        store = self.fake()
        postern = self.run_with(self.service({**OK, "Auth-User": "box17", "Auth-Pass": OTHER}), store)
        self.login(postern, "anna", PASSWORD)
        self.login_pop3(postern, "anna", PASSWORD)
        self.assertTrue(store.saw(f'LOGIN "box17" "{OTHER}"'))
        self.assertTrue(store.saw(f"USER box17\r\nPASS {OTHER}"))
        for known in ("anna", PASSWORD, plain("anna", PASSWORD)):
            self.assertFalse(store.saw(known))

    def test_a_refusal_has_the_services_words_and_ends_the_session(self):
        store = self.fake()
        postern = self.run_with(self.service({"Auth-Status": "Unpaid bill"}), store)
        wire = self.connect(postern)
        self.assertEqual(wire.ask(f"a LOGIN anna {PASSWORD}")[-1], "a NO [AUTHENTICATIONFAILED] Unpaid bill")
        self.assertTrue(wire.line().startswith("* BYE "))
        self.assertTrue(wire.closed())
        wire = self.connect(postern, port=995)
        wire.say("USER anna")
        self.assertEqual(wire.say(f"PASS {PASSWORD}"), "-ERR [AUTH] Unpaid bill")
        self.assertTrue(wire.closed())
        self.assertFalse(store.saw(PASSWORD))

    def test_a_refusal_with_a_wait_lets_the_client_try_again(self):
        service = self.service({"Auth-Status": "No", "Auth-Wait": "1"})
        postern = self.run_with(service, self.fake())
        wire = self.connect(postern)
        before = time.monotonic()
        self.assertEqual(wire.ask(f"a LOGIN anna {PASSWORD}")[-1], "a NO [AUTHENTICATIONFAILED] No")
        self.assertGreaterEqual(time.monotonic() - before, 1)
        service.answer = lambda request: OK
        self.assertIn("b OK", wire.ask(f"b LOGIN anna {PASSWORD}")[-1])
        self.assertEqual([request["Auth-Login-Attempt"] for request in service.requests], ["1", "2"])

    def test_a_service_that_asks_for_patience_is_asked_again(self):
        service = self.service()
        service.answer = lambda request: {"Auth-Status": "WAIT"} if len(service.requests) < 3 else OK
        self.login(self.run_with(service, self.fake()), "anna", PASSWORD)
        self.assertEqual(len(service.requests), 3)

    def test_a_service_that_fails_is_never_a_wrong_password(self):
        service = self.service()
        store, expected = self.fake(), []
        postern = self.run_with(service, store, http={"timeout": "2s"})

        def check(fault):
            wire = self.connect(postern)
            self.assertEqual(wire.ask(f"a LOGIN anna {PASSWORD}")[-1], "a " + UNAVAILABLE)
            self.assertTrue(wire.ask("b NOOP")[-1].startswith("b OK"), "the client may try again")
            self.assertEqual(self.pop3(postern, "anna", PASSWORD), SYS_TEMP)
            wait_for(lambda: len(postern.records(msg="login_refused")) == len(expected) + 2, what="two refusals")
            expected.extend([fault, fault])
            self.assertEqual([record["fault"] for record in postern.records(msg="login_refused")], expected)

        for name, answer, fault in (("mute", MUTE, "auth_unavailable"), ("500", (500, {}, b""), "auth_unavailable"),
                                    ("no status", {}, "auth_protocol"),
                                    ("half a place", {**OK, "Auth-Server": "127.0.0.1"}, "auth_protocol")):
            with self.subTest(name):
                service.answer = lambda request, answer=answer: answer
                check(fault)
        with self.subTest("down"):
            service.close()
            check("auth_unavailable")
        self.assertFalse(store.saw(PASSWORD))
        service.start()
        service.answer = lambda request: OK
        self.login(postern, "anna", PASSWORD)

    def test_connections_are_kept_and_a_lost_one_is_made_anew(self):
        service = self.service()
        postern = self.run_with(service, self.fake(), server={"workers": 1})
        for _ in range(5):
            self.login(postern, "anna", PASSWORD)
        self.assertEqual(len({request.connection for request in service.requests}), 1)
        for each in service.connections:
            each.shutdown(socket.SHUT_RDWR)
        self.login(postern, "anna", PASSWORD)
        self.assertEqual(len({request.connection for request in service.requests}), 2)

    def test_a_token_goes_to_the_service_and_its_error_to_the_client(self):
        error = '{"status":"invalid_token"}'
        service = self.service({"Auth-Status": "Expired", "Auth-Wait": "1",
                                "Auth-Error-SASL": base64.b64encode(error.encode()).decode()})
        store = self.fake()
        postern = self.run_with(service, store, {"mechanisms": ["plain", "xoauth2"]})
        wire = self.connect(postern)
        self.assertIn("AUTH=XOAUTH2", wire.ask("c CAPABILITY")[0])
        message = base64.b64encode(f"user=anna\1auth=Bearer {TOKEN}\1\1".encode()).decode()
        challenge = wire.ask(f"a AUTHENTICATE XOAUTH2 {message}")[-1]
        self.assertEqual(base64.b64decode(challenge.removeprefix("+ ")).decode(), error)
        wire.send_lines("")
        self.assertEqual(wire.line(), "a NO [AUTHENTICATIONFAILED] Expired")
        request = service.requests[-1]
        self.assertEqual((request["Auth-Method"], request["Auth-User"], request["Auth-Pass"]),
                         ("xoauth2", "anna", TOKEN))
        service.answer = lambda request: {**OK, "Auth-User": "box17", "Auth-Pass": OTHER}
        self.assertIn("b OK", wire.ask(f"b AUTHENTICATE XOAUTH2 {message}")[-1])
        self.assertTrue(store.saw(f'LOGIN "box17" "{OTHER}"'))
        self.assertFalse(store.saw(TOKEN))

    def test_a_mute_service_is_asked_so_many_questions_and_no_more(self):
        service = self.service()
        postern = self.run_with(service, self.fake(), http={"in_flight": 20, "timeout": "8s"},
                                limits={"prelogin_per_address": 0})
        live = self.login(postern, "anna", PASSWORD)
        service.answer = lambda request: MUTE
        service.requests.clear()
        clients = [self.connect(postern) for _ in range(300)]
        for number, client in enumerate(clients):
            client.send_lines(f"a LOGIN user{number} {PASSWORD}")
        wait_for(lambda: len(postern.records(msg="login_refused")) >= 260, what="260 refusals at once")
        self.assertLessEqual(len(service.requests), 40)
        before = time.monotonic()
        self.assertIn("n OK", live.ask("n NOOP")[-1])
        self.assertLess(time.monotonic() - before, 1)
        for client in clients:
            self.assertEqual(client.line(), "a " + UNAVAILABLE)
        self.assertEqual(len(service.requests), 40)


if __name__ == "__main__":
    unittest.main()
