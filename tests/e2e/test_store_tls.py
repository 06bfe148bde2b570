"""TLS towards the stores: done as configured, or no credentials at all."""

import socket
import unittest

from rig.case import USERS, Case, plain
from rig.certificates import Authority
from rig.cyrus import Cyrus
from rig.dovecot import Dovecot
from rig.fake_store import FakeStore, imap, pop3, server_context
from rig.ground import wait_for
from rig.postern import pool

UNAVAILABLE = "NO [UNAVAILABLE] Account is temporarily unavailable."
SERVERBUG = "NO [SERVERBUG] Account is temporarily unavailable."
SYS_TEMP = "-ERR [SYS/TEMP] Account is temporarily unavailable."
SYS_PERM = "-ERR [SYS/PERM] Account is temporarily unavailable."

# Not the health check shall refuse the store, but the login.
NO_CHECKS = {"check": "connect", "interval": "10m"}


class RealStores(Case):
    def store(self, kind):
        """Its certificate names its address."""
        address = self.ground.address()
        return kind(self.ground, USERS, certificate=self.authority.issue(address), address=address)

    def check(self, store, tls):
        postern = self.start({"store": pool(store, tls=tls, ca_file=self.authority.file)})
        for user, password in USERS.items():
            with self.subTest(user):
                self.login(postern, user, password)
                self.login_pop3(postern, user, password)

    def test_dovecot_with_implicit_tls(self):
        store = self.store(Dovecot)
        self.check(store, "implicit")
        wait_for(lambda: len(store.logins()) == 2 * len(USERS), what="all logins")
        self.assertTrue(all(login["tls"] for login in store.logins()), store.log())

    def test_dovecot_with_starttls(self):
        store = self.store(Dovecot)
        self.check(store, "starttls")
        wait_for(lambda: len(store.logins()) == 2 * len(USERS), what="all logins")
        self.assertTrue(all(login["tls"] for login in store.logins()), store.log())

    def test_cyrus_with_starttls(self):
        self.check(self.store(Cyrus), "starttls")

    def test_sessions_are_resumed(self):
        postern = self.start({"store": pool(self.store(Dovecot), tls="implicit", ca_file=self.authority.file,
                                            health=NO_CHECKS)}, {"server": {"workers": 1}})
        for _ in range(5):
            self.login(postern, "anna", USERS["anna"])
        self.assertGreaterEqual(postern.metric("postern_backend_tls_handshakes_total", resumed="yes"), 3)


