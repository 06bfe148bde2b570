"""Stores that fail, each in its own way: what the client reads, and that it may try again."""

import time
import unittest

from rig.case import Case
from rig.fake_store import IMAP_GREETING, hanging, imap, pop3, resetting
from rig.ground import wait_for
from rig.postern import pool

PASSWORD = "fault-secret-2"
UNAVAILABLE = "NO [UNAVAILABLE] Account is temporarily unavailable."
SYS_TEMP = "-ERR [SYS/TEMP] Account is temporarily unavailable."
SERVERBUG = "NO [SERVERBUG] Account is temporarily unavailable."
SYS_PERM = "-ERR [SYS/PERM] Account is temporarily unavailable."
CREDENTIALS = "NO [AUTHENTICATIONFAILED] Authentication failed."
AUTH = "-ERR [AUTH] Authentication failed."

PATIENCE = {"time": {"connect": "1s", "login": "2s"},
            "health": {"check": "connect", "interval": "10m", "eject": {"errors": 1000}}}


def saying(*pieces, then=None):
    def script(wire):
        for piece in pieces:
            wire.send(piece)
        (then or hanging)(wire)
    return script


def dripping(text):
    """So slowly that no single read takes long, but all of them do."""
    def script(wire):
        wire.drip(text, pause=0.3)
        wire.store.hang()
    return script


def answering(text, then=None):
    """In place of the tagged answer to a login."""
    def login(wire, tag):
        wire.send(text.format(tag=tag))
        if then:
            then(wire)
    return login


