"""A store that does what its script says, however wrong: the scripts are functions of one Wire per connection."""

import contextlib
import re
import socket
import ssl
import threading

from .wire import Wire


class FakeStore:
    """Listens on ports of an address of its own; `scripts` maps port to script. Each connection runs its script in
    a thread; when it returns the connection is closed. What every connection has sent stays in `connections`."""

    def __init__(self, ground, scripts, name="fake", address=None):
        self.name = name
        self.address = address or ground.address()
        self.connections = []
        self._listeners = []
        self._wires = []
        self._closing = threading.Event()
        for port, script in scripts.items():
            listener = socket.create_server((self.address, port), backlog=128)
            self._listeners.append(listener)
            threading.Thread(target=self._accept, args=(listener, script), daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _accept(self, listener, script):
        while True:
            try:
                peer, _ = listener.accept()
            except OSError:
                return
            wire = Wire(peer, timeout=60)
            wire.store = self
            self.connections.append(wire)
            threading.Thread(target=self._run, args=(script, wire), daemon=True).start()

    def _run(self, script, wire):
        with contextlib.suppress(OSError, AssertionError, ssl.SSLError):
            script(wire)
        wire.close()

    def hang(self):
        """For scripts: says nothing more until the store closes."""
        self._closing.wait()

    def saw(self, text):
        """Whether any connection has sent this, for instance a password."""
        return any(text.encode() in wire.received for wire in self.connections)

    def close(self):
        self._closing.set()
        for listener in self._listeners:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        for wire in self.connections:
            wire.close()


# ------------------------------------------------------------------------------------------------------- IMAP

IMAP_GREETING = "* OK [CAPABILITY IMAP4rev1 SASL-IR LITERAL+ ID AUTH=PLAIN AUTH=LOGIN] fake ready"
_ACCEPTED = "OK [CAPABILITY IMAP4rev1 IDLE] Logged in"


def imap_commands(wire):
    """Yields (tag, upper-case verb, the whole line) until the other side closes. Literals are put into the line."""
    while True:
        line = wire.line()
        if line is None:
            return
        while match := re.search(r"\{(\d+)(\+?)\}$", line):
            if not match[2]:
                wire.send("+ go on\r\n")
            line += "\r\n" + wire.octets(int(match[1])).decode("latin-1") + (wire.line() or "")
        words = line.split(" ", 2)
        yield words[0], words[1].upper() if len(words) > 1 else "", line


def imap(greeting=IMAP_GREETING, login=_ACCEPTED, after_login=None, starttls=None, capability=None, before_login=""):
    """A store that behaves. `login` is the tagged answer to LOGIN and AUTHENTICATE; a function of the wire and the
    tag answers itself. `after_login` is a script for what follows. `starttls` is a server's context, or a text that
    answers STARTTLS instead."""
    def script(wire):
        if greeting:
            wire.send_lines(greeting)
        for tag, verb, line in imap_commands(wire):
            if verb == "STARTTLS" and isinstance(starttls, ssl.SSLContext):
                wire.send_lines(f"{tag} OK begin")
                wire.secure(starttls, server_side=True)
            elif verb == "STARTTLS":
                if starttls is None:
                    wire.send_lines(f"{tag} BAD what")
                elif starttls:
                    wire.send(starttls.format(tag=tag))
            elif verb == "CAPABILITY":
                wire.send_lines(f"* CAPABILITY {capability or 'IMAP4rev1 SASL-IR ID AUTH=PLAIN'}", f"{tag} OK done")
            elif verb == "ID":
                wire.send_lines("* ID NIL", f"{tag} OK done")
            elif verb == "LOGOUT":
                wire.send_lines("* BYE bye", f"{tag} OK done")
                return
            elif verb in ("LOGIN", "AUTHENTICATE"):
                if verb == "AUTHENTICATE" and len(line.split(" ")) < 4:
                    wire.send("+ \r\n")
                    wire.line()
                if callable(login):
                    login(wire, tag)
                    return
                wire.send(before_login)
                wire.send_lines(f"{tag} {login}")
                if login.startswith("OK") and after_login:
                    after_login(wire)
                    return
            else:
                wire.send_lines(f"{tag} OK {verb} done")
    return script


# ------------------------------------------------------------------------------------------------------- POP3

def pop3(greeting="+OK [XCLIENT] fake ready", login="+OK Logged in.", after_login=None, starttls=None,
         xclient="+OK Updated", mechanisms="PLAIN LOGIN"):
    """The same for POP3: `login` answers PASS and AUTH."""
    def script(wire):
        wire.send_lines(greeting)
        while (line := wire.line()) is not None:
            verb = line.split(" ", 1)[0].upper()
            if verb == "STLS" and isinstance(starttls, ssl.SSLContext):
                wire.send_lines("+OK begin")
                wire.secure(starttls, server_side=True)
            elif verb == "STLS":
                wire.send(starttls or "-ERR what\r\n")
            elif verb == "CAPA":
                wire.send_lines("+OK", "USER", f"SASL {mechanisms}", "TOP", "UIDL", ".")
            elif verb == "XCLIENT":
                wire.send_lines(xclient)
            elif verb == "QUIT":
                wire.send_lines("+OK bye")
                return
            elif verb in ("PASS", "AUTH"):
                if verb == "AUTH" and len(line.split(" ")) < 3:
                    wire.send("+ \r\n")
                    wire.line()
                if callable(login):
                    login(wire, "")
                    return
                wire.send_lines(login)
                if login.startswith("+OK") and after_login:
                    after_login(wire)
                    return
            else:
                wire.send_lines(f"+OK {verb}")
    return script


def hanging(wire):
    """Accepts and never says a word."""
    wire.store.hang()


def resetting(wire):
    wire.reset()


def server_context(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.chain, certificate.key)
    return context
