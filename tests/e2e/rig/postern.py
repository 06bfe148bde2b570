"""The program under test: writes its configuration, starts it, reads its log and metrics, stops it."""

import json
import os
import re
import signal
import subprocess
import urllib.error
import urllib.request

from .ground import wait_for


def binary():
    path = os.environ.get("POSTERN_BINARY")
    if not path or not os.access(path, os.X_OK):
        raise RuntimeError("POSTERN_BINARY does not name the program to test")
    return path


def _instrumented(symbol):
    with open(binary(), "rb") as file:
        return symbol in file.read()


def is_sanitized():
    """Memory figures mean nothing in a build with a sanitizer."""
    return _instrumented(b"__asan_init") or _instrumented(b"__tsan_init")


def needs_descriptors():
    """UndefinedBehaviorSanitizer opens a pipe to look at an object's type, and takes it for broken where it cannot."""
    return _instrumented(b"__ubsan_handle_dynamic_type_cache_miss")


def _toml_value(value):
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_toml_value(each)}" for key, each in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(_toml_value(each) for each in value) + "]"
    return json.dumps(value, ensure_ascii=False)


def toml(tables, prefix=""):
    """Nested dicts as TOML text. A list of dicts at the top becomes [[name]]; in lists, dicts stand inline."""
    plain, deeper = "", ""
    for key, value in tables.items():
        name = f"{prefix}{key}"
        if isinstance(value, dict) and not (prefix.endswith("backends.") or key == "eject"):
            inner = toml(value, name + ".")
            deeper += inner if inner.startswith("\n[") else f"\n[{name}]\n{inner}"
        elif not prefix and isinstance(value, list):
            deeper += "".join(f"\n[[{name}]]\n{toml(each, name + '.')}" for each in value)
        else:
            plain += f"{key} = {_toml_value(value)}\n"
    return plain + deeper


def merge(base, changes):
    """A copy of nested dicts with `changes` laid over it; None takes a key out."""
    result = dict(base)
    for key, value in changes.items():
        if value is None:
            result.pop(key, None)
        elif isinstance(value, dict) and isinstance(result.get(key), dict):
            result[key] = merge(result[key], value)
        else:
            result[key] = value
    return result


def pool(*stores, **settings):
    """A pool of rig stores (Dovecot, Cyrus, FakeStore), or of anything else with a name and an address."""
    patient = {"time": {"connect": "2s", "login": "10s"}, "health": {"interval": "500ms", "timeout": "2s"}}
    return merge({**patient, "backends": {store.name: store.address for store in stores}}, settings)


def everything(ground, certificates, pools):
    """The configuration that most tests begin with: all four ports on an address of its own, routes to the first
    pool, a debug log in JSON."""
    address = ground.address()
    return {
        "server": {"name": "mail.test", "workers": 2,
                   "drain": {"wait": "0s", "spread": "1s", "deadline": "5s"}},
        "log": {"level": "debug", "format": "json"},
        "limits": {"sessions": 2000, "failure_delay": "10ms", "failure_delay_max": "20ms"},
        "tls": {"certificates": [{"chain": each.chain, "key": each.key} for each in certificates]},
        "listen": {
            "imaps": {"protocol": "imap", "address": [f"{address}:993"], "tls": "implicit"},
            "imap": {"protocol": "imap", "address": [f"{address}:143"], "tls": "starttls"},
            "pop3s": {"protocol": "pop3", "address": [f"{address}:995"], "tls": "implicit"},
            "pop3": {"protocol": "pop3", "address": [f"{address}:110"], "tls": "starttls"},
        },
        "auth": {"by": "store"},
        "route": [{"user": "*", "pool": next(iter(pools))}],
        "pool": pools,
        "admin": {"http": f"{address}:9993"},
    }


class Postern:
    """Runs until stop(), which wants exit status 0 unless told otherwise; a sanitizer's report makes it another.
    `ready` is the page that must answer 200 before the test goes on: "/healthz" where no store is well."""

    imaps_port, imap_port, pop3s_port, pop3_port = 993, 143, 995, 110

    def __init__(self, ground, configuration, name="postern", prefix=(), ready="/readyz"):
        self.ground = ground
        self.configuration = configuration
        self.address, port = configuration["admin"]["http"].rsplit(":", 1)
        self._admin = f"http://{self.address}:{port}"
        self._log = f"{name}.log"
        self.file = ground.write(f"{name}.toml", toml(configuration))
        self.child = ground.start([*prefix, binary(), "run", "--config", self.file], self._log)
        self._wait_for_page(ready)

    @property
    def pid(self):
        return self.child.pid

    def _wait_for_page(self, page):
        def ready():
            if self.child.poll() is not None:
                raise RuntimeError(f"Postern ended with status {self.child.returncode}:\n{self.log()}")
            return self.http(page)[0] == 200
        try:
            wait_for(ready, what=page)
        except TimeoutError as error:
            raise TimeoutError(f"{error}\n{self.log()}") from None

    def http(self, path):
        """Status and text of a page of the admin port; status 0 when nobody answers."""
        try:
            with urllib.request.urlopen(self._admin + path, timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError:
            return 0, ""

    def metrics(self):
        """All series as {(name, frozenset of (label, value)): number}."""
        found = {}
        for line in self.http("/metrics")[1].splitlines():
            match = re.fullmatch(r"(\w+)(?:\{(.*)\})? (\S+)(?: \d+)?", line)
            if match:
                labels = frozenset(re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', match[2] or ""))
                found[match[1], labels] = float(match[3])
        return found

    def metric(self, name, **labels):
        """The sum of all series of that name that carry these labels."""
        wanted = set(labels.items())
        return sum(value for (each, has), value in self.metrics().items() if each == name and wanted <= has)

    def log(self):
        with open(self.ground.path(self._log), errors="replace") as file:
            return file.read()

    def records(self, **fields):
        """The log's lines as dicts, of those that carry these fields with these values."""
        found = []
        for line in self.log().splitlines():
            try:
                record = json.loads(line)
            except ValueError:
                record = {"unparsed": line}
            if all(str(record.get(key)) == str(value) for key, value in fields.items()):
                found.append(record)
        return found

    def wait_for_record(self, **fields):
        return wait_for(lambda: self.records(**fields), what=f"a log line with {fields}")[-1]

    def reconfigure(self, configuration):
        """Writes another configuration and asks for a reload."""
        self.configuration = configuration
        self.ground.write(os.path.basename(self.file), toml(configuration))
        self.signal(signal.SIGHUP)

    def signal(self, number):
        self.child.send_signal(number)

    def status(self, key):
        """A line of /proc/PID/status, in kB where it is a size."""
        with open(f"/proc/{self.pid}/status") as file:
            for line in file:
                if line.startswith(key + ":"):
                    return line.split(":", 1)[1].split()[0]
        raise KeyError(key)

    def open_descriptors(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def lowest_free_descriptor(self):
        taken = {int(name) for name in os.listdir(f"/proc/{self.pid}/fd")}
        return next(number for number in range(len(taken) + 1) if number not in taken)

    def stop(self, expect=0):
        status = self.ground.stop(self.child)
        if status != expect:
            raise AssertionError(f"Postern ended with status {status}, not {expect}:\n{self.log()[-8000:]}")
        return status


def check(ground, text, name="checked.toml"):
    """`postern check`: exit status and all it printed."""
    done = subprocess.run([binary(), "check", "--config", ground.write(name, text)], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=30)
    return done.returncode, done.stdout.decode()
