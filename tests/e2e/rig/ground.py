"""A directory, loopback addresses and child processes that live exactly as long as one test or demo."""

import atexit
import contextlib
import os
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time


def wait_for(condition, seconds=20, what="condition"):
    """Polls until condition() gives something true and returns it; TimeoutError after `seconds`."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise TimeoutError(f"{what} did not come true in {seconds} s")
        time.sleep(0.02)


def can_connect(address, port):
    with contextlib.suppress(OSError), socket.create_connection((address, port), timeout=1):
        return True
    return False


def greets(address, port, word):
    """True when a server there begins to talk with `word`."""
    with contextlib.suppress(OSError), socket.create_connection((address, port), timeout=2) as peer:
        return peer.recv(512).startswith(word)
    return False


class Ground:
    """Everything that must be gone afterwards. Use it as a context manager, or call close()."""

    def __init__(self, name="postern"):
        self.directory = tempfile.mkdtemp(prefix=f"{name}-")
        os.chmod(self.directory, 0o755)  # stores drop their privileges and still have to get in
        self._reserved = []
        self._children = []
        atexit.register(self.close)  # whatever ends this program

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def path(self, *parts):
        return os.path.join(self.directory, *parts)

    def folder(self, *parts):
        path = self.path(*parts)
        os.makedirs(path, exist_ok=True)
        return path

    def write(self, name, text, mode=0o644):
        path = self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(text.encode() if isinstance(text, str) else text)
        os.chmod(path, mode)
        return path

    def address(self):
        """A loopback address that no other Ground of this machine uses, so that every server on it can have
        its standard port. It is reserved by a bound socket on port 65535."""
        while True:
            address = f"127.{random.randint(16, 250)}.{random.randint(0, 255)}.{random.randint(1, 254)}"
            lock = socket.socket()
            try:
                lock.bind((address, 65535))
            except OSError:
                lock.close()
                continue
            self._reserved.append(lock)
            return address

    def start(self, arguments, log, stop_signal=signal.SIGTERM, **options):
        """Starts a process with its output appended to the file `log`, out of reach of a terminal's Ctrl-C. It is
        stopped by close()."""
        with open(self.path(log), "ab") as output:
            child = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                                     start_new_session=True, **options)
        child.stop_signal = stop_signal
        self._children.append(child)
        return child

    def stop(self, child, seconds=20):
        """Asks a process to end and gives its exit status; kills it when it does not."""
        if child.poll() is None:
            child.send_signal(child.stop_signal)
            try:
                child.wait(seconds)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
        return child.returncode

    def close(self):
        atexit.unregister(self.close)
        for child in reversed(self._children):
            self.stop(child)
        self._children.clear()
        for lock in self._reserved:
            lock.close()
        self._reserved.clear()
        shutil.rmtree(self.directory, ignore_errors=True)
