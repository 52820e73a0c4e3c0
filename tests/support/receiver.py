"""A receiver of reports on loopback: keeps every request as it came and answers as a test wants."""

from __future__ import annotations

import hashlib
import socket
import ssl
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from io import BytesIO

from tests.support.serving import Served


@dataclass(frozen=True)
class Received:
    """One request; `head` is its request line and header lines as they came."""

    head: tuple[str, ...]
    headers: Mapping[str, str]
    body: bytes

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.body).hexdigest()

    @property
    def key(self) -> str:
        return self.headers.get("idempotency-key", "")


@dataclass(frozen=True)
class Reply:
    """How a request is answered; `status` None closes without an answer, `cut` after some bytes; `then` comes last."""

    status: int | None = 202
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    delay: float = 0.0
    cut: int | None = None
    then: Callable[[], object] = lambda: None


Answerer = Callable[[Received], Reply]


class Receiver(Served):
    """A server that keeps what it received. Use it as a context manager.

    Args:
        answer: Decides each answer; without it everything is accepted with 202.
        tls: For https.
    """

    def __init__(self, answer: Answerer | None = None, *, tls: ssl.SSLContext | None = None) -> None:
        self.received: list[Received] = []
        self.answer = answer or (lambda _: Reply())
        self.on_head: Callable[[], object] = lambda: None
        super().__init__(_handler(self))
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self.scheme = "https" if tls else "http"
        self.url = f"{self.scheme}://127.0.0.1:{self.port}/pings"

    @property
    def keys(self) -> list[str]:
        """The idempotency keys in the order in which they came."""
        return [request.key for request in self.received]

    @property
    def committed(self) -> dict[str, bytes]:
        """What a receiver that honours `Idempotency-Key` has: the first body of each key."""
        bodies: dict[str, bytes] = {}
        for request in list(self.received):
            bodies.setdefault(request.key, request.body)
        return bodies


def _handler(receiver: Receiver) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length", "0"))
            receiver.on_head()
            body = self.rfile.read(length)
            if len(body) < length:
                self.close_connection = True
                return  # the sender ended in the middle
            head = (self.requestline, *(f"{name}: {value}" for name, value in self.headers.items()))
            request = Received(head, {name.lower(): value for name, value in self.headers.items()}, body)
            receiver.received.append(request)
            reply = receiver.answer(request)
            time.sleep(reply.delay)
            self.close_connection = True
            if reply.status is None:
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            with suppress(ConnectionError):  # nobody waits for it any more
                self.connection.sendall(self._rendered(reply.status, reply)[: reply.cut])
                reply.then()

        def _rendered(self, status: int, reply: Reply) -> bytes:
            stream, self.wfile = self.wfile, BytesIO()
            self.send_response(status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(reply.body)))
            self.send_header("Connection", "close")
            self.end_headers()
            whole = self.wfile.getvalue() + reply.body
            self.wfile = stream
            return whole

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the library's name
            pass

    return Handler
