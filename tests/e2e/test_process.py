"""The process itself: libraries, privileges, log, admin pages."""

import crypt
import os
import pwd
import re
import socket
import signal
import subprocess
import unittest

from rig.case import Case
from rig.ground import wait_for
from rig.postern import is_sanitized
from rig.wire import Wire, trusting

PASSWORD = "process-secret-5"


class Inside(Case):
    secrets = [PASSWORD]

    def setUp(self):
        super().setUp()
        self.store = self.fake()

    def test_no_openssl_is_loaded_beside_boringssl(self):
        postern = self.start(self.store)
        self.login(postern, "anna", PASSWORD)
        with open(f"/proc/{postern.pid}/maps") as file:
            libraries = {line.split("/")[-1].strip() for line in file if "/" in line}
        for name in libraries:
            self.assertFalse(name.startswith(("libssl.so.3", "libcrypto.so.3", "libgnutls")), name)

    def test_privileges_are_dropped_after_binding(self):
        postern = self.start(self.store, {"server": {"user": "nobody"}})
        self.login(postern, "anna", PASSWORD)
        nobody = pwd.getpwnam("nobody")
        with open(f"/proc/{postern.pid}/status") as file:
            status = file.read()
        self.assertEqual(re.search(r"^Uid:\s+(.*)$", status, re.MULTILINE)[1].split(), [str(nobody.pw_uid)] * 4)
        self.assertEqual(re.search(r"^Gid:\s+(.*)$", status, re.MULTILINE)[1].split(), [str(nobody.pw_gid)] * 4)
        self.assertEqual(re.search(r"^NoNewPrivs:\s+(\d)$", status, re.MULTILINE)[1], "1")
        self.assertEqual(int(re.search(r"^CapEff:\s+(\w+)$", status, re.MULTILINE)[1], 16), 0)
        groups = re.search(r"^Groups:\s*(.*)$", status, re.MULTILINE)[1].split()
        self.assertLessEqual(set(groups), {str(nobody.pw_gid)})

    @unittest.skipIf(is_sanitized(), "a sanitizer's memory hides how far the start has come")
    def test_a_hangup_while_it_reads_its_users_is_kept(self):
        """Reading many takes time, in which a log may be rotated."""
        hashed = crypt.crypt(PASSWORD, crypt.mksalt(crypt.METHOD_SHA256, rounds=1000))
        users = self.ground.write("passwd", "".join(f"user{number}:{hashed}\n" for number in range(400_000)), 0o600)
        large = "awk '/^VmRSS/ { exit $2 < 25000 }' /proc/$$/status"
        hang_up = f'(until {large}; do :; done; kill -HUP $$) & exec "$@"'
        postern = self.start(self.store, {"auth": {"by": "passwd", "passwd_file": users}},
                             prefix=["/bin/sh", "-c", hang_up, "sh"])
        postern.wait_for_record(msg="reloaded")

    def test_no_core_can_hold_a_password(self):
        postern = self.start(self.store)
        with open(f"/proc/{postern.pid}/limits") as file:
            line = next(line for line in file if line.startswith("Max core file size"))
        self.assertEqual(line.split()[4], "0", line)

    def test_logfmt_lines_carry_the_session(self):
        postern = self.start(self.store, {"log": {"format": "logfmt", "level": "info"}})
        wire = self.login(postern, "anna", PASSWORD)
        wire.ask("b LOGOUT")
        wire.close()
        line = wait_for(lambda: [each for each in postern.log().splitlines() if "user=anna" in each],
                        what="the session's line")[-1]
        for field in ("msg=", "session=", "pool=store", "backend=fake", "listener=imaps"):
            self.assertIn(field, line)

    def test_the_log_goes_to_a_file_and_is_opened_again_after_a_rotation(self):
        path = self.ground.path("mail.log")
        postern = self.start(self.store, {"log": {"target": path}})
        self.login(postern, "anna", PASSWORD).close()
        wait_for(lambda: "anna" in open(path).read(), what="the line in the file")
        os.rename(path, path + ".1")
        postern.signal(signal.SIGHUP)
        wait_for(lambda: os.path.exists(path), what="a new file")
        self.login(postern, "dora", PASSWORD).close()
        wait_for(lambda: "dora" in open(path).read(), what="the line in the new file")
        self.assertNotIn(PASSWORD, open(path).read() + open(path + ".1").read())

    def test_it_starts_with_closed_standard_streams(self):
        postern = self.start(self.store, {"log": {"target": self.ground.path("own.log")}},
                             prefix=["/bin/sh", "-c", 'exec "$@" 0<&- 1>&- 2>&-', "sh"])
        self.login(postern, "anna", PASSWORD)

    def test_metrics_are_valid_for_prometheus(self):
        postern = self.start(self.store)
        self.login(postern, "anna", PASSWORD)
        self.connect(postern).ask("a LOGOUT")
        done = subprocess.run(["promtool", "check", "metrics"], input=postern.http("/metrics")[1].encode(),
                              capture_output=True, timeout=30)
        self.assertEqual(done.returncode, 0, (done.stdout + done.stderr).decode())

    def test_an_ipv6_client_reaches_an_ipv4_store(self):
        with socket.socket(socket.AF_INET6) as probe:
            try:
                probe.bind(("::1", 0))
            except OSError:
                self.skipTest("no IPv6 on this machine")
            port = probe.getsockname()[1]
        postern = self.start(self.store, {"listen": {"imaps": {"address": [f"[::1]:{port}"]}}})
        wire = Wire.connect("::1", port, tls=trusting(self.authority), name="mail.test")
        self.addCleanup(wire.close)
        wire.line()
        self.assertIn("a OK", wire.ask(f"a LOGIN anna {PASSWORD}")[-1])
        self.assertTrue(self.store.saw('"x-originating-ip" "::1"'))
        wire.close()
        self.assertTrue(postern.wait_for_record(user="anna")["client"].startswith("[::1]:"))

    def test_health_and_readiness(self):
        postern = self.start(self.store)
        self.assertEqual((postern.http("/healthz")[0], postern.http("/readyz")[0]), (200, 200))
        self.assertEqual(postern.http("/nothing")[0], 404)

    @unittest.skipIf(is_sanitized(), "a sanitizer's own thread wakes")
    def test_it_sleeps_while_nobody_works(self):
        """The store's checks are its clock: one wake-up for each answer, and little more."""
        postern = self.start(self.store, {"pool": {"store": {"health": {"interval": "500ms"}}}})
        self.login(postern, "anna", PASSWORD)

        def checks():
            return len(self.store.connections)

        def wakes():
            found = {}
            for task in os.listdir(f"/proc/{postern.pid}/task"):
                with open(f"/proc/{postern.pid}/task/{task}/status") as file:
                    text = file.read()
                found[task + " " + text.split()[1]] = int(re.search(r"^voluntary_ctxt_switches:\s+(\d+)$", text,
                                                                     re.MULTILINE)[1])
            return found

        settled = checks() + 2
        wait_for(lambda: checks() >= settled, what="the first checks")
        began, before = checks(), wakes()
        wait_for(lambda: checks() >= began + 10, what="ten checks")
        passed = {name: count - before[name] for name, count in wakes().items()}
        self.assertLess(sum(passed.values()), (checks() - began) * 6, passed)

    def test_a_scraper_that_dawdles_disturbs_nobody(self):
        postern = self.start(self.store)
        idlers = [Wire.connect(postern.address, 9993) for _ in range(20)]
        for idler in idlers:
            idler.send("GET /met")
        self.login(postern, "anna", PASSWORD)
        wait_for(lambda: postern.http("/healthz")[0] == 200, seconds=30, what="an answer for a good scraper")
        for idler in idlers:
            idler.close()


if __name__ == "__main__":
    unittest.main()
