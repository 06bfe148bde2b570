"""Too few descriptors, a full disk for the log, many idle sessions."""

import os
import re
import resource
import time
import unittest

from rig.case import Case
from rig.ground import wait_for
from rig.postern import is_sanitized, needs_descriptors, pool
from rig.wire import Wire

PASSWORD = "process-secret-5"


class Shortage(Case):
    secrets = [PASSWORD]

    def setUp(self):
        super().setUp()
        self.store = self.fake()

    @unittest.skipIf(needs_descriptors(), "UndefinedBehaviorSanitizer needs descriptors")
    def test_descriptors_that_run_out_pause_the_listeners_without_spinning(self):
        postern = self.start(self.store, {"limits": {"prelogin_per_address": 0}})
        old = self.login(postern, "anna", PASSWORD)
        limit = postern.open_descriptors() + 8
        resource.prlimit(postern.pid, resource.RLIMIT_NOFILE, (limit, limit))
        held = []
        for _ in range(40):
            held.append(Wire.connect(postern.address, 143))
        time.sleep(0.5)
        before = self.cpu(postern)
        time.sleep(2)
        self.assertLess(self.cpu(postern) - before, 0.3, "seconds of processor time in two seconds of shortage")
        self.assertIn("OK NOOP", old.ask("b NOOP")[-1])
        for wire in held:
            wire.close()
        wait_for(lambda: self.can_login(postern), what="logins again")

    def can_login(self, postern):
        try:
            wire = self.connect(postern)
            return "a OK" in wire.ask(f"a LOGIN anna {PASSWORD}")[-1]
        except (OSError, AssertionError):
            return False

    def cpu(self, postern):
        with open(f"/proc/{postern.pid}/stat") as file:
            fields = file.read().rsplit(") ", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    @unittest.skipIf(needs_descriptors(), "UndefinedBehaviorSanitizer needs descriptors")
    def test_no_descriptor_for_the_store_is_a_temporary_failure(self):
        postern = self.start({"store": pool(self.store, health={"interval": "10m"})})
        wire = self.connect(postern)
        limit = postern.lowest_free_descriptor()
        resource.prlimit(postern.pid, resource.RLIMIT_NOFILE, (limit, limit + 100))
        answer = wire.ask(f"a LOGIN anna {PASSWORD}")[-1]
        self.assertEqual(answer, "a NO [UNAVAILABLE] Account is temporarily unavailable.")
        resource.prlimit(postern.pid, resource.RLIMIT_NOFILE, (limit + 50, limit + 100))
        self.assertIn("b OK", wire.ask(f"b LOGIN anna {PASSWORD}")[-1])

    def test_a_log_that_cannot_be_written_does_not_stop_mail(self):
        postern = self.start(self.store, {"log": {"target": "/dev/full"}})
        for number in range(20):
            self.login(postern, f"user{number}", PASSWORD).close()

    def test_idle_sessions_cost_little(self):
        if is_sanitized():
            self.skipTest("memory figures of a sanitizer mean nothing")
        postern = self.start(self.store, {"limits": {"prelogin_per_address": 0}})
        for number in range(30):
            self.login(postern, f"user{number}", PASSWORD).close()
        wait_for(lambda: postern.metric("postern_sessions") == 0, what="no sessions")
        before = self.pss(postern)
        count = 300
        held = [self.login(postern, f"user{number}", PASSWORD) for number in range(count)]
        self.assertEqual(len(held), count)
        self.assertLess((self.pss(postern) - before) / count, 12, "KB per idle session")

    def pss(self, postern):
        with open(f"/proc/{postern.pid}/smaps_rollup") as file:
            return int(re.search(r"^Pss: +(\d+)", file.read(), re.MULTILINE)[1])


if __name__ == "__main__":
    unittest.main()
