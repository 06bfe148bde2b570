"""One end of a connection, byte for byte: for clients that do what a well-behaved library would not, and for
stores that do so."""

import contextlib
import socket
import ssl
import struct
import time


_IGNORE_UNEXPECTED_EOF = 1 << 7  # OpenSSL's option that Python sets: an end without close_notify shall be seen


class Wire:
    """Line-wise over a socket, with or without TLS. Nothing waits longer than `timeout` seconds."""

    def __init__(self, peer, timeout=20):
        peer.settimeout(timeout)
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket = peer
        self.pending = b""
        self.received = b""

    @classmethod
    def connect(cls, address, port, tls=None, name=None, source=None, first=b"", timeout=20):
        """`tls` is an ssl.SSLContext; `name` the server name; `source` the own address; `first` goes before TLS."""
        peer = socket.create_connection((address, port), timeout, (source, 0) if source else None)
        wire = cls(peer, timeout)
        if first:
            wire.send(first)
        if tls:
            wire.secure(tls, name)
        return wire

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def secure(self, context, name=None, server_side=False, session=None):
        assert not self.pending, f"clear text behind the start of TLS: {self.pending!r}"
        self.socket = context.wrap_socket(self.socket, server_hostname=name, server_side=server_side, session=session)

    def send(self, data):
        self.socket.sendall(data.encode() if isinstance(data, str) else data)

    def send_lines(self, *lines):
        self.send("".join(line + "\r\n" for line in lines))

    def drip(self, data, pause=0.0):
        """One octet per write."""
        for index in range(len(data)):
            self.send(data[index:index + 1])
            if pause:
                time.sleep(pause)

    def _receive(self):
        try:
            data = self.socket.recv(65536)
        except (ConnectionResetError, BrokenPipeError, ssl.SSLEOFError):
            data = b""
        except ssl.SSLError as error:
            if error.reason != "UNEXPECTED_EOF_WHILE_READING":
                raise
            data = b""
        self.received += data
        self.pending += data
        return bool(data)

    def line(self):
        """The next line without CRLF; None when the other side has closed."""
        while b"\n" not in self.pending:
            if not self._receive():
                return None
        line, _, self.pending = self.pending.partition(b"\n")
        return line.rstrip(b"\r").decode("utf-8", "surrogateescape")

    def lines_until(self, prefix):
        """All lines up to the first that begins with `prefix`, which is the last of the list."""
        lines = []
        while True:
            line = self.line()
            if line is None:
                raise AssertionError(f"closed before {prefix!r}; there was {lines}")
            lines.append(line)
            if line.startswith(prefix):
                return lines

    def ask(self, command):
        """An IMAP command: everything up to its tagged answer, or up to a continuation request."""
        self.send_lines(command)
        tag = command.split(" ", 1)[0]
        lines = []
        while True:
            line = self.line()
            if line is None:
                raise AssertionError(f"closed before the answer to {tag}; there was {lines}")
            lines.append(line)
            if line.startswith((tag + " ", "+")):
                return lines

    def say(self, command):
        """A POP3 command: the first line of its answer."""
        self.send_lines(command)
        return self.line()

    def octets(self, count):
        while len(self.pending) < count and self._receive():
            pass
        data, self.pending = self.pending[:count], self.pending[count:]
        return data

    def rest(self):
        """Everything until the other side closes."""
        while self._receive():
            pass
        data, self.pending = self.pending, b""
        return data

    def closed(self):
        """Waits for the other side to close; False when it sends something instead."""
        return self.rest() == b""

    def reset(self):
        """Breaks the connection with a RST."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        socket.socket(fileno=self.socket.detach()).close()

    def close(self):
        with contextlib.suppress(OSError):
            self.socket.close()


def trusting(authority, **settings):
    """A client's context that knows this authority. Settings are attributes of ssl.SSLContext."""
    context = ssl.create_default_context(cafile=authority.file)
    context.check_hostname = False
    context.options &= ~_IGNORE_UNEXPECTED_EOF
    for key, value in settings.items():
        setattr(context, key, value)
    return context