class Policy(Case):
    """What does not meet the policy never sees a credential, whatever it says."""

    password = "credential-secret-9"
    secrets = [password]

    def store(self, certificate=None, address=None, imap_port=143, **imap_settings):
        if certificate:
            context = server_context(certificate)
            settings = {"greeting": "* OK [CAPABILITY IMAP4rev1 STARTTLS ID AUTH=PLAIN] fake", "starttls": context}
            scripts = {993: behind_tls(context, imap()), 995: behind_tls(context, pop3()),
                       110: pop3(greeting="+OK fake", starttls=context)}
        else:
            settings, scripts = {}, {110: pop3()}
        scripts[imap_port] = imap(**{**settings, **imap_settings})
        store = self.fake(scripts, address=address)
        return store

    def postern(self, store, name="postern", **settings):
        return self.start({"store": pool(store, **{"ca_file": self.authority.file, "health": NO_CHECKS, **settings})},
                          name=name, ready="/healthz")

    def refused(self, store, postern, imap_answer, pop3_answer, fault):
        wire = self.connect(postern)
        self.assertEqual(wire.ask(f"a LOGIN anna {self.password}")[-1], f"a {imap_answer}")
        self.assertEqual(wire.ask(f"b AUTHENTICATE PLAIN {plain('anna', self.password)}")[-1], f"b {imap_answer}")
        self.assertIn("c OK", wire.ask("c LOGOUT")[-1], "the client stays connected")
        if pop3_answer:
            wire = self.connect(postern, port=995)
            wire.say("USER anna")
            self.assertEqual(wire.say(f"PASS {self.password}"), pop3_answer)
        self.assertFalse(store.saw(self.password))
        self.assertFalse(store.saw(plain("anna", self.password)))
        self.assertGreaterEqual(postern.metric("postern_login_faults_total", fault=fault), 2)

    def test_a_bad_certificate_is_refused(self):
        stranger = Authority(self.ground.path("stranger"), "Stranger CA")
        bad = {"expired": lambda address: self.authority.issue(address, file=f"{address}-expired", expired=True),
               "wrong-name": lambda address: self.authority.issue("other.test"),
               "unknown-authority": stranger.issue}
        for kind, issue in bad.items():
            for tls in ("starttls", "implicit"):
                with self.subTest(kind=kind, tls=tls):
                    address = self.ground.address()
                    store = self.store(issue(address), address)
                    postern = self.postern(store, f"{kind}-{tls}", tls=tls)
                    self.refused(store, postern, UNAVAILABLE, SYS_TEMP, "store_tls")

    def test_a_certificate_is_not_checked_when_told_so(self):
        store = self.store(self.authority.issue("other.test"))
        postern = self.postern(store, tls="starttls", verify=False, ca_file="")
        self.login(postern, "anna", self.password)
        self.login_pop3(postern, "anna", self.password)

    def test_a_store_named_in_the_configuration_is_checked_by_that_name(self):
        certificates = {"good": self.authority.issue("localhost"), "bad": self.authority.issue("127.0.0.1")}
        for name, certificate in certificates.items():
            with self.subTest(name):
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", 0))
                    port = probe.getsockname()[1]
                store = FakeStore(self.ground, {port: behind_tls(server_context(certificate), imap())},
                                  address="127.0.0.1")
                self.addCleanup(store.close)
                postern = self.postern(store, name, tls="implicit", imap_port=port, backends={"fake": "localhost"})
                if name == "good":
                    self.login(postern, "anna", self.password)
                else:
                    self.refused(store, postern, UNAVAILABLE, None, "store_tls")

    def test_starttls_that_is_not_offered_is_refused(self):
        store = self.store()
        self.refused(store, self.postern(store, tls="starttls"), SERVERBUG, SYS_PERM, "store_no_tls")

    def test_starttls_answered_with_anything_but_success_is_refused(self):
        greeting = "* OK [CAPABILITY IMAP4rev1 STARTTLS AUTH=PLAIN] fake"
        cases = {
            "no": ("{tag} NO not now\r\n", SERVERBUG, "store_no_tls"),
            "bad": ("{tag} BAD what\r\n", SERVERBUG, "store_no_tls"),
            "continuation": ("+ go on\r\n", UNAVAILABLE, "store_protocol"),
            "bye": ("* BYE enough\r\n", UNAVAILABLE, "store_timeout"),
        }
        for kind, (answer, due, fault) in cases.items():
            with self.subTest(kind):
                store = self.store(greeting=greeting, starttls=answer)
                self.refused(store, self.postern(store, kind, tls="starttls"), due, None, fault)

    def test_answers_slipped_in_before_tls_are_thrown_away_or_refused(self):
        """CVE-2011-0411 the other way round: what a store, or someone between, says in clear text behind the OK."""
        context = server_context(self.authority.issue("slip.test"))

        def slipping(wire):
            wire.send_lines("* OK [CAPABILITY IMAP4rev1 STARTTLS AUTH=PLAIN] fake")
            tag = wire.line().split(" ")[0]
            wire.send_lines(f"{tag} OK begin", "L OK [CAPABILITY IMAP4rev1 EVIL] logged in", "C OK done")
            wire.secure(context, server_side=True)
            imap(greeting="")(wire)

        store = self.fake({143: slipping})
        postern = self.postern(store, tls="starttls", verify=False, ca_file="")
        wire = self.connect(postern)
        answer = wire.ask(f"a LOGIN anna {self.password}")
        self.assertNotIn("EVIL", "".join(answer))
        self.assertIn("NO [UNAVAILABLE]", answer[-1])

    def test_a_preauth_greeting_does_not_get_around_starttls(self):
        store = self.store(greeting="* PREAUTH [CAPABILITY IMAP4rev1 STARTTLS] fake")
        self.refused(store, self.postern(store, tls="starttls"), UNAVAILABLE, None, "store_protocol")

    def test_logindisabled_in_clear_text_is_refused(self):
        store = self.store(greeting="* OK [CAPABILITY IMAP4rev1 LOGINDISABLED] fake")
        self.refused(store, self.postern(store, ca_file=""), SERVERBUG, None, "store_login_disabled")


def behind_tls(context, script):
    def run(wire):
        wire.secure(context, server_side=True)
        script(wire)
    return run


if __name__ == "__main__":
    unittest.main()
