"""The processes of a comparison: the cheap store and the proxies, what each is told, and what each has used."""

import contextlib
import os
import resource
import signal
import socket
import subprocess
import time

GIVE_UP = 30  # seconds for a server to come or to go


class Failure(Exception):
    """Something did not work as it must; the text is for the reader of the table."""


def free_ports(count):
    with contextlib.ExitStack() as held:
        probes = [held.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]


def for_child(cpu):
    """What a child does before it becomes the program: its CPU, and as many descriptors as it may have."""
    def prepare():
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        if cpu is not None:
            os.sched_setaffinity(0, {cpu})
    return prepare


class Server:
    """One program in the foreground, with its ports; ends with the `with` that holds it."""

    def __init__(self, name, folder, command, ports, cpu):
        self.name, self.folder, self.ports = name, folder, ports
        self.output = os.path.join(folder, "output")
        with open(self.output, "ab") as output:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                                            cwd=folder, preexec_fn=for_child(cpu))

    def __enter__(self):
        deadline = time.monotonic() + GIVE_UP
        for port in self.ports.values():
            while not self._answers(port):
                if self.process.poll() is not None or time.monotonic() > deadline:
                    self.__exit__()
                    raise Failure(f"{self.name} does not start: {self.said()}")
                time.sleep(0.02)
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(GIVE_UP)
            except subprocess.TimeoutExpired:
                self.process.kill()
        self.process.wait()

    @staticmethod
    def _answers(port):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=GIVE_UP):
            return True
        return False

    def said(self):
        with open(self.output, errors="replace") as file:
            return file.read().strip()[-500:] or "it says nothing"

    def pids(self):
        found = [self.process.pid]
        for pid in found:  # grows: children of children too
            with open(f"/proc/{pid}/task/{pid}/children") as file:
                found += [int(child) for child in file.read().split()]
        return found

    def cpu(self):
        """Seconds that all threads of all its processes have run, from the scheduler's own count in nanoseconds."""
        total = 0
        for pid in self.pids():
            for task in os.listdir(f"/proc/{pid}/task"):
                with open(f"/proc/{pid}/task/{task}/schedstat") as file:
                    total += int(file.read().split()[0])
        return total / 1e9

    def memory(self):
        """Bytes of proportional set size, of all its processes."""
        total = 0
        for pid in self.pids():
            with open(f"/proc/{pid}/smaps_rollup") as file:
                total += next(int(line.split()[1]) for line in file if line.startswith("Pss:"))
        return total * 1024


class Ground:
    """What all proxies share: where files go, the certificate, the store, who logs where, and which CPU is whose."""

    def __init__(self, folder, build, load_build, pin):
        self.folder, self.build, self.load_build = folder, os.path.abspath(build), os.path.abspath(load_build)
        self.proxy_cpu, self.load_cpu = pin if pin else (None, None)
        self.chain, self.key = os.path.join(folder, "chain.pem"), os.path.join(folder, "key.pem")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                        "-keyout", self.key, "-out", self.chain, "-days", "2", "-subj", "/CN=bench.example.org",
                        "-addext", "subjectAltName=DNS:bench.example.org"],
                       check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        # A datagram socket that nobody reads takes the place of the local syslog daemon.
        self.syslog = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.syslog.bind(("127.0.0.1", 0))
        self.count = 0
        self.store = None

    def path_for(self, name):
        self.count += 1
        folder = os.path.join(self.folder, f"{self.count}-{name}")
        os.mkdir(folder)
        return folder

    def program(self, name):
        return os.path.join(self.load_build, "bench", name)

    def start_store(self):
        ports = dict(zip(("imap", "pop3", "auth"), free_ports(3)))
        command = [self.program("bench_store")] + [f"--{name}-port={port}" for name, port in ports.items()]
        self.store = Server("store", self.path_for("store"), command, ports, self.load_cpu)
        return self.store

    def start(self, proxy):
        """A new process of "postern", "haproxy" or "nginx", with one worker."""
        ports = dict(zip(("imap", "pop3"), free_ports(2)))
        folder = self.path_for(proxy)
        command = PROXIES[proxy](self, folder, ports)
        return Server(proxy, folder, command, ports, self.proxy_cpu)


def write(path, text):
    with open(path, "w") as file:
        file.write(text)
    return path


def postern(ground, folder, ports):
    store = ground.store.ports
    listeners = "".join(f"""
[listen.{name}s]
protocol = "{name}"
address = ["127.0.0.1:{port}"]
tls = "implicit"
""" for name, port in ports.items())
    config = write(os.path.join(folder, "postern.toml"), f"""
[server]
name = "bench.example.org"
workers = 1
[server.drain]
spread = "0s"
deadline = "0s"
[log]
target = "{folder}/log"
[limits]
sessions = 9000
prelogin_per_address = 0
[tls]
certificates = [{{ chain = "{ground.chain}", key = "{ground.key}" }}]
{listeners}
[[route]]
user = "*"
pool = "store"
[pool.store]
imap_port = {store["imap"]}
pop3_port = {store["pop3"]}
[pool.store.backends]
s1 = "127.0.0.1"
[admin]
http = ""
""")
    return [os.path.join(ground.build, "postern"), "run", "--config", config]


def haproxy(ground, folder, ports):
    pem = os.path.join(folder, "both.pem")
    with open(ground.chain) as chain, open(ground.key) as key:
        write(pem, chain.read() + key.read())
    listeners = "".join(f"""
listen {name}s
    bind 127.0.0.1:{port} ssl crt {pem}
    server s1 127.0.0.1:{ground.store.ports[name]}
""" for name, port in ports.items())
    config = write(os.path.join(folder, "haproxy.cfg"), f"""
global
    nbthread 1
    maxconn 9000
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
    return ["/usr/sbin/haproxy", "-db", "-f", config]


def nginx(ground, folder, ports):
    listeners = "".join(f"""
    server {{
        listen 127.0.0.1:{port} ssl;
        protocol {name};
    }}""" for name, port in ports.items())
    config = write(os.path.join(folder, "nginx.conf"), f"""
load_module /usr/lib/nginx/modules/ngx_mail_module.so;
daemon off;
user root;
worker_processes 1;
worker_rlimit_nofile 20000;
pid {folder}/pid;
events {{ worker_connections 19000; }}
mail {{
    server_name bench.example.org;
    auth_http 127.0.0.1:{ground.store.ports["auth"]}/auth;
    proxy_timeout 31m;
    ssl_certificate {ground.chain};
    ssl_certificate_key {ground.key};
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_conf_command Ciphersuites TLS_AES_128_GCM_SHA256;
{listeners}
}}
""")
    return ["/usr/sbin/nginx", "-p", folder, "-e", f"{folder}/error.log", "-c", config]


PROXIES = {"postern": postern, "haproxy": haproxy, "nginx": nginx}


def version_of(server):
    """The program's own words; Postern's log names its BoringSSL."""
    def first_line(*command):
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        return done.stdout.decode(errors="replace").splitlines()[0]
    if server.name == "haproxy":
        return first_line("/usr/sbin/haproxy", "-v").split(" - ")[0] + ", " + haproxy_library()
    if server.name == "nginx":
        return first_line("/usr/sbin/nginx", "-v")
    with open(os.path.join(server.folder, "log")) as log:
        return next((line.strip() for line in log if "started" in line), "postern: no line says that it started")


def haproxy_library():
    done = subprocess.run(["/usr/sbin/haproxy", "-vv"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    for line in done.stdout.decode(errors="replace").splitlines():
        if line.startswith("Running on OpenSSL version"):
            return line.split(":", 1)[1].strip()
    return "TLS library unknown"
