"""The peers, each with one worker, the same key and cipher, and logging as in production where it can."""

import os
import subprocess

from servers import Unable


def haproxy(ground, folder, ports, variant, _):
    both = os.path.join(folder, "both.pem")
    write(both, "".join(read(path) for path in ground.certificates[variant.certificate]))
    to_store = " ssl verify none" if variant.store_tls else ""
    listeners = "".join(f"""
listen {name}s
    bind 127.0.0.1:{port} ssl crt {both}
    server s1 127.0.0.1:{ground.store_port(name, variant)}{to_store}
""" for name, port in ports.items())
    config = write(os.path.join(folder, "haproxy.cfg"), f"""
global
    nbthread {variant.workers}
    maxconn 9500
    log 127.0.0.1:{ground.syslog.getsockname()[1]} local0
    ssl-default-bind-ciphersuites TLS_AES_128_GCM_SHA256
defaults
    mode tcp
    log global
    option tcplog
    timeout connect 5s
    timeout client 31m
    timeout server 31m
{listeners}""")
    return [["/usr/sbin/haproxy", "-db", "-f", config]]


def nginx(ground, folder, ports, variant, _):
    if variant.store_tls:
        raise Unable("nginx speaks clear text to its stores")
    chain, key = ground.certificates[variant.certificate]
    listeners = "".join(f"""
    server {{
        listen 127.0.0.1:{port} ssl;
        protocol {name};
    }}""" for name, port in ports.items())
    config = write(os.path.join(folder, "nginx.conf"), f"""
load_module /usr/lib/nginx/modules/ngx_mail_module.so;
daemon off;
user root;
worker_processes {variant.workers};
worker_rlimit_nofile 20000;
pid {folder}/pid;
error_log {folder}/error.log info;
events {{ worker_connections 19500; }}
mail {{
    server_name bench.example.org;
    auth_http 127.0.0.1:{ground.store.ports["auth"]}/auth;
    proxy_timeout 31m;
    ssl_certificate {chain};
    ssl_certificate_key {key};
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_conf_command Ciphersuites TLS_AES_128_GCM_SHA256;
{listeners}
}}
""")
    return [["/usr/sbin/nginx", "-p", folder, "-e", f"{folder}/error.log", "-c", config]]


def dovecot(ground, folder, ports, variant, _):
    chain, key = ground.certificates[variant.certificate]
    store = {name: ground.store_port(name, variant) for name in ports}
    services = "".join(f"""
service {name}-login {{
  inet_listener {name} {{
    port = 0
  }}
  inet_listener {name}s {{
    port = {port}
    ssl = yes
  }}
  service_count = 0
  process_min_avail = {variant.workers}
  process_limit = {variant.workers}
  client_limit = 9500
  vsz_limit = 0
}}""" for name, port in ports.items())
    config = write(os.path.join(folder, "dovecot.conf"), f"""
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/log
listen = 127.0.0.1
protocols = imap pop3
ssl = required
ssl_cert = <{chain}
ssl_key = <{key}
ssl_min_protocol = TLSv1.2
ssl_cipher_suites = TLS_AES_128_GCM_SHA256
auth_mechanisms = plain login
default_client_limit = 20000
passdb {{
  driver = static
  args = proxy=y host=127.0.0.1 port=%{{if;%s;eq;imap;{store["imap"]};{store["pop3"]}}} {"ssl=any-cert " if variant.store_tls else ""}nopassword=y
}}
service anvil {{
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
{services}
""")
    return [["/usr/sbin/dovecot", "-F", "-c", config]]


def perdition(ground, folder, ports, variant, _):
    if variant.workers > 1 or variant.store_tls:
        raise Unable("perdition has a process for each session, and its TLS to the store is not set up here")
    chain, key = ground.certificates[variant.certificate]
    names = {"imap": ("imaps", "IMAP4S"), "pop3": ("pop3s", "POP3S")}
    return [[f"/usr/sbin/perdition.{names[name][0]}", "--no_daemon", "--config_file", "/dev/null",
             "--protocol", names[name][1], "--bind_address", "127.0.0.1", "--listen_port", str(port),
             "--outgoing_server", "127.0.0.1", "--outgoing_port", str(ground.store_port(name, variant)),
             "--ssl_mode", "ssl_listen",
             "--ssl_cert_file", chain, "--ssl_key_file", key, "--no_lookup",
             "--server_resp_line", "--connection_limit", "0", "--log_facility", os.path.join(folder, "log"),
             "--map_library", "", "--username", "root", "--group", "root", "--pid_file", ""]
            for name, port in ports.items()]


PEERS = {"haproxy": haproxy, "nginx": nginx, "dovecot": dovecot, "perdition": perdition}


def write(path, text):
    with open(path, "w") as file:
        file.write(text)
    return path


def read(path):
    with open(path) as file:
        return file.read()


def version_of(server):
    """The program's own words; Postern's log names its BoringSSL."""
    if server.name == "postern":
        with open(os.path.join(server.folder, "log")) as log:
            return next((line.strip() for line in log if "started" in line), "postern: no line says that it started")
    if server.name == "floor":
        return "floor: blocking threads, with the BoringSSL of Postern's build"
    if server.name == "haproxy":
        return lines_of("/usr/sbin/haproxy", "-v")[0].split(" - ")[0] + ", " + haproxy_library()
    if server.name == "nginx":
        return lines_of("/usr/sbin/nginx", "-v")[0]
    if server.name == "dovecot":
        return "Dovecot version: " + lines_of("/usr/sbin/dovecot", "--version")[0]
    return lines_of("/usr/sbin/perdition", "--help")[0]


def lines_of(*command):
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.stdout.decode(errors="replace").splitlines() or ["it says nothing"]


def haproxy_library():
    for line in lines_of("/usr/sbin/haproxy", "-vv"):
        if line.startswith("Running on OpenSSL version"):
            return line.split(":", 1)[1].strip()
    return "TLS library unknown"
