"""SIGTERM: everyone is told goodbye at a good moment, and the exit status is 0."""

import signal
import threading
import time
import unittest

from rig.case import Case
from rig.fake_store import imap, pop3
from rig.ground import wait_for
from rig.postern import pool

PASSWORD = "process-secret-5"


class Drain(Case):
    secrets = [PASSWORD]

    def setUp(self):
        super().setUp()
        self.store = self.fake()

    def test_sigterm_says_goodbye_and_ends_with_0(self):
        postern = self.start(self.store)
        spliced = self.login(postern, "anna", PASSWORD)
        greeted = self.connect(postern)
        pop = self.connect(postern, 995)
        postern.signal(signal.SIGTERM)
        wait_for(lambda: postern.http("/readyz")[0] != 200, what="not ready any more")
        self.assertEqual(greeted.line(), "* BYE [UNAVAILABLE] The server is shutting down.")
        self.assertEqual(pop.line(), "-ERR [SYS/TEMP] The server is shutting down.")
        self.assertEqual(spliced.line(), "* BYE [UNAVAILABLE] The server is shutting down.")
        self.assertEqual(postern.child.wait(15), 0)

    def test_a_command_under_way_is_finished_first(self):
        def slowly(wire):
            tag = wire.line().split(" ")[0]
            wire.send("* 1 FETCH (BODY[] {10}\r\n01234")
            wire.store.go.wait(20)
            wire.send("56789)\r\n")
            wire.send_lines(f"{tag} OK done")
            wire.store.hang()

        store = self.fake({143: imap(after_login=slowly), 110: pop3()}, name="slow")
        store.go = threading.Event()
        postern = self.start(store, {"server": {"drain": {"spread": "1s", "deadline": "20s"}}})
        wire = self.login(postern, "anna", PASSWORD)
        wire.send_lines("f FETCH 1 BODY[]")
        self.assertTrue(wire.line().endswith("{10}"))
        postern.signal(signal.SIGTERM)
        time.sleep(1.5)
        self.assertIsNone(postern.child.poll())
        store.go.set()
        self.assertEqual(wire.octets(10), b"0123456789")
        lines = wire.rest().decode().splitlines()
        self.assertEqual(lines[:2], [")", "f OK done"])
        self.assertTrue(lines[2].startswith("* BYE"), lines)
        self.assertEqual(postern.child.wait(20), 0)

    def test_the_deadline_ends_what_does_not_end_itself(self):
        postern = self.start({"store": pool(self.store, health={"check": "connect"})},
                             {"server": {"drain": {"spread": "200ms", "deadline": "1s"}}})
        wire = self.login_pop3(postern, "anna", PASSWORD)
        wire.send("RETR 1")  # half a command: no boundary to say anything at
        began = time.monotonic()
        postern.signal(signal.SIGTERM)
        self.assertEqual(postern.child.wait(15), 0)
        self.assertLess(time.monotonic() - began, 6)

    def test_a_second_sigterm_ends_at_once(self):
        postern = self.start(self.store, {"server": {"drain": {"wait": "0s", "spread": "30s", "deadline": "60s"}}})
        for number in range(5):
            self.login(postern, f"user{number}", PASSWORD)
        postern.signal(signal.SIGTERM)
        wait_for(lambda: postern.http("/readyz")[0] != 200, what="draining")
        postern.signal(signal.SIGTERM)
        self.assertEqual(postern.child.wait(10), 0)

    def test_while_it_waits_for_balancers_it_still_accepts(self):
        postern = self.start(self.store, {"server": {"drain": {"wait": "2s", "spread": "0s", "deadline": "3s"}}})
        postern.signal(signal.SIGTERM)
        wait_for(lambda: postern.http("/readyz")[0] == 503, what="not ready")
        self.login(postern, "anna", PASSWORD)
        self.assertEqual(postern.child.wait(15), 0)


if __name__ == "__main__":
    unittest.main()
