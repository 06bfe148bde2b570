"""The mail programs that people have, through Postern, to both kinds of store."""

import imaplib
import os
import poplib
import subprocess
import unittest

from rig.case import USERS, Case, message
from rig.cyrus import Cyrus
from rig.dovecot import Dovecot
from rig.wire import trusting

BERT = "bert@example.org"


class MailPrograms(Case):
    """Run once per store; the subclasses say which."""

    store = None

    def setUp(self):
        super().setUp()
        self.backend = type(self).store(self.ground, USERS)
        for user in USERS:
            for number in (1, 2):
                self.backend.deliver(user, message(f"{number} for {user}", to=user))
        self.postern = self.start(self.backend)

    def run_program(self, *command, expect=0, **options):
        environment = dict(os.environ, HOME=self.ground.folder("home"), FETCHMAILHOME=self.ground.folder("home"))
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              timeout=60, env=environment, **options)
        text = done.stdout.decode(errors="replace")
        self.assertEqual(done.returncode, expect, text)
        return text

    def curl(self, url, user, *options, expect=0):
        ports = (993, 995, 143, 110)
        resolve = [part for port in ports for part in ("--resolve", f"mail.test:{port}:{self.postern.address}")]
        return self.run_program("curl", "--silent", "--show-error", "--cacert", self.authority.file, *resolve,
                                "--user", f"{user}:{USERS.get(user, 'wrong')}", url, *options, expect=expect)

    def test_curl_reads_over_imaps(self):
        for user in USERS:
            with self.subTest(user):
                self.assertIn(f"Subject: 1 for {user}", self.curl("imaps://mail.test/INBOX;MAILINDEX=1", user))

    def test_curl_reads_over_pop3s(self):
        for user in USERS:
            with self.subTest(user):
                self.assertIn(f"Subject: 2 for {user}", self.curl("pop3s://mail.test/2", user))

    def test_curl_upgrades_with_starttls_and_stls(self):
        self.assertIn("Subject: 1 for anna", self.curl("imap://mail.test/INBOX;MAILINDEX=1", "anna", "--ssl-reqd"))
        self.assertIn("Subject: 1 for anna", self.curl("pop3://mail.test/1", "anna", "--ssl-reqd"))

    def test_curl_uses_every_mechanism_that_is_offered(self):
        for mechanism in ("PLAIN", "LOGIN"):
            for sasl_ir in ("--sasl-ir", "--no-sasl-ir"):
                with self.subTest(mechanism=mechanism, ir=sasl_ir):
                    option = ("--login-options", f"AUTH={mechanism}", sasl_ir)
                    self.assertIn("Subject: 1 for bert",
                                  self.curl("imaps://mail.test/INBOX;MAILINDEX=1", BERT, *option))
                    self.assertIn("Subject: 1 for bert", self.curl("pop3s://mail.test/1", BERT, *option))

    def test_curl_is_told_that_the_password_is_wrong(self):
        self.assertIn("67", self.curl("imaps://mail.test/INBOX", "anna", "--user", "anna:wrong", expect=67))
        self.assertIn("67", self.curl("pop3s://mail.test/", "anna", "--user", "anna:wrong", expect=67))

    def test_imaplib_lives_a_whole_session(self):
        for user, password in USERS.items():
            with self.subTest(user):
                session = imaplib.IMAP4_SSL(self.postern.address, ssl_context=trusting(self.authority))
                session.login(user, password)
                self.assertIn(b"IDLE", session.capability()[1][0].split())
                self.assertEqual(session.select()[1], [b"2"])
                self.assertEqual(session.create("Archive")[0], "OK")
                self.assertEqual(session.copy("1", "Archive")[0], "OK")
                self.assertEqual(session.append("INBOX", None, None, message("appended", "x" * 100000))[0], "OK")
                self.assertEqual(session.noop()[0], "OK")
                self.assertEqual(session.search(None, "SUBJECT", "appended")[1], [b"3"])
                self.assertIn(b"x" * 100000, session.fetch("3", "(BODY.PEEK[TEXT])")[1][0][1])
                session.store("1", "+FLAGS", "\\Deleted")
                self.assertEqual(session.expunge()[1], [b"1"])
                self.assertEqual(session.logout()[0], "BYE")

    def test_imaplib_upgrades_with_starttls(self):
        session = imaplib.IMAP4(self.postern.address)
        self.assertIn("LOGINDISABLED", session.capabilities)
        session.starttls(trusting(self.authority))
        self.assertNotIn("LOGINDISABLED", session.capabilities)
        self.assertNotIn("STARTTLS", session.capabilities)
        session.login("anna", USERS["anna"])
        self.assertEqual(session.select()[1], [b"2"])
        session.logout()

    def test_poplib_lives_a_whole_session(self):
        for user, password in USERS.items():
            with self.subTest(user):
                session = poplib.POP3_SSL(self.postern.address, context=trusting(self.authority))
                self.assertIn("USER", session.capa())
                session.user(user)
                session.pass_(password)
                self.assertEqual(session.stat()[0], 2)
                self.assertIn(f"Subject: 2 for {user}".encode(), session.retr(2)[1])
                self.assertEqual(len(session.uidl()[1]), 2)
                session.dele(2)
                self.assertTrue(session.quit().startswith(b"+OK"))
                session = poplib.POP3_SSL(self.postern.address, context=trusting(self.authority))
                session.user(user)
                session.pass_(password)
                self.assertEqual(session.stat()[0], 1)
                session.quit()

    def test_poplib_upgrades_with_stls(self):
        session = poplib.POP3(self.postern.address)
        self.assertNotIn("USER", session.capa())
        session.stls(trusting(self.authority))
        self.assertIn("USER", session.capa())
        session.user("anna")
        session.pass_(USERS["anna"])
        self.assertEqual(session.stat()[0], 2)
        session.quit()

    def test_mbsync_mirrors_a_mailbox_both_ways(self):
        leaf = self.certificate.chain  # mbsync trusts a certificate that it was given itself, whatever its name
        local = self.ground.folder("mirror")
        rules = self.ground.write("mbsyncrc", f"""
IMAPAccount postern
Host {self.postern.address}
User anna
Pass {USERS["anna"]}
SSLType IMAPS
CertificateFile {leaf}
AuthMechs PLAIN

IMAPStore far
Account postern

MaildirStore near
Path {local}/
Inbox {local}/INBOX

Channel mirror
Far :far:
Near :near:
Patterns *
Create Both
Expunge Both
SyncState *
""", 0o600)
        self.run_program("mbsync", "-c", rules, "mirror")
        arrived = os.listdir(f"{local}/INBOX/new") + os.listdir(f"{local}/INBOX/cur")
        self.assertEqual(len(arrived), 2)
        self.ground.write("mirror/INBOX/new/1.rig.local", message("pushed by mbsync").replace(b"\r\n", b"\n"))
        self.run_program("mbsync", "-c", rules, "mirror")
        self.assertIn("Subject: pushed by mbsync", self.curl("imaps://mail.test/INBOX;MAILINDEX=3", "anna"))

    def test_fetchmail_collects_over_both_protocols(self):
        for protocol, keep, count in (("imap", "keep", 2), ("pop3", "no keep", 2)):
            with self.subTest(protocol):
                spool = self.ground.write(f"spool-{protocol}", b"")
                rules = self.ground.write(f"fetchmailrc-{protocol}", f"""
poll {self.postern.address} protocol {protocol} auth password
  user "{BERT}" password '{USERS[BERT].replace(chr(92), chr(92) * 2)}'
  ssl sslcertck sslcertfile {self.authority.file} sslcommonname "mail.test"
  fetchall {keep} mda "cat >>{spool}"
""", 0o600)
                self.run_program("fetchmail", "--fetchmailrc", rules, "--nosyslog",
                                 "--pidfile", self.ground.path("fetchmail.pid"))
                with open(spool) as file:
                    self.assertEqual(file.read().count(f"for {BERT}\n"), count)
        session = poplib.POP3_SSL(self.postern.address, context=trusting(self.authority))
        session.user(BERT)
        session.pass_(USERS[BERT])
        self.assertEqual(session.stat()[0], 0, "collected with POP3 and not kept, so deleted")
        session.quit()


class MailProgramsToDovecot(MailPrograms):
    store = Dovecot


class MailProgramsToCyrus(MailPrograms):
    store = Cyrus


del MailPrograms

if __name__ == "__main__":
    unittest.main()
