"""Two whole dialogues as a person types them into `openssl s_client`, waiting for each answer."""

import base64
import re
import select
import subprocess
import time
import unittest

from rig.case import USERS, Case, message
from rig.cyrus import Cyrus
from rig.dovecot import Dovecot


class Typist:
    """Somebody at `openssl s_client -crlf -quiet`."""

    def __init__(self, case, postern, port):
        self._child = subprocess.Popen(
            ["openssl", "s_client", "-connect", f"{postern.address}:{port}", "-servername", "mail.test", "-CAfile",
             case.authority.file, "-verify_return_error", "-crlf", "-quiet"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        case.addCleanup(self._end)
        self._shown = ""

    def _end(self):
        for pipe in (self._child.stdin, self._child.stdout, self._child.stderr):
            pipe.close()
        if self._child.poll() is None:
            self._child.kill()
        self._child.wait()

    def sees(self, pattern, seconds=20):
        """Everything up to and with the first match of `pattern`."""
        end = time.monotonic() + seconds
        while not (match := re.search(pattern, self._shown, re.MULTILINE)):
            if not select.select([self._child.stdout], [], [], max(0, end - time.monotonic()))[0]:
                raise AssertionError(f"{pattern!r} did not come; there was {self._shown!r}")
            data = self._child.stdout.read1(65536)
            if not data:
                raise AssertionError(f"closed before {pattern!r}; there was {self._shown!r}")
            self._shown += data.decode()
        text, self._shown = self._shown[:match.end()], self._shown[match.end():]
        return text

    def types(self, line):
        self._child.stdin.write(line.encode() + b"\n")
        self._child.stdin.flush()

    def sees_the_end(self):
        return self._child.wait(20)


def encoded(text):
    return base64.b64encode(text.encode()).decode()


class WholeDialogues(Case):
    def pop3(self, store):
        for number in (1, 2, 3):
            store.deliver("anna", message(f"number {number}", f"Body {number}.\r\n"))
        postern = self.start(store)
        typist = Typist(self, postern, 995)
        typist.sees(r"^\+OK .*\r\n")
        typist.types("USER anna")
        typist.sees(r"^\+OK.*\r\n")
        typist.types(f"PASS {USERS['anna']}")
        typist.sees(r"^\+OK.*\r\n")
        typist.types("LIST")
        self.assertEqual(len(re.findall(r"^\d \d+\r$", typist.sees(r"^\.\r\n"), re.MULTILINE)), 3)
        typist.types("RETR 1")
        self.assertIn("Subject: number 1\r\n", (text := typist.sees(r"^\.\r\n")))
        self.assertIn("Body 1.\r\n", text)
        typist.types("DELE 2")
        typist.sees(r"^\+OK.*\r\n")
        typist.types("QUIT")
        typist.sees(r"^\+OK.*\r\n")
        self.assertEqual(typist.sees_the_end(), 0)

        again = self.login_pop3(postern, "anna", USERS["anna"])
        again.send_lines("UIDL", "RETR 2")
        self.assertEqual(len(again.lines_until(".")), 4, "two are left, with +OK and the dot")
        self.assertIn("Subject: number 3", again.lines_until("."))
        self.assertTrue(again.say("QUIT").startswith("+OK"))

    def imap(self, store):
        for number in (1, 2):
            store.deliver("anna", message(f"number {number}", f"Body {number}.\r\n"))
        postern = self.start(store)
        session = self.login(postern, "anna", USERS["anna"])
        session.ask("b CREATE Sent")
        session.ask("c LOGOUT")

        typist = Typist(self, postern, 993)
        typist.sees(r"^\* OK .*\r\n")
        typist.types("1 AUTHENTICATE LOGIN")
        self.assertIn(encoded("Username:"), typist.sees(r"^\+ .*\r\n"))
        typist.types(encoded("anna"))
        self.assertIn(encoded("Password:"), typist.sees(r"^\+ .*\r\n"))
        typist.types(encoded(USERS["anna"]))
        typist.sees(r"^1 OK .*\r\n")
        typist.types("2 SELECT Sent")
        self.assertIn("* 0 EXISTS", typist.sees(r"^2 OK .*\r\n"))
        typist.types("3 SELECT INBOX")
        self.assertIn("* 2 EXISTS", typist.sees(r"^3 OK .*\r\n"))
        typist.types("4 FETCH 1 (RFC822.TEXT)")
        self.assertIn("Body 1.\r\n", typist.sees(r"^4 OK .*\r\n"))
        typist.types("5 CLOSE")
        typist.sees(r"^5 OK .*\r\n")
        typist.types("6 LOGOUT")
        self.assertIn("* BYE", typist.sees(r"^6 OK .*\r\n"))
        self.assertEqual(typist.sees_the_end(), 0)

    def test_pop3_with_dovecot(self):
        self.pop3(Dovecot(self.ground, USERS))

    def test_pop3_with_cyrus(self):
        self.pop3(Cyrus(self.ground, USERS))

    def test_imap_with_dovecot(self):
        self.imap(Dovecot(self.ground, USERS))

    def test_imap_with_cyrus(self):
        self.imap(Cyrus(self.ground, USERS))


if __name__ == "__main__":
    unittest.main()
