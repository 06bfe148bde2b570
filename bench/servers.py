"""Processes: one that runs in the foreground, with its ports, and what it has used."""

import contextlib
import os
import random
import resource
import signal
import socket
import subprocess
import time

GIVE_UP = 30  # seconds for a server to come or to go
TICK = os.sysconf("SC_CLK_TCK")


class Failure(Exception):
    """Something did not work as it must; the text is for the reader of the table."""


class Unable(Exception):
    """What is asked for does not exist in this program: no failure, but no figure either."""


def free_ports(count):
    """Below those that the system gives to connections: one of the load's could take them again."""
    with open("/proc/sys/net/ipv4/ip_local_port_range") as file:
        first = int(file.read().split()[0])
    found = []
    while len(found) < count:
        port = random.randrange(first // 2, first)
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            found += [port] if port not in found else []
    return found


def for_child(cpu, yields=False):
    """What a child does before it becomes the program: its CPU, and as many descriptors as it may have; `yields` to
    the others on that CPU."""
    def prepare():
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        if cpu is not None:
            os.sched_setaffinity(0, {cpu})
        if yields:
            os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    return prepare


class Server:
    """One or more programs in the foreground, with their ports; end with the `with` that holds them."""

    looks_on = False  # the program is the child of one that looks on, and ends when its child has ended

    def __init__(self, name, folder, commands, ports, cpu, environment=None):
        self.name, self.folder, self.ports = name, folder, ports
        self.output = os.path.join(folder, "output")
        self.processes = []
        with open(self.output, "ab") as output:
            for command in commands:
                self.processes.append(subprocess.Popen(
                    command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=folder,
                    env=environment, preexec_fn=for_child(cpu)))

    def __enter__(self):
        deadline = time.monotonic() + GIVE_UP
        for port in self.ports.values():
            while not self._answers(port):
                if any(one.poll() is not None for one in self.processes) or time.monotonic() > deadline:
                    self.__exit__()
                    raise Failure(f"{self.name} does not start: {self.said()}")
                time.sleep(0.02)
        return self

    def __exit__(self, *_):
        left = [] if any(one.poll() is not None for one in self.processes) else self.pids()
        for pid in left[len(self.processes):] if self.looks_on else [one.pid for one in self.processes]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
        for one in self.processes:
            try:
                one.wait(GIVE_UP)
            except subprocess.TimeoutExpired:
                one.kill()
                one.wait()
        for pid in left:  # children that their program leaves to their clients
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    @staticmethod
    def _answers(port):
        with contextlib.suppress(OSError):
            if isinstance(port, str):
                with socket.socket(socket.AF_UNIX) as probe:
                    probe.connect(port)
                return True
            with socket.create_connection(("127.0.0.1", port), timeout=GIVE_UP):
                return True
        return False

    def said(self):
        words = ""
        for path in (self.output, os.path.join(self.folder, "log")):
            with contextlib.suppress(OSError), open(path, errors="replace") as file:
                words += file.read()[-500:]
        return words.strip() or "it says nothing"

    def pids(self):
        found = [one.pid for one in self.processes]
        for pid in found:  # grows: children of children too
            with contextlib.suppress(OSError), open(f"/proc/{pid}/task/{pid}/children") as file:
                found += [int(child) for child in file.read().split()]
        return found

    def cpu(self):
        """Seconds that all threads of all its processes have run: the living from the scheduler's own count in
        nanoseconds, those that have ended from their parent's."""
        total = 0.0
        for pid in self.pids():
            with contextlib.suppress(OSError):
                for task in os.listdir(f"/proc/{pid}/task"):
                    with open(f"/proc/{pid}/task/{task}/schedstat") as file:
                        total += int(file.read().split()[0]) / 1e9
                with open(f"/proc/{pid}/stat") as file:
                    fields = file.read().rsplit(")", 1)[1].split()
                total += (int(fields[13]) + int(fields[14])) / TICK
        return total

    def memory(self):
        """Bytes of proportional set size, of all its processes."""
        total = 0
        for pid in self.pids():
            with contextlib.suppress(OSError), open(f"/proc/{pid}/smaps_rollup") as file:
                total += next(int(line.split()[1]) for line in file if line.startswith("Pss:"))
        return total * 1024
