"""Postern as it is compared, and the sources of identity that it asks."""

import crypt
import os

from servers import Server

USERS = 1000
PASSWORD = "secret"
HASH = crypt.crypt(PASSWORD, "$5$rounds=1000$postern")  # the cheapest that crypt(3) makes: not what it costs is measured
YESCRYPT = crypt.crypt(PASSWORD, "$y$j9T$posternsalts$")  # of Debian's default cost

UNVERIFIED_TLS = 'tls = "implicit"\nverify = false'
NO_PROBES = '[pool.store.health]\ninterval = "1h"\n'


def postern(ground, folder, ports, variant, service):
    chain, key = ground.certificates[variant.certificate]
    listeners = "".join(f"""
[listen.{name}s]
protocol = "{name}"
address = ["127.0.0.1:{port}"]
tls = "implicit"
""" for name, port in ports.items())
    config = os.path.join(folder, "postern.toml")
    with open(config, "w") as file:
        file.write(f"""
[server]
name = "bench.example.org"
workers = {variant.workers}
[server.drain]
spread = "0s"
deadline = "0s"
[log]
target = "{folder}/log"
level = "{"info" if variant.logs else "warn"}"
[limits]
sessions = 9500
prelogin_per_address = 0
[tls]
certificates = [{{ chain = "{chain}", key = "{key}" }}]
{listeners}
{source(ground, folder, variant, service)}
[[route]]
user = "*"
pool = "store"
[pool.store]
{UNVERIFIED_TLS if variant.store_tls else 'tls = "none"'}
imap_port = {ground.store_port("imap", variant)}
pop3_port = {ground.store_port("pop3", variant)}
[pool.store.backends]
s1 = "127.0.0.1"
{"" if variant.probes else NO_PROBES}
[admin]
http = ""
""")
    return [[os.path.join(ground.build, "postern"), "run", "--config", config]]


def source(ground, folder, variant, service):
    if variant.source in ("passwd", "yescrypt"):
        hashed = YESCRYPT if variant.source == "yescrypt" else HASH
        path = os.path.join(folder, "passwd")
        with open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:
            file.writelines(f"user{number}:{hashed}\n" for number in range(USERS))
        return f'[auth]\nby = "passwd"\npasswd_file = "{path}"\n'
    if variant.source == "http":
        return ('[auth]\nby = "http"\nallowed_hosts = ["127.0.0.1/32"]\n'
                f'http = {{ url = "http://127.0.0.1:{ground.store.ports["auth"]}/auth" }}\n')
    if variant.source == "dovecot":
        return f'[auth]\nby = "dovecot"\ndovecot = {{ socket = "{service.ports["auth"]}" }}\n'
    return ""


def dovecot_auth(ground):
    """Dovecot's authentication service alone, with the same hashes."""
    folder = ground.path_for("dovecot-auth")
    with open(os.path.join(folder, "users"), "w") as file:
        file.writelines(f"user{number}:{{CRYPT}}{HASH}::::::\n" for number in range(USERS))
    config = os.path.join(folder, "dovecot.conf")
    with open(config, "w") as file:
        file.write(f"""
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/log
listen = 127.0.0.1
protocols =
ssl = no
auth_mechanisms = plain login
auth_failure_delay = 0
auth_cache_size = 0
passdb {{
  driver = passwd-file
  args = {folder}/users
}}
userdb {{
  driver = static
  args = uid=65534 gid=65534 home=/nonexistent
}}
service auth {{
  unix_listener auth-client {{
    mode = 0600
  }}
}}
service anvil {{
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
""")
    return Server("dovecot-auth", folder, [["/usr/sbin/dovecot", "-F", "-c", config]],
                  {"auth": os.path.join(folder, "run", "auth-client")}, ground.load_cpu)
