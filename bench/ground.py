"""What all proxies of a comparison share: files, certificates, the cheap store, and which CPU is whose."""

import dataclasses
import os
import socket
import subprocess

from floor import floor
from peers import PEERS
from postern import postern
from servers import Server, free_ports

PROXIES = {"postern": postern, "floor": floor, **PEERS}
OPENSSL = """openssl_conf = start
[start]
ssl_conf = parts
[parts]
system_default = all
[all]
Ciphersuites = TLS_AES_128_GCM_SHA256
"""


@dataclasses.dataclass(frozen=True)
class Variant:
    """In what a proxy differs from the plain one."""
    certificate: str = "ecdsa"   # or "rsa"
    store_tls: bool = False
    workers: int = 1
    source: str = "store"        # of identity: "store", "passwd", "http", "dovecot"
    logs: bool = True            # Postern writes a line for each session
    probes: bool = True          # Postern looks after its store's health while it is measured


class Ground:
    def __init__(self, folder, build, load_build, pin):
        self.folder, self.build, self.load_build = folder, os.path.abspath(build), os.path.abspath(load_build)
        self.proxy_cpu, self.load_cpu = pin if pin else (None, None)
        os.chmod(folder, 0o755)  # Dovecot's own users look into it
        self.certificates = {
            "ecdsa": self._certificate("ecdsa", "ec", "ec_paramgen_curve:P-256"),
            "rsa": self._certificate("rsa", "rsa", "rsa_keygen_bits:2048")}
        self.openssl = write(os.path.join(folder, "openssl.cnf"), OPENSSL)
        # A datagram socket that nobody reads takes the place of the local syslog daemon.
        self.syslog = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.syslog.bind(("127.0.0.1", 0))
        self.count = 0
        self.store = None

    def _certificate(self, name, algorithm, option):
        chain, key = os.path.join(self.folder, f"{name}.pem"), os.path.join(self.folder, f"{name}.key")
        subprocess.run(["openssl", "req", "-x509", "-newkey", algorithm, "-pkeyopt", option, "-nodes",
                        "-keyout", key, "-out", chain, "-days", "2", "-subj", "/CN=bench.example.org",
                        "-addext", "subjectAltName=DNS:bench.example.org"],
                       check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        return chain, key

    def path_for(self, name):
        self.count += 1
        folder = os.path.join(self.folder, f"{self.count}-{name}")
        os.mkdir(folder)
        return folder

    def program(self, name):
        return os.path.join(self.load_build, "bench", name)

    def floor_program(self):
        return os.path.join(self.build, "bench", "bench_floor")  # with the BoringSSL that Postern has

    def start_store(self):
        names = ("imap", "pop3", "auth", "imaps", "pop3s")
        ports = dict(zip(names, free_ports(len(names))))
        chain, key = self.certificates["ecdsa"]
        command = [self.program("bench_store"), "--chain", chain, "--key", key,
                   *[f"--{name}-port={port}" for name, port in ports.items()]]
        self.store = Server("store", self.path_for("store"), [command], ports, self.load_cpu)
        return self.store

    def store_port(self, protocol, variant):
        return self.store.ports[protocol + "s" if variant.store_tls else protocol]

    def start(self, proxy, variant=Variant(), service=None, under=()):
        """New processes of a proxy; `service`: of the source of identity, that it asks; `under`: a command that
        looks on."""
        ports = dict(zip(("imap", "pop3"), free_ports(2)))
        folder = self.path_for(proxy)
        commands = PROXIES[proxy](self, folder, ports, variant, service)
        commands = [[*under, *command] for command in commands]
        environment = {**os.environ, "OPENSSL_CONF": self.openssl}
        server = Server(proxy, folder, commands, ports, self.proxy_cpu if variant.workers == 1 else None, environment)
        server.looks_on = bool(under) and under[0] == "strace"
        return server


def write(path, text):
    with open(path, "w") as file:
        file.write(text)
    return path
