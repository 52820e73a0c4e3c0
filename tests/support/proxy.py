"""A real HTTP proxy on loopback: tunnels by CONNECT, plain requests passed on, Basic authentication."""

from __future__ import annotations

import re
import socket
import ssl
import threading
from base64 import b64encode
from contextlib import suppress
from types import TracebackType

from tests.support.raw_server import Peer, RawServer

_TARGET = re.compile(rb"(?:CONNECT (\S+):(\d+)|[A-Z]+ http://([^\s/:]+):(\d+)(\S*)) HTTP/1\.1\r\n")


class HttpProxy:
    """Passes on what it is asked for; `heads` are the requests that it was asked. Use it as a context manager.

    Args:
        user: `name:password` that it wants; without one it asks nobody.
        answers: Status and reason that it gives instead of a way.
        tls: For https to the proxy itself.
    """

    def __init__(self, *, user: str | None = None, answers: str | None = None, tls: ssl.SSLContext | None = None):
        self.heads: list[bytes] = []
        self._wanted = None if user is None else b"Basic " + b64encode(user.encode())
        self._answers = answers
        self._server = RawServer(self._serve, tls=tls)
        self.address = self._server.address
        self.url = f"{'https' if tls else 'http'}://{self.address}"

    def __enter__(self) -> HttpProxy:
        self._server.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.__exit__(kind, error, trace)

    @property
    def received(self) -> bytes:
        """Every byte that came, also those that went on."""
        return b"".join(bytes(peer.received) for peer in self._server.peers)

    def _serve(self, peer: Peer) -> None:
        head = peer.read_head()
        target = _TARGET.match(head)
        if target is None:
            return  # nobody asked for anything
        self.heads.append(head)
        if self._answers is not None:
            peer.send(f"HTTP/1.1 {self._answers}\r\nContent-Length: 0\r\n\r\n".encode())
        elif self._wanted is not None and b"Proxy-Authorization: " + self._wanted + b"\r\n" not in head:
            peer.send(b"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=x\r\n")
            peer.send(b"Content-Length: 0\r\n\r\n")
        elif target[1] is not None:
            self._tunnel(peer, target[1].decode(), int(target[2]))
        else:
            self._pass_on(peer, target)

    def _tunnel(self, peer: Peer, host: str, port: int) -> None:
        try:
            onward = socket.create_connection((host, port), 5)
        except OSError:
            peer.send(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")
            return
        with onward:
            peer.send(b"HTTP/1.1 200 Connection established\r\n\r\n")
            _pump_both(peer, onward)

    def _pass_on(self, peer: Peer, target: re.Match[bytes]) -> None:
        head, _, _ = bytes(peer.received).partition(b"\r\n\r\n")
        request = bytes(peer.received) if b"content-length" not in head.lower() else self._whole(peer)
        line = re.sub(rb" http://[^\s/]+/?", b" /", request, count=1)
        line = re.sub(rb"(?i)\r\nproxy-[^\r]*", b"", line)
        with socket.create_connection((target[3].decode(), int(target[4])), 5) as onward:
            onward.sendall(line)
            _pump_both(peer, onward)

    @staticmethod
    def _whole(peer: Peer) -> bytes:
        head, _, body = bytes(peer.received).partition(b"\r\n\r\n")
        length = int(re.findall(rb"(?i)content-length: (\d+)", head)[0])
        while len(body) < length:
            more = peer.connection.recv(65536)
            if not more:
                break
            peer.received += more
            body += more
        return head + b"\r\n\r\n" + body


def _pump_both(peer: Peer, onward: socket.socket) -> None:
    back = threading.Thread(target=_pump, args=(onward, peer.connection, None), daemon=True)
    back.start()
    _pump(peer.connection, onward, peer.received)
    back.join()


def _pump(source: socket.socket, target: socket.socket, seen: bytearray | None) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            if seen is not None:
                seen += data
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)
