"""A real Dovecot store on an address of its own: IMAP 143, POP3 110, with TLS also 993 and 995."""

import os
import re
import shutil

from .ground import greets, wait_for

MASTER_USER = "postern"
MASTER_PASSWORD = "master-secret-7"

_CONFIGURATION = """
base_dir = {base}/run
state_dir = {base}/state
log_path = {base}/log
listen = {address}
protocols = imap pop3
ssl = {ssl}
disable_plaintext_auth = no
auth_mechanisms = {mechanisms}
auth_failure_delay = 0
auth_master_user_separator = *
auth_cache_size = 0
login_greeting = {name} ready.
login_trusted_networks = 127.0.0.0/8
mail_location = maildir:{base}/mail/%u
mail_uid = mail
mail_gid = mail
first_valid_uid = 1
mail_max_userip_connections = 0
mail_log_prefix = "%s(%u)<%{{session}}>: "
haproxy_trusted_networks = {haproxy_trusted}
passdb {{
  driver = passwd-file
  args = {base}/masters
  master = yes
}}
passdb {{
  driver = passwd-file
  args = {base}/users
}}
userdb {{
  driver = passwd-file
  args = {base}/users
}}
service imap-login {{
  inet_listener imap {{
    port = 143
  }}
  inet_listener imaps {{
    port = {imaps}
    ssl = yes
  }}
  inet_listener imap-haproxy {{
    port = 10143
    haproxy = yes
  }}
  service_count = 0
}}
service pop3-login {{
  inet_listener pop3 {{
    port = 110
  }}
  inet_listener pop3s {{
    port = {pop3s}
    ssl = yes
  }}
  inet_listener pop3-haproxy {{
    port = 10110
    haproxy = yes
  }}
  service_count = 0
}}
service anvil {{
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
protocol imap {{
  mail_plugins = $mail_plugins mail_log notify
}}
protocol pop3 {{
  mail_plugins = $mail_plugins mail_log notify
}}
plugin {{
  mail_log_events = delete undelete expunge
}}
{tls}
{extra}
"""


class Dovecot:
    """`users` maps names to passwords, with a {SCHEME} of Dovecot's before them if wanted. `certificate` turns on
    STARTTLS and the ports with implicit TLS. Ports 10143 and 10110 demand a PROXY header."""

    imap_port, pop3_port = 143, 110
    imaps_port, pop3s_port = 993, 995
    haproxy_imap_port, haproxy_pop3_port = 10143, 10110

    def __init__(self, ground, users, name="dovecot", certificate=None, mechanisms="plain login",
                 haproxy_trusted="127.0.0.0/8", address=None, extra=""):
        self.ground = ground
        self.name = name
        self.address = address or ground.address()
        self._base = ground.folder(self.name)
        lines = []
        for user, password in users.items():
            scheme = "" if password.startswith("{") else "{PLAIN}"
            lines.append(f"{user}:{scheme}{password}::::::\n")
        ground.write(f"{name}/users", "".join(lines))
        ground.write(f"{name}/masters", f"{MASTER_USER}:{{PLAIN}}{MASTER_PASSWORD}\n")
        os.chmod(self._base, 0o755)
        shutil.chown(ground.folder(name, "mail"), "mail", "mail")
        tls = ""
        if certificate:
            tls = f"ssl_cert = <{certificate.chain}\nssl_key = <{certificate.key}\n"
        self._file = ground.write(f"{name}/dovecot.conf", _CONFIGURATION.format(
            base=self._base, name=name, address=self.address, mechanisms=mechanisms, tls=tls,
            ssl="yes" if certificate else "no", imaps=self.imaps_port if certificate else 0,
            pop3s=self.pop3s_port if certificate else 0, haproxy_trusted=haproxy_trusted, extra=extra))
        self._child = None
        self.start()

    def start(self):
        self._child = self.ground.start(["/usr/sbin/dovecot", "-F", "-c", self._file], f"{self.name}/output")
        try:
            wait_for(lambda: greets(self.address, self.imap_port, b"* OK")
                     and greets(self.address, self.pop3_port, b"+OK"), what=f"the greeting of {self.name}")
        except TimeoutError as error:
            raise TimeoutError(f"{error}\n{self.log()}") from None

    def stop(self):
        self.ground.stop(self._child)

    def log(self):
        text = ""
        for name in ("output", "log"):
            path = os.path.join(self._base, name)
            if os.path.exists(path):
                with open(path, errors="replace") as file:
                    text += file.read()
        return text

    def logins(self):
        """What Dovecot has logged about each good login: dicts with user, method, rip, lip, session and tls."""
        found = []
        for line in self.log().splitlines():
            if "-login: Info: Login: " in line:
                fields = dict(re.findall(r"(\w+)=<?([^,>]*)>?", line))
                fields["tls"] = ", TLS" in line
                found.append(fields)
        return found

    def deliver(self, user, message):
        """Puts a message in the user's INBOX, also while the store runs. Returns the name of its file."""
        home = os.path.join(self._base, "mail", user)
        for part in ("cur", "new", "tmp"):
            os.makedirs(os.path.join(home, part), exist_ok=True)
        name = f"{len(os.listdir(os.path.join(home, 'new'))):06}.rig.{self.name}"
        path = os.path.join(home, "tmp", name)
        with open(path, "wb") as file:
            if hasattr(message, "read"):
                shutil.copyfileobj(message, file)
            else:
                file.write(message)
        for folder, _, files in os.walk(home):
            shutil.chown(folder, "mail", "mail")
            for each in files:
                shutil.chown(os.path.join(folder, each), "mail", "mail")
        os.rename(path, os.path.join(home, "new", name))
        return name
