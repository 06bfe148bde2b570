"""Dovecot's authentication service alone, without a store: its auth-client socket is `socket`."""

import contextlib
import os
import signal
import stat

from .ground import wait_for

_CONFIGURATION = """
base_dir = {base}/run
state_dir = {base}/state
log_path = {base}/log
listen = 127.0.0.1
protocols =
ssl = no
auth_mechanisms = {mechanisms}
auth_failure_delay = 0
auth_cache_size = 0
auth_master_user_separator =
passdb {{
  driver = passwd-file
  args = {base}/users
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
"""


class DovecotAuth:
    """`users` maps names to passwords, or to (password, extra fields of Dovecot's passdb)."""

    def __init__(self, ground, users, mechanisms="plain login", name="dovecot-auth"):
        self.ground = ground
        self.name = name
        self._base = ground.folder(name)
        self.socket = os.path.join(self._base, "run", "auth-client")
        os.chmod(self._base, 0o755)
        lines = []
        for user, entry in users.items():
            password, fields = entry if isinstance(entry, tuple) else (entry, "")
            lines.append(f"{user}:{{PLAIN}}{password}::::::{fields}\n")
        ground.write(f"{name}/users", "".join(lines))
        self.start(mechanisms)

    def start(self, mechanisms):
        file = self.ground.write(f"{self.name}/dovecot.conf",
                                 _CONFIGURATION.format(base=self._base, mechanisms=mechanisms))
        self._child = self.ground.start(["/usr/sbin/dovecot", "-F", "-c", file], f"{self.name}/log")
        try:
            wait_for(lambda: os.path.exists(self.socket) and stat.S_ISSOCK(os.stat(self.socket).st_mode),
                     what="the auth-client socket")
        except TimeoutError as error:
            raise TimeoutError(f"{error}\n{self.log()}") from None

    def _processes(self):
        """Those of the service itself: Dovecot leaves them to their clients when it stops."""
        found = []
        with open(f"/proc/{self._child.pid}/task/{self._child.pid}/children") as file:
            for pid in file.read().split():
                with contextlib.suppress(OSError), open(f"/proc/{pid}/comm") as name:
                    if name.read().strip() == "auth":
                        found.append(int(pid))
        return found

    def stop(self):
        """Ends the service with all its connections; start() brings it back."""
        left = self._processes()
        self.ground.stop(self._child)
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.socket)

    def log(self):
        with open(os.path.join(self._base, "log"), errors="replace") as file:
            return file.read()
