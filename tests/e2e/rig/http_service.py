"""A service that answers over HTTP as a function says: nginx's auth_http, a policy service."""

import contextlib
import http.server
import socket
import threading
from dataclasses import dataclass

MUTE = object()  # no answer until the service closes


@dataclass
class Request:
    line: str
    fields: list  # (name, value) as they came, in their order
    body: bytes
    connection: int  # the other end's port

    @property
    def names(self):
        return [name for name, _ in self.fields]

    def __getitem__(self, name):
        """The value of a field that is there exactly once."""
        value, = [value for each, value in self.fields if each == name]
        return value


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        service = self.server.service
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        fields = [(name, value) for name, value in self.headers.items()]
        request = Request(self.requestline, fields, body, self.client_address[1])
        service.requests.append(request)
        answer = service.answer(request)
        if answer is MUTE:
            service.closing.wait()
            self.close_connection = True
            return
        status, fields, body = answer if isinstance(answer, tuple) else (200, answer, b"")
        self.send_response_only(status)
        for name, value in fields.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET

    def handle(self):
        with contextlib.suppress(OSError):
            super().handle()

    def log_message(self, *_):
        pass


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 1024

    def handle_error(self, request, client_address):
        pass  # a client that does not like our certificate

    def process_request(self, request, client_address):
        self.service.connections.append(request)
        super().process_request(request, client_address)


class HttpService:
    """`answer` maps a Request to a dict of header fields, or to (status, fields, body), or to MUTE. It may be
    replaced at any time. What was asked stays in `requests`. `tls` is a server's context."""

    port = 8080

    def __init__(self, ground, answer, address=None, tls=None):
        self.address = address or ground.address()
        self.url = f"{'https' if tls else 'http'}://{self.address}:{self.port}"
        self._tls = tls
        self.answer = answer
        self.requests = []
        self.start()

    def start(self):
        self.closing = threading.Event()
        self.connections = []
        self._server = _Server((self.address, self.port), _Handler)
        self._server.service = self
        if self._tls:
            self._server.socket = self._tls.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def close(self):
        """Ends the service with all its connections; start() brings it back."""
        self.closing.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        for each in self.connections:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
