"""Dovecot's own authentication service decides who may log in, by what mechanism and where to."""

import unittest

from rig import dovecot, sasl
from rig.case import USERS, Case, message, plain
from rig.dovecot import Dovecot
from rig.dovecot_auth import DovecotAuth
from rig.fake_store import imap, pop3
from rig.ground import wait_for
from rig.postern import pool

FRONT = {"anna": "front-secret-1", "bert@example.org": 'front "secret\\ 2', "dora": "front-secret-3"}
UNAVAILABLE = "NO [UNAVAILABLE] Account is temporarily unavailable."
SERVERBUG = "NO [SERVERBUG] Account is temporarily unavailable."
REFUSED = "NO [AUTHENTICATIONFAILED] Authentication failed."
CHALLENGED = ["plain", "login", "cram-md5", "scram-sha-256"]
OFFERED = [name.upper() for name in CHALLENGED]


def telling(name, imap_port=143, pop3_port=110):
    return {imap_port: imap(login=f"OK [CAPABILITY IMAP4rev1] {name}"), pop3_port: pop3(login=f"+OK {name}")}


class AuthDovecot(Case):
    secrets = [*FRONT.values(), *USERS.values(), dovecot.MASTER_PASSWORD]

    def service(self, users=None, mechanisms="plain login cram-md5 scram-sha-256"):
        return DovecotAuth(self.ground, {**FRONT, **(users or {})}, mechanisms)

    def run_with(self, service, pools, auth=None, **changes):
        settings = {"by": "dovecot", "dovecot": {"socket": service.socket, "timeout": "5s"}}
        return self.start(pools, {"auth": {**settings, **(auth or {})}, **changes})

    def master(self, *stores, **changes):
        """The pool of a store that knows other passwords than the clients."""
        return pool(*stores, login="master", master_user=dovecot.MASTER_USER,
                    master_password_file=self.ground.write("master", dovecot.MASTER_PASSWORD, 0o600), **changes)

    def start_scram(self, postern, user, password, port=993):
        """Up to the server's last message, which the client believes."""
        wire, scram = self.connect_offered(postern, *OFFERED, port=port), sasl.ScramSha256(user, password)
        command = "AUTH SCRAM-SHA-256" if port == 995 else "a AUTHENTICATE SCRAM-SHA-256"
        wire.send_lines(f"{command} {sasl.encode(scram.first)}")
        wire.send_lines(sasl.encode(scram.final(sasl.decode(wire.line()))))
        return wire, scram

    def scram(self, postern, user, password, port=993):
        wire, scram = self.start_scram(postern, user, password, port)
        self.assertTrue(scram.believes(sasl.decode(wire.line())))
        wire.send_lines("")
        return wire, self.verdict(wire, port)

    def cram(self, postern, user, password, port=993):
        wire = self.connect_offered(postern, *OFFERED, port=port)
        wire.send_lines("AUTH CRAM-MD5" if port == 995 else "a AUTHENTICATE CRAM-MD5")
        wire.send_lines(sasl.encode(sasl.cram_md5(user, password, sasl.decode(wire.line()))))
        return wire, self.verdict(wire, port)

    def verdict(self, wire, port=993):
        return wire.line() if port == 995 else wire.lines_until("a ")[-1]

    def test_a_socket_that_the_user_may_not_open_is_told_from_the_first_login(self):
        """Not only when the connection that root has made is renewed."""
        service = self.service()
        postern = self.run_with(service, self.fake(), server={"user": "nobody"})
        self.assertEqual(self.connect(postern).ask(f"a LOGIN anna {FRONT['anna']}")[-1], f"a {UNAVAILABLE}")
        self.assertIn("Permission denied", postern.wait_for_record(msg="login_refused")["detail"])

    def test_passwords_are_checked_by_the_service(self):
        store = self.fake()
        postern = self.run_with(self.service(), store)
        for user, password in FRONT.items():
            with self.subTest(user):
                self.login(postern, user, password)
                self.login_pop3(postern, user, password)
        wire = self.connect(postern)
        self.assertEqual(wire.ask("a AUTHENTICATE LOGIN"), ["+ VXNlcm5hbWU6"])
        self.assertEqual(wire.ask(sasl.encode("anna")), ["+ UGFzc3dvcmQ6"])
        wire.send_lines(sasl.encode(FRONT["anna"]))
        self.assertIn("a OK", wire.lines_until("a ")[-1])
        before = len(store.connections)
        wire = self.connect(postern)
        self.assertEqual(wire.ask("a LOGIN anna wrong")[-1], "a " + REFUSED)
        self.assertEqual(wire.ask("b LOGIN nobody wrong")[-1], "b " + REFUSED)
        wire = self.connect(postern, port=995)
        wire.say("USER anna")
        self.assertEqual(wire.say("PASS wrong"), "-ERR [AUTH] Authentication failed.")
        self.assertFalse(any(each.received.count(b"wrong") for each in store.connections))

    def test_challenges_are_relayed_and_the_store_is_a_real_one(self):
        store = Dovecot(self.ground, USERS)
        store.deliver("anna", message("for anna"))
        postern = self.run_with(self.service(), {"store": self.master(store)}, {"mechanisms": CHALLENGED})
        for way in (self.cram, self.scram):
            with self.subTest(way.__name__):
                wire, answer = way(postern, "anna", FRONT["anna"])
                self.assertTrue(answer.startswith("a OK"), answer)
                self.assertIn("Subject: for anna", wire.ask("b SELECT INBOX") + wire.ask("c FETCH 1 (BODY[HEADER])"))
                wire, answer = way(postern, "anna", FRONT["anna"], port=995)
                self.assertTrue(answer.startswith("+OK"), answer)
                self.assertTrue(wire.say("STAT").startswith("+OK 1 "))
        for login in wait_for(lambda: len(store.logins()) == 4 and store.logins(), what="four logins"):
            self.assertIn("anna", login["user"])

    def test_a_wrong_proof_is_refused_and_the_next_one_may_be_right(self):
        postern = self.run_with(self.service(), {"store": self.master(self.fake())}, {"mechanisms": CHALLENGED})
        wire, answer = self.cram(postern, "anna", "wrong")
        self.assertEqual(answer, "a " + REFUSED)
        self.assertIn("b OK", wire.ask(f"b LOGIN anna {FRONT['anna']}")[-1])
        wire, _ = self.start_scram(postern, "anna", "wrong")
        self.assertEqual(wire.line(), "a " + REFUSED)
        self.assertIn("b OK", wire.ask(f"b LOGIN anna {FRONT['anna']}")[-1])

    def test_a_client_may_break_off_a_challenge(self):
        postern = self.run_with(self.service(), {"store": self.master(self.fake())}, {"mechanisms": CHALLENGED})
        wire = self.connect_offered(postern, *OFFERED)
        wire.ask("a AUTHENTICATE CRAM-MD5")
        wire.send_lines("*")
        self.assertTrue(wire.line().startswith("a BAD"))
        self.assertIn("b OK", wire.ask(f"b LOGIN anna {FRONT['anna']}")[-1])

    def test_the_password_for_the_store_comes_from_the_service(self):
        store = Dovecot(self.ground, USERS)
        service = self.service({"dora": (FRONT["dora"], f"pass={USERS['dora']}")})
        postern = self.run_with(service, store, {"mechanisms": CHALLENGED})
        _, answer = self.scram(postern, "dora", FRONT["dora"])
        self.assertTrue(answer.startswith("a OK"), answer)
        _, answer = self.scram(postern, "anna", FRONT["anna"])
        self.assertEqual(answer, "a " + SERVERBUG)
        postern.wait_for_record(msg="login_refused", user="anna", fault="no_store_password")

    def test_proxy_fields_steer_the_login(self):
        member = self.fake(telling("member"), name="member")
        foreign = self.fake(telling("foreign", 2143, 2143 - 33), name="foreign")
        secure = Dovecot(self.ground, USERS, name="secure", certificate=self.store_certificate)
        service = self.service({
            "port": ("front-secret-4", f"proxy=y host={foreign.address} port=2143 destuser=box17 pass=box-secret"),
            "member": ("front-secret-4", f"proxy=y host={member.address}"),
            "tls": ("front-secret-4", f"proxy=y host={secure.address} port=993 ssl=any-cert destuser=anna "
                                      f"pass={USERS['anna']}"),
            "starttls": ("front-secret-4", f"proxy=y host={secure.address} port=143 starttls=any-cert destuser=anna "
                                           f"pass={USERS['anna']}"),
            "verified": ("front-secret-4", f"proxy=y host={secure.address} port=993 ssl=yes destuser=anna "
                                           f"pass={USERS['anna']}"),
            "master": ("front-secret-4", f"proxy=y host={secure.address} destuser=dora master={dovecot.MASTER_USER} "
                                         f"pass={dovecot.MASTER_PASSWORD}"),
            "outside": ("front-secret-4", "proxy=y host=127.0.0.1 port=2143"),
            "referral": ("front-secret-4", f"host={foreign.address} port=2143")})
        postern = self.run_with(service, member, {"allowed_hosts": [f"{foreign.address}/32", f"{secure.address}/32"]})

        def login(user):
            return self.connect(postern).ask(f"a LOGIN {user} front-secret-4")[-1]

        self.assertTrue(login("port").endswith("foreign"))
        self.assertTrue(foreign.saw('LOGIN "box17" "box-secret"'))
        self.assertTrue(login("member").endswith("member"))
        self.assertTrue(login("referral").endswith("member"), "without proxy it is a referral, which is ignored")
        for user, name, tls in (("tls", "anna", True), ("starttls", "anna", True), ("master", "dora", False)):
            with self.subTest(user):
                self.assertTrue(login(user).startswith("a OK"), postern.log()[-2000:])
                found = wait_for(lambda: [each for each in secure.logins() if name in each["user"]], what=name)[-1]
                self.assertEqual(found["tls"], tls)
        self.assertEqual(login("verified"), "a " + UNAVAILABLE)
        postern.wait_for_record(msg="login_refused", user="verified", fault="store_tls")
        self.assertEqual(login("outside"), "a " + SERVERBUG)
        postern.wait_for_record(msg="login_refused", user="outside", fault="host_not_allowed")

    def test_a_closed_account_is_refused_with_its_reason(self):
        store = self.fake()
        service = self.service({"closed": ("front-secret-4", "nologin=y reason=Moved_to_the_archive")})
        postern = self.run_with(service, store)
        wire = self.connect(postern)
        self.assertEqual(wire.ask("a LOGIN closed front-secret-4")[-1], "a NO [CONTACTADMIN] Moved_to_the_archive")
        self.assertEqual(wire.ask("b LOGIN closed wrong")[-1], "b " + REFUSED)
        self.assertFalse(store.saw("closed"))

    def test_the_service_names_pool_and_backend(self):
        one, two, three = (self.fake(telling(name), name=name) for name in ("one", "two", "three"))
        service = self.service({"pooled": ("front-secret-4", "pool=other backend=three"),
                                "lost": ("front-secret-4", "pool=nowhere")})
        postern = self.run_with(service, {"main": pool(one), "other": pool(two, three)})
        self.assertTrue(self.login(postern, "pooled", "front-secret-4").welcome.endswith("three"))
        self.assertTrue(self.login(postern, "anna", FRONT["anna"]).welcome.endswith("one"))
        self.assertEqual(self.connect(postern).ask("a LOGIN lost front-secret-4")[-1], "a " + SERVERBUG)
        postern.wait_for_record(msg="login_refused", fault="lookup_invalid")

    def test_mechanisms_are_what_the_service_offered_last(self):
        """While it is away nobody is to fall back on a weaker mechanism: an outage is told as one."""
        service = self.service(mechanisms="plain login cram-md5")
        postern = self.run_with(service, {"store": self.master(self.fake())},
                                {"mechanisms": ["plain", "cram-md5", "scram-sha-256"]}, server={"workers": 1})
        self.connect_offered(postern, "PLAIN", "CRAM-MD5")
        service.stop()
        wire = self.connect_offered(postern, "PLAIN", "CRAM-MD5")
        self.assertEqual(wire.ask("a AUTHENTICATE CRAM-MD5")[-1], "a " + UNAVAILABLE)
        service.start("plain login scram-sha-256")
        self.connect_offered(postern, "PLAIN", "SCRAM-SHA-256")

    def test_the_service_may_go_and_come_back(self):
        service = self.service()
        postern = self.run_with(service, self.fake())
        live = self.login(postern, "anna", FRONT["anna"])
        service.stop()
        wire = self.connect(postern)
        self.assertEqual(wire.ask(f"a LOGIN anna {FRONT['anna']}")[-1], "a " + UNAVAILABLE)
        postern.wait_for_record(msg="login_refused", fault="auth_unavailable", blame="source")
        self.assertIn("n OK", live.ask("n NOOP")[-1])
        service.start("plain login")
        self.assertIn("b OK", wire.ask(f"b LOGIN anna {FRONT['anna']}")[-1])
        self.assertIn("o OK", live.ask("o NOOP")[-1])

    def test_another_identity_is_the_services_to_refuse(self):
        postern = self.run_with(self.service(), self.fake())
        answer = self.connect(postern).ask(f"a AUTHENTICATE PLAIN {plain('anna', FRONT['anna'], 'dora')}")[-1]
        self.assertTrue(answer.startswith("a NO [AUTH"), answer)


if __name__ == "__main__":
    unittest.main()
