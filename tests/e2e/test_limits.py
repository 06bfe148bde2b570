"""Limits before and at login: what they refuse, and in which words."""

import time
import unittest

from rig.case import USERS, Case, plain
from rig.dovecot import Dovecot
from rig.ground import wait_for
from rig.wire import Wire

PASSWORD = "limit-secret-6"


class Limits(Case):
    secrets = [PASSWORD, *USERS.values()]

    def run_with(self, store=None, **limits):
        return self.start(store or self.fake(), {"limits": limits})

    def test_refused_credentials_may_be_tried_so_often(self):
        postern = self.run_with(Dovecot(self.ground, USERS), login_attempts=2)
        wire = self.connect(postern)
        self.assertEqual(wire.ask("a LOGIN anna wrong")[-1], "a NO [AUTHENTICATIONFAILED] Authentication failed.")
        wire.send_lines("b LOGIN anna wrong")
        lines = wire.rest().decode().splitlines()
        self.assertIn("* BYE Too many failed logins.", lines)
        self.assertTrue(any(line.startswith("b NO") for line in lines), lines)
        wire = self.connect(postern, 995)
        for _ in (1, 2):
            wire.send_lines("USER anna", "PASS wrong")
        self.assertEqual(wire.rest().count(b"-ERR"), 3, "two refusals and the farewell")

    def test_a_right_password_works_after_a_wrong_one(self):
        postern = self.run_with(Dovecot(self.ground, USERS))
        wire = self.connect(postern)
        wire.ask("a LOGIN anna wrong")
        self.assertIn("b OK", wire.ask(f"b LOGIN anna {USERS['anna']}")[-1])

    def test_a_refusal_is_delayed(self):
        postern = self.run_with(Dovecot(self.ground, USERS), failure_delay="1s", failure_delay_max="2s")
        began = time.monotonic()
        self.connect(postern).ask("a LOGIN anna wrong")
        self.assertGreater(time.monotonic() - began, 0.9)

    def test_bad_commands_end_the_session(self):
        postern = self.run_with(bad_commands=3)
        for send in (lambda wire, text: wire.send(text), lambda wire, text: wire.drip(text.encode())):
            wire = self.connect(postern)
            send(wire, "a XBAD\r\nb XBAD\r\nc XBAD\r\nd NOOP\r\n")
            text = wire.rest()
            self.assertIn(b"* BYE Too many bad commands.", text)
            self.assertNotIn(b"d OK", text)
        wire = self.connect(postern, 995)
        wire.send("STAT\r\nLIST\r\nRETR 1\r\nQUIT\r\n")
        self.assertNotIn(b"+OK", wire.rest())

    def test_a_web_browser_is_sent_away_without_an_echo(self):
        postern = self.run_with()
        wire = self.connect(postern)
        wire.send("POST /<script>alert(1)</script> HTTP/1.1\r\nHost: x\r\nA: b\r\nC: d\r\n\r\n")
        self.assertNotIn(b"script", wire.rest())

    def test_whoever_does_not_log_in_in_time_is_told_goodbye(self):
        postern = self.run_with(login_time="1500ms")
        began = time.monotonic()
        wire = self.connect(postern)
        self.assertEqual(wire.line(), "* BYE No login in time.")
        self.assertLess(time.monotonic() - began, 3)
        began = time.monotonic()
        wire = self.connect(postern)
        with self.assertRaises((AssertionError, OSError)):
            while True:  # talking does not extend it
                wire.ask("n NOOP")
                time.sleep(0.1)
        self.assertLess(time.monotonic() - began, 3)
        wire = self.connect_clear(postern)
        wire.send("a STARTTLS\r\n")
        wire.line()
        self.assertEqual(wire.rest(), b"", "half a handshake is cut off")

    def test_lines_and_literals_have_an_end(self):
        postern = self.run_with(line="8KiB", literal="1KiB")
        wire = self.connect(postern)
        wire.send("a " + "x" * 20000)
        self.assertIn(b"BYE", wire.rest())
        for literal in ("{1025}", "{99999999999999999999}", "{4294967301}"):
            wire = self.connect(postern)
            wire.send(f"a LOGIN {literal}\r\n")
            self.assertFalse(wire.line().startswith("+"), literal)
        wire = self.connect(postern)
        wire.send("a NOOP " + "(" * 7000)
        wire.send("(" * 7000)
        wire.rest()

    def test_sessions_of_a_user(self):
        postern = self.run_with(sessions_per_user=2)
        first = self.login(postern, "anna", PASSWORD)
        self.login_pop3(postern, "anna", PASSWORD)
        wire = self.connect(postern)
        self.assertEqual(wire.ask(f"a LOGIN anna {PASSWORD}")[-1], "a NO [LIMIT] Too many sessions of this user.")
        self.assertIn("b OK", wire.ask(f"b LOGIN dora {PASSWORD}")[-1])
        wire = self.connect(postern, 995)
        wire.say("USER anna")
        self.assertEqual(wire.say(f"PASS {PASSWORD}"), "-ERR [IN-USE] Too many sessions of this user.")
        first.close()
        wait_for(lambda: "OK" in self.connect(postern).ask(f"a LOGIN anna {PASSWORD}")[-1], what="a free place")

    def test_connections_of_an_address(self):
        postern = self.run_with(sessions_per_address=2, prelogin_per_address=1)
        self.login(postern, "anna", PASSWORD, source="127.0.0.81")
        waiting = self.connect(postern, source="127.0.0.81")
        self.turned_away(postern, "127.0.0.81")
        self.connect(postern, source="127.0.0.82")
        self.turned_away(postern, "127.0.0.82")
        self.assertIn("a OK", waiting.ask(f"a LOGIN anna {PASSWORD}")[-1])
        self.turned_away(postern, "127.0.0.81")
        self.assertGreater(postern.metric("postern_refused_total", reason="address_limit"), 2)

    def turned_away(self, postern, source):
        try:
            greeting = self.connect(postern, source=source).greeting
        except OSError:
            return
        self.assertTrue(greeting is None or greeting.startswith("* BYE"), greeting)

    def test_the_listeners_pause_at_the_session_limit_and_go_on(self):
        postern = self.run_with(sessions=3)
        held = [self.login(postern, "anna", PASSWORD) for _ in range(3)]
        late = Wire.connect(postern.address, 143)
        self.addCleanup(late.close)
        late.socket.settimeout(0.5)
        with self.assertRaises(TimeoutError):
            late.line()
        held[0].ask("z NOOP")
        held[0].close()
        late.socket.settimeout(10)
        self.assertTrue(late.line().startswith("* OK"))

    def test_an_empty_password_is_refused_without_asking_anybody(self):
        store = self.fake()
        postern = self.run_with(store)
        wire = self.connect(postern)
        self.assertRegex(wire.ask('a LOGIN anna ""')[-1], "^a NO")
        self.assertRegex(wire.ask(f"b AUTHENTICATE PLAIN {plain('anna', '')}")[-1], "^b (NO|BAD)")
        self.assertFalse(store.saw("anna"))

    def test_hostile_names_stay_out_of_the_stores_dialogue_and_of_the_logs_lines(self):
        store = self.fake()
        postern = self.run_with(store, login_attempts=20, bad_commands=20)
        wire = self.connect(postern)
        for name in ("an\r\nx DELETE INBOX", "an\0na", "\x1b[31mred", 'q"uote \\', "%n%s${x}", "../../etc/passwd"):
            wire.send(f"a LOGIN {{{len(name)}+}}\r\n{name} {PASSWORD}\r\n")
            answer = wire.lines_until("a ")[-1]
            if answer.startswith("a OK"):
                wire = self.connect(postern)
        wire = self.connect(postern, 995)
        wire.say(f"AUTH PLAIN {plain('an' + chr(13) + chr(10) + 'DELE 1', PASSWORD)}")
        wire.close()
        self.assertFalse(store.saw("\nx DELETE"))
        self.assertFalse(store.saw("\nDELE 1"))
        log = postern.log()
        self.assertNotIn("\x1b", log)
        self.assertFalse([each for each in postern.records() if "unparsed" in each], "every line parses")
        page = postern.http("/metrics")[1]
        for name in ("anna", "[31m", "etc/passwd", "DELETE"):
            self.assertNotIn(name, page, "a user became a label")


if __name__ == "__main__":
    unittest.main()