class Faults(Case):
    secrets = [PASSWORD]

    # What the store does on IMAP: answer to the client, reason in the metrics.
    imap_cases = {
        "mute": (hanging, UNAVAILABLE, "store_timeout"),
        "reset-at-once": (resetting, UNAVAILABLE, "store_closed"),
        "closes-at-once": (saying(then=lambda wire: None), UNAVAILABLE, "store_closed"),
        "drips": (dripping(b"* OK a very slow greeting that never comes to an end"), UNAVAILABLE, "store_timeout"),
        "greets-bye": (saying("* BYE overloaded\r\n"), UNAVAILABLE, "store_unavailable"),
        "greets-http": (saying("HTTP/1.1 400 Bad Request\r\n\r\n"), UNAVAILABLE, "store_protocol"),
        "greets-long": (saying("* OK " + "x" * 200000), UNAVAILABLE, "store_protocol"),
        "greets-nul": (saying(b"* O\0K\r\n"), UNAVAILABLE, "store_protocol"),
        "closes-in-login": (imap(login=answering("")), UNAVAILABLE, "store_closed"),
        "resets-in-login": (imap(login=answering("", resetting)), UNAVAILABLE, "store_closed"),
        "bye-in-login": (imap(login=answering("* BYE going down\r\n")), UNAVAILABLE, "store_closed"),
        "silent-in-login": (imap(login=answering("", hanging)), UNAVAILABLE, "store_timeout"),
        "foreign-tag": (imap(login=answering("zzz OK logged in\r\n", hanging)), UNAVAILABLE, "store_protocol"),
        "garbage-in-login": (imap(login=answering("\x01\x02 what\r\n", hanging)), UNAVAILABLE, "store_protocol"),
        "flood-in-login": (imap(login=answering("* OK more\r\n" * 100000, hanging)), UNAVAILABLE, "store_protocol"),
        "no": (imap(login="NO no such user bob"), CREDENTIALS, "bad_credentials"),
        "no-failed": (imap(login="NO [AUTHENTICATIONFAILED] bob?"), CREDENTIALS, "bad_credentials"),
        "no-unavailable": (imap(login="NO [UNAVAILABLE] later"), "NO [UNAVAILABLE] later", "store_unavailable"),
        "no-serverbug": (imap(login="NO [SERVERBUG] oops"), SERVERBUG, "store_bug"),
        "no-limit": (imap(login="NO [LIMIT] too many"), "NO [LIMIT] too many", "user_limit"),
        "no-inuse": (imap(login="NO [INUSE] locked"), "NO [INUSE] locked", "user_limit"),
        "no-alert": (imap(login="NO [ALERT] call us"), "NO [ALERT] call us", "bad_credentials"),
        "bad": (imap(login="BAD what"), SERVERBUG, "store_bug"),
    }
    pop3_cases = {
        "mute": (hanging, SYS_TEMP, "store_timeout"),
        "greets-err": (saying("-ERR busy\r\n"), SYS_TEMP, "store_unavailable"),
        "greets-http": (saying("HTTP/1.1 400 Bad Request\r\n\r\n"), SYS_TEMP, "store_protocol"),
        "closes-in-login": (pop3(login=answering("")), SYS_TEMP, "store_closed"),
        "silent-in-login": (pop3(login=answering("", hanging)), SYS_TEMP, "store_timeout"),
        "err": (pop3(login="-ERR no such user bob"), AUTH, "bad_credentials"),
        "err-auth": (pop3(login="-ERR [AUTH] bob?"), AUTH, "bad_credentials"),
        "err-in-use": (pop3(login="-ERR [IN-USE] locked"), "-ERR [IN-USE] locked", "user_limit"),
        "err-delay": (pop3(login="-ERR [LOGIN-DELAY] wait"), "-ERR [LOGIN-DELAY] wait", "store_refused"),
        "err-temp": (pop3(login="-ERR [SYS/TEMP] later"), "-ERR [SYS/TEMP] later", "store_unavailable"),
        "err-perm": (pop3(login="-ERR [SYS/PERM] gone"), "-ERR [SYS/PERM] gone", "store_refused"),
        "xclient-refused": (pop3(xclient="-ERR not you"), SYS_PERM, "store_forward"),
    }

    def one_pool_per_case(self, cases, port):
        """One Postern; the user's name is the case's, and leads to the pool whose store behaves like that."""
        pools = {}
        for name, (script, _, _) in cases.items():
            store = self.fake({port: script}, name=name)
            pools[name] = pool(store, **PATIENCE)
        pools["refuses"] = pool(backends={"nobody": self.ground.address()}, **PATIENCE)
        pools["nameless"] = pool(backends={"nobody": "no-such-host.invalid"}, **PATIENCE)
        return self.start(pools, {"route": [{"user": name, "pool": name} for name in pools],
                                  "limits": {"login_attempts": 10}}, ready="/healthz")

    def test_imap(self):
        postern = self.one_pool_per_case(self.imap_cases, 143)
        cases = {name: due for name, (_, *due) in self.imap_cases.items()}
        cases["refuses"] = (UNAVAILABLE, "connect_failed")
        cases["nameless"] = (UNAVAILABLE, "name_not_found")
        for name, (answer, fault) in cases.items():
            with self.subTest(name):
                before = postern.metric("postern_login_faults_total", fault=fault)
                wire = self.connect(postern)
                began = time.monotonic()
                self.assertEqual(wire.ask(f"a LOGIN {name} {PASSWORD}")[-1], f"a {answer}")
                self.assertLess(time.monotonic() - began, 6)
                self.assertEqual(wire.ask("b NOOP")[-1].split()[:2], ["b", "OK"], "it stays connected")
                self.assertEqual(wire.ask(f"c LOGIN {name} {PASSWORD}")[-1], f"c {answer}", "and may try again")
                self.assertEqual(postern.metric("postern_login_faults_total", fault=fault), before + 2)
                wire.close()

    def test_pop3(self):
        postern = self.one_pool_per_case(self.pop3_cases, 110)
        cases = {name: due for name, (_, *due) in self.pop3_cases.items()}
        cases["refuses"] = (SYS_TEMP, "connect_failed")
        for name, (answer, fault) in cases.items():
            with self.subTest(name):
                before = postern.metric("postern_login_faults_total", fault=fault)
                wire = self.connect(postern, 995)
                for _ in (1, 2):
                    self.assertTrue(wire.say(f"USER {name}").startswith("+OK"))
                    self.assertEqual(wire.say(f"PASS {PASSWORD}"), answer)
                self.assertEqual(postern.metric("postern_login_faults_total", fault=fault), before + 2)
                wire.close()

    def test_the_next_backend_is_tried_before_the_client_is_told(self):
        for name, broken in (("refuses", None), ("mute", hanging), ("resets", resetting),
                             ("bye", saying("* BYE overloaded\r\n")), ("http", saying("HTTP/1.1 200 OK\r\n"))):
            with self.subTest(name):
                good = self.fake({143: imap()}, name=f"good-{name}")
                bad = self.fake({143: broken} if broken else None, name=f"bad-{name}")
                if not broken:
                    bad.close()
                postern = self.start({"store": pool(bad, good, balance="round_robin", **PATIENCE)}, name=name,
                                     ready="/healthz")
                for number in range(4):
                    wire = self.login(postern, f"user{number}", PASSWORD)
                    wire.close()
                self.assertGreaterEqual(postern.metric("postern_retries_total"), 1)

    def test_a_password_is_not_offered_to_a_second_backend_once_the_first_has_it(self):
        stores = [self.fake({143: imap(login="NO wrong")}, name=f"s{number}") for number in (1, 2)]
        postern = self.start({"store": pool(*stores, **PATIENCE)})
        self.assertEqual(self.connect(postern).ask(f"a LOGIN anna {PASSWORD}")[-1], f"a {CREDENTIALS}")
        self.assertEqual([store.saw(PASSWORD) for store in stores].count(True), 1)

    def test_a_store_that_is_down_is_noticed_and_comes_back(self):
        store = self.fake()
        postern = self.start({"store": pool(store, health={"interval": "200ms", "timeout": "500ms",
                                                           "fall": 2, "rise": 1})})
        self.login(postern, "anna", PASSWORD).close()
        self.assertEqual(postern.metric("postern_backend_up", backend="fake"), 1)
        store.close()
        wait_for(lambda: postern.metric("postern_backend_up", backend="fake") == 0, what="the store counts as down")
        self.assertEqual(postern.http("/readyz")[0], 503)
        self.assertEqual(self.connect(postern).ask(f"a LOGIN anna {PASSWORD}")[-1], f"a {UNAVAILABLE}")
        self.fake(address=store.address)
        wait_for(lambda: postern.metric("postern_backend_up", backend="fake") == 1, what="the store counts as up")
        self.assertEqual(postern.http("/readyz")[0], 200)
        self.login(postern, "anna", PASSWORD)

    def test_untagged_lines_before_the_answer_are_tolerated_and_alerts_arrive(self):
        store = self.fake({143: imap(before_login="* OK [ALERT] Disk full\r\n* CAPABILITY IMAP4rev1 X1\r\n")})
        postern = self.start(store)
        lines = self.connect(postern).ask(f"a LOGIN anna {PASSWORD}")
        self.assertIn("* OK [ALERT] Disk full", lines)
        self.assertTrue(lines[-1].startswith("a OK"))

    def test_a_store_that_closes_right_after_its_answer_is_passed_on_as_it_is(self):
        for name, after in (("closes", lambda wire: None), ("resets", resetting)):
            with self.subTest(name):
                postern = self.start(self.fake({143: imap(after_login=after)}, name=name), name=f"{name}-postern")
                wire = self.connect(postern)
                wire.send_lines(f"a LOGIN anna {PASSWORD}")
                lines = wire.rest().decode().splitlines()
                self.assertEqual([line.split("]")[-1] for line in lines], [" Logged in"])

    def test_the_capabilities_after_login_are_the_stores_own(self):
        greeting = "* OK [CAPABILITY IMAP4rev1 SASL-IR ID LITERAL+ IDLE NAMESPACE AUTH=PLAIN AUTH=X-OWN] fake"
        login = "OK [CAPABILITY IMAP4rev1 IDLE X-AFTER] in"
        postern = self.start(self.fake({143: imap(greeting=greeting, login=login)}))
        wire = self.connect(postern)
        self.assertIn("[CAPABILITY IMAP4rev1 IDLE X-AFTER]", wire.ask(f"a LOGIN anna {PASSWORD}")[-1])
        wire = self.connect(postern)
        before = wire.ask("a CAPABILITY")[0]
        for word in ("X-OWN", "X-AFTER", "STARTTLS", "LOGINDISABLED"):
            self.assertNotIn(word, before)
        lines = wire.ask(f"b LOGIN anna {PASSWORD}")
        self.assertTrue("* CAPABILITY IMAP4rev1 IDLE X-AFTER" in lines or "X-AFTER" in lines[-1], lines)

    def test_a_referral_is_not_followed(self):
        elsewhere = self.fake({143: imap()}, name="elsewhere")
        store = self.fake({143: imap(login=f"NO [REFERRAL imap://anna@{elsewhere.address}/] there")})
        postern = self.start(store)
        answer = self.connect(postern).ask(f"a LOGIN anna {PASSWORD}")[-1]
        self.assertTrue(answer.startswith("a NO"), answer)
        self.assertNotIn(elsewhere.address, answer)
        self.assertFalse(elsewhere.connections)

    def test_the_literal_of_a_strange_name_waits_for_the_store_and_arrives_whole(self):
        store = self.fake({143: imap(greeting=IMAP_GREETING.replace("LITERAL+ ", "").replace("SASL-IR ", ""))})
        postern = self.start(store)
        wire = self.connect(postern)
        name, password = 'we"ird\\ {3+}(]', "ü-secret-%s\x7f"
        wire.send(f"a LOGIN {{{len(name)}+}}\r\n{name} {{{len(password.encode())}+}}\r\n{password}\r\n")
        self.assertIn("a OK", wire.lines_until("a ")[-1])
        self.assertIn("b OK NOOP done", wire.ask("b NOOP"))
        seen = b"".join(each.received for each in store.connections)
        self.assertEqual(seen.count(b"LOGIN") + seen.count(b"AUTHENTICATE"), 1)


if __name__ == "__main__":
    unittest.main()
