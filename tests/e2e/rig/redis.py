"""A real Redis on an address of its own."""

import os
import signal
import subprocess

from .ground import can_connect, wait_for

PASSWORD = "redis-secret-8"


class Redis:
    """Forgets everything when it stops."""

    port = 6379

    def __init__(self, ground, name="redis"):
        self.ground = ground
        self.address = ground.address()
        self.place = f"{self.address}:{self.port}"
        self._log = f"{name}.log"
        self._file = ground.write(f"{name}.conf", f"bind {self.address}\nport {self.port}\nprotected-mode no\n"
                                                  f"requirepass {PASSWORD}\nsave \"\"\ndir {ground.directory}\n", 0o600)
        self.start()

    def start(self):
        self._child = self.ground.start(["/usr/bin/redis-server", self._file], self._log)
        try:
            wait_for(lambda: can_connect(self.address, self.port), what="Redis")
        except TimeoutError as error:
            with open(self.ground.path(self._log)) as log:
                raise TimeoutError(f"{error}\n{log.read()}") from None

    def stop(self):
        self.ground.stop(self._child)

    def freeze(self):
        """It accepts connections and says nothing, until thaw() or stop()."""
        self._child.send_signal(signal.SIGSTOP)
        self._child.stop_signal = signal.SIGKILL

    def thaw(self):
        self._child.send_signal(signal.SIGCONT)
        self._child.stop_signal = signal.SIGTERM

    def do(self, *words, database=0):
        """One command's answer."""
        done = subprocess.run(["redis-cli", "-h", self.address, "-p", str(self.port), "-n", str(database), *words],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20, check=True,
                              env={**os.environ, "REDISCLI_AUTH": PASSWORD})
        return done.stdout.strip()

    def put(self, user, place, **options):
        assert self.do("SET", f"postern:user:{user}", place, **options) == "OK"
