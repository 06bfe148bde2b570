"""deploy/demo.sh shows what it promises and leaves nothing behind."""

import glob
import os
import re
import subprocess
import tempfile
import unittest

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")


class Demo(unittest.TestCase):
    def test_one_round(self):
        with tempfile.TemporaryDirectory() as scratch:
            os.chmod(scratch, 0o755)  # the stores run as users of their own
            done = subprocess.run([os.path.join(TOP, "deploy", "demo.sh"), "--once", "--imaps", "0", "--pop3s", "0"],
                                  stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                  timeout=120, env=dict(os.environ, TMPDIR=scratch))
            text = done.stdout.decode()
            self.assertEqual(done.returncode, 0, text)
            self.assertEqual(glob.glob(scratch + "/*"), [], "left behind")
        self.assertRegex(text, "Subject: Message 1 for anna@example.org, kept on (alpha|beta)")
        self.assertRegex(text, "Subject: Message 2 for anna@example.org, kept on (alpha|beta)")
        self.assertIn("Subject: Message 1 for dora@example.net, kept on gamma", text)
        self.assertIn("Subject: Message 2 for dora@example.net, kept on gamma", text)
        self.assertEqual(len(re.findall(r"^  .*user=(?:anna|dora)@", text, re.MULTILINE)), 4)
        self.assertIn("postern_logins_total", text)
        self.assertNotIn("Traceback", text)


if __name__ == "__main__":
    unittest.main()
