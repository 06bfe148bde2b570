"""Bearer tokens that the store checks: Postern hands on the client's message, and the store's error to the client."""

import base64
import unittest

from rig import sasl
from rig.case import Case
from rig.fake_store import imap, pop3
from rig.ground import wait_for
from rig.postern import pool

TOKEN = "ya29.a0-token-secret_1"
ERROR = '{"status":"invalid_token","scope":"mail"}'
MESSAGES = {"XOAUTH2": f"user=anna\1auth=Bearer {TOKEN}\1\1",
            "OAUTHBEARER": f"n,a=anna,\1host=mail.test\1port=993\1auth=Bearer {TOKEN}\1\1"}
SAID = {"XOAUTH2": "", "OAUTHBEARER": "AQ=="}  # what a client answers to the error
BOTH = ("PLAIN", "LOGIN", "XOAUTH2", "OAUTHBEARER")


def greeting(mechanisms="XOAUTH2 OAUTHBEARER", more="SASL-IR"):
    words = " ".join("AUTH=" + name for name in mechanisms.split())
    return f"* OK [CAPABILITY IMAP4rev1 {more} ID AUTH=PLAIN {words}] ready"


def refusing(final):
    """Sends the error as a challenge, keeps the client's answer to it, and refuses."""
    def login(wire, tag):
        wire.send_lines("+ " + sasl.encode(ERROR))
        wire.store.answers.append(wire.line())
        wire.send_lines(final.format(tag=tag))
        wire.rest()
    return login


class OauthStore(Case):
    secrets = [TOKEN]

    def store(self, name="fake", mechanisms="XOAUTH2 OAUTHBEARER", more="SASL-IR", imap_login=None, pop3_login=None):
        offers = greeting(mechanisms, more)
        store = self.fake({143: imap(greeting=offers, capability=offers.split("[CAPABILITY ")[1].split("]")[0],
                                     **({"login": imap_login} if imap_login else {})),
                           110: pop3(mechanisms=f"PLAIN {mechanisms}",
                                     **({"login": pop3_login} if pop3_login else {}))}, name=name)
        store.answers = []
        return store

    def run_with(self, *stores, name="postern"):
        return self.start({"store": pool(*stores, health={"interval": "100ms"})}, {
            "auth": {"by": "store", "mechanisms": ["plain", "login", "xoauth2", "oauthbearer"]}}, name=name)

    def test_a_store_that_takes_the_token_lets_its_owner_in(self):
        for more in ("SASL-IR", ""):
            store = self.store(more=more)
            postern = self.run_with(store, name=f"postern{more}")
            for mechanism, text in MESSAGES.items():
                with self.subTest(mechanism, more=more):
                    wire = self.connect_offered(postern, *BOTH)
                    wire.send_lines(f"a AUTHENTICATE {mechanism} {sasl.encode(text)}")
                    self.assertTrue(wire.lines_until("a ")[-1].startswith("a OK"))
                    self.assertTrue(store.saw(sasl.encode(text)), "octet for octet")
                    self.assertIn("n OK", wire.ask("n NOOP")[-1])
                    wire = self.connect_offered(postern, *BOTH, port=995)
                    self.assertTrue(wire.say(f"AUTH {mechanism} {sasl.encode(text)}").startswith("+OK"))

    def test_the_stores_error_reaches_the_client_and_its_answer_the_store(self):
        store = self.store(imap_login=refusing("{tag} NO [AUTHENTICATIONFAILED] expired"),
                           pop3_login=refusing("-ERR [AUTH] expired"))
        postern = self.run_with(store)
        for mechanism, text in MESSAGES.items():
            with self.subTest(mechanism):
                wire = self.connect_offered(postern, *BOTH)
                error = wire.ask(f"a AUTHENTICATE {mechanism} {sasl.encode(text)}")[-1]
                self.assertEqual(base64.b64decode(error.removeprefix("+ ")).decode(), ERROR)
                wire.send_lines(SAID[mechanism])
                self.assertEqual(wire.line(), "a NO [AUTHENTICATIONFAILED] Authentication failed.")
                self.assertEqual(store.answers.pop(), SAID[mechanism])
                self.assertTrue(wire.ask("n NOOP")[-1].startswith("n OK"), "the client may try again")
                wire = self.connect_offered(postern, *BOTH, port=995)
                error = wire.say(f"AUTH {mechanism} {sasl.encode(text)}")
                self.assertEqual(base64.b64decode(error.removeprefix("+ ")).decode(), ERROR)
                self.assertEqual(wire.say(SAID[mechanism]), "-ERR [AUTH] Authentication failed.")
                self.assertEqual(store.answers.pop(), SAID[mechanism])
        record = postern.wait_for_record(msg="login_refused", mechanism="xoauth2")
        self.assertEqual((record["user"], record["fault"], record["blame"]), ("anna", "bad_credentials", "credentials"))

    def test_an_outage_behind_the_error_is_one(self):
        store = self.store(imap_login=refusing("{tag} NO [UNAVAILABLE] later"))
        postern = self.run_with(store)
        wire = self.connect_offered(postern, *BOTH)
        wire.ask(f"a AUTHENTICATE XOAUTH2 {sasl.encode(MESSAGES['XOAUTH2'])}")
        wire.send_lines("")
        self.assertEqual(wire.line(), "a NO [UNAVAILABLE] later")

    def test_a_client_may_break_off_after_the_error(self):
        store = self.store(imap_login=refusing("{tag} NO [AUTHENTICATIONFAILED] expired"))
        postern = self.run_with(store)
        wire = self.connect_offered(postern, *BOTH)
        wire.ask(f"a AUTHENTICATE XOAUTH2 {sasl.encode(MESSAGES['XOAUTH2'])}")
        wire.send_lines("*")
        self.assertTrue(wire.line().startswith("a BAD"))
        self.assertTrue(wire.ask("n NOOP")[-1].startswith("n OK"))
        wait_for(lambda: store.answers, what="the store hears of it, or of the end")

    def test_what_not_every_store_takes_is_not_offered(self):
        postern = self.run_with(self.store("one"), self.store("two", mechanisms="OAUTHBEARER"))
        for port in (993, 995):
            wire = self.connect_offered(postern, "PLAIN", "LOGIN", "OAUTHBEARER", port=port)
            text = sasl.encode(MESSAGES["XOAUTH2"])
            if port == 993:
                self.assertRegex(wire.ask(f"a AUTHENTICATE XOAUTH2 {text}")[-1], "^a (NO|BAD) ")
            else:
                self.assertTrue(wire.say(f"AUTH XOAUTH2 {text}").startswith("-ERR"))

    def test_a_malformed_token_reaches_nobody(self):
        store = self.store()
        postern = self.run_with(store)
        wire = self.connect_offered(postern, *BOTH)
        before = len(store.connections)
        for text in ("user=anna\1auth=Bearer \1\1", "auth=Bearer x\1\1", "user=anna\1auth=Basic x\1\1", "user=anna"):
            with self.subTest(text):
                self.assertRegex(wire.ask(f"a AUTHENTICATE XOAUTH2 {sasl.encode(text)}")[-1], "^a (NO|BAD) ")
                wire = self.connect_offered(postern, *BOTH)
        self.assertFalse(any(b"AUTHENTICATE" in each.received for each in store.connections[before:]))


if __name__ == "__main__":
    unittest.main()
