"""A real Cyrus store on an address of its own, IMAP 143 and POP3 110, from the tree that deploy/packages.sh
unpacked: nothing of it is installed."""

import imaplib
import os
import shutil
import subprocess

from .ground import greets, wait_for

TREE = os.path.join(os.environ.get("POSTERN_CACHE", "/var/cache/postern"), "cyrus")
ADMIN = "cyrus-admin"
ADMIN_PASSWORD = "admin-secret-5"
MASTER_USER = "postern"
MASTER_PASSWORD = "master-secret-7"
_OWNER = "mail"  # Debian has this user on every machine

_CONFIGURATION = """
configdirectory: {base}/conf
defaultpartition: default
partition-default: {base}/mail
servername: {name}
serverinfo: min
cyrus_user: {owner}
admins: {admin}
proxyservers: {master}
virtdomains: userid
defaultdomain: local.test
unixhierarchysep: yes
altnamespace: yes
allowplaintext: yes
autocreate_quota: 0
duplicatesuppression: no
sasl_mech_list: PLAIN LOGIN
sasl_pwcheck_method: auxprop
sasl_auxprop_plugin: sasldb
sasl_sasldb_path: {base}/sasldb2
popminpoll: 0
failedloginpause: 0
{tls}
"""

_SERVICES = """
START {{
  recover cmd="{bin}/ctl_cyrusdb -C {file} -r"
}}
SERVICES {{
  imap cmd="{bin}/imapd -C {file}" listen="{address}:143" prefork=1
  pop3 cmd="{bin}/pop3d -C {file}" listen="{address}:110" prefork=1
}}
EVENTS {{
}}
"""


def _environment():
    library = os.path.join(TREE, "usr/lib", os.uname().machine + "-linux-gnu")
    return dict(os.environ, LD_LIBRARY_PATH=library)


class Cyrus:
    """`users` maps names to passwords; each gets an INBOX. A certificate turns on STARTTLS."""

    imap_port, pop3_port = 143, 110

    def __init__(self, ground, users, name="cyrus", certificate=None, address=None):
        self.ground = ground
        self.name = name
        self.address = address or ground.address()
        self._base = ground.folder(name)
        for part in ("conf", "mail"):
            ground.folder(name, part)
        tls = ""
        if certificate:
            key = shutil.copy(certificate.key, os.path.join(self._base, "tls.key"))
            tls = f"tls_server_cert: {certificate.chain}\ntls_server_key: {key}\n"
        self._file = ground.write(f"{name}/imapd.conf", _CONFIGURATION.format(
            base=self._base, name=name, owner=_OWNER, admin=ADMIN, master=MASTER_USER,
            tls=tls))
        self._services = ground.write(f"{name}/cyrus.conf", _SERVICES.format(
            bin=os.path.join(TREE, "usr/lib/cyrus/bin"), file=self._file, address=self.address))
        for user, password in {ADMIN: ADMIN_PASSWORD, MASTER_USER: MASTER_PASSWORD, **users}.items():
            self._set_password(user, password)
        for folder, _, files in os.walk(self._base):
            for path in [folder, *(os.path.join(folder, file) for file in files)]:
                shutil.chown(path, _OWNER, "mail")
        self._child = None
        self.start()
        admin = self._imap(ADMIN, ADMIN_PASSWORD)
        for user in users:
            status, answer = admin.create(f'"user/{user}"')
            assert status == "OK", answer
        admin.logout()

    def _set_password(self, user, password):
        local, _, domain = user.partition("@")
        subprocess.run([os.path.join(TREE, "usr/sbin/saslpasswd2"), "-p", "-c", "-f",
                        os.path.join(self._base, "sasldb2"), "-u", domain or self.name, local],
                       input=password.encode(), check=True, capture_output=True)

    def _imap(self, user, password):
        session = imaplib.IMAP4(self.address)
        session.login(user, password)
        return session

    def start(self):
        self._child = self.ground.start(
            [os.path.join(TREE, "usr/lib/cyrus/bin/master"), "-C", self._file, "-M", self._services,
             "-p", os.path.join(self._base, "conf/master.pid")],
            f"{self.name}/output", env=_environment())
        try:
            wait_for(lambda: greets(self.address, self.imap_port, b"* OK")
                     and greets(self.address, self.pop3_port, b"+OK"), what=f"the greeting of {self.name}")
        except TimeoutError as error:
            with open(os.path.join(self._base, "output"), errors="replace") as file:
                raise TimeoutError(f"{error}\n{file.read()}") from None

    def stop(self):
        self.ground.stop(self._child)

    def deliver(self, user, message):
        """Puts a message in the user's INBOX."""
        session = imaplib.IMAP4(self.address)
        session.authenticate("PLAIN", lambda _: f"{user}\0{MASTER_USER}\0{MASTER_PASSWORD}".encode())
        status, answer = session.append("INBOX", None, None, message)
        assert status == "OK", answer
        session.logout()
