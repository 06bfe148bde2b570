"""`postern check`, and what a start refuses."""

import subprocess
import unittest

from rig.case import Case
from rig.postern import binary, check, everything, merge, pool, toml

PASSWORD = "process-secret-5"


class Check(Case):
    secrets = [PASSWORD]

    def setUp(self):
        super().setUp()
        self.store = self.fake()

    def configuration(self, **changes):
        return merge(everything(self.ground, [self.certificate], {"store": pool(self.store)}), changes)

    def test_a_good_file_is_good(self):
        status, text = check(self.ground, toml(self.configuration()))
        self.assertEqual(status, 0, text)

    def test_every_problem_is_told_with_its_place(self):
        text = toml(self.configuration())
        text = text.replace('address = ["', 'addres = ["', 1).replace('by = "store"', 'by = "oracle"')
        text = text.replace('tls = "implicit"', 'tls = "maybe"', 1)
        status, told = check(self.ground, text)
        self.assertEqual(status, 2, told)
        self.assertRegex(told, r"checked\.toml:\d+:\d+: unknown key")
        self.assertIn('unknown key "addres" in [listen.imaps]; did you mean "address"?', told)
        self.assertIn("oracle", told)
        self.assertIn("maybe", told)
        self.assertRegex(told, r"(?m)^ *\^")

    def test_whatever_is_wrong_the_status_is_2(self):
        for kind, text in {
            "no toml": "[server\nname = 1", "empty": "", "no route to a pool": toml(self.configuration(route=[
                {"user": "*", "pool": "elsewhere"}])),
            "no certificate": toml(self.configuration(tls={"certificates": [
                {"chain": "/nowhere.crt", "key": "/nowhere.key"}]})),
            "a key of another": toml(self.configuration(tls={"certificates": [
                {"chain": self.certificate.chain, "key": self.store_certificate.key}]})),
            "master without passwd": toml(self.configuration(pool={"store": {
                "login": "master", "master_user": "m",
                "master_password_file": self.ground.write("m", "secret\n", 0o600)}})),
        }.items():
            with self.subTest(kind):
                status, told = check(self.ground, text)
                self.assertEqual(status, 2, told)
                self.assertIn("checked.toml", told)

    def test_run_refuses_a_bad_file_too(self):
        file = self.ground.write("bad.toml", "[servers]\n")
        done = subprocess.run([binary(), "run", "--config", file], capture_output=True, timeout=30)
        self.assertEqual(done.returncode, 2)
        self.assertIn(b"bad.toml:1:", done.stderr + done.stdout)

    def test_a_taken_port_is_told_and_ends_the_start(self):
        postern = self.start(self.store)
        second = subprocess.run([binary(), "run", "--config", self.ground.write("second.toml", toml(merge(
            postern.configuration, {"listen": {"imaps": {"address": [f"{self.store.address}:143"]}},
                                    "admin": {"http": f"{self.ground.address()}:9993"}})))],
                                capture_output=True, timeout=30)
        self.assertNotEqual(second.returncode, 0)
        self.assertIn(f"{self.store.address}:143".encode(), second.stderr + second.stdout)


if __name__ == "__main__":
    unittest.main()
