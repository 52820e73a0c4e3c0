"""A server on loopback that speaks bytes instead of HTTP: what a test writes is what the other side gets."""

from __future__ import annotations

import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable
from types import TracebackType

ACCEPTED = b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n"


class Peer:
    """One connection, as the server has it; `received` is every byte that came."""

    def __init__(self, connection: socket.socket, stopped: threading.Event) -> None:
        self.connection = connection
        self.received = bytearray()
        self.stopped = stopped

    def read_head(self) -> bytes:
        """The next request's line and headers, with the empty line after them."""
        return self._read_until(lambda: self.received.find(b"\r\n\r\n") + 4 if b"\r\n\r\n" in self.received else 0)

    def read_request(self) -> bytes:
        """The next request whole; empty where the other side closed instead."""
        before = len(self.received)

        def end() -> int:
            head, found, _ = bytes(self.received[before:]).partition(b"\r\n\r\n")
            length = re.search(rb"(?i)content-length: (\d+)", head)
            return before + len(head) + 4 + (int(length[1]) if length else 0) if found else 0

        return self._read_until(end)[before:]

    def send(self, data: bytes) -> None:
        """Send at once."""
        self.connection.sendall(data)

    def drip(self, pieces: Iterable[bytes], gap: float) -> None:
        """Send piece by piece, with a pause after each, until the other side or the test has enough."""
        for piece in pieces:
            self.connection.sendall(piece)
            if self.stopped.wait(gap):
                return

    def hang(self) -> None:
        """Say and read nothing until the test ends."""
        self.stopped.wait()

    def wait_until_closed(self) -> None:
        """Wait, on the test's side, until the script has ended and the connection with it."""
        while self.connection.fileno() != -1:
            time.sleep(0.01)

    def _read_until(self, end: Callable[[], int]) -> bytes:
        while not (found := end()) or len(self.received) < found:
            more = self.connection.recv(65536)
            if not more:
                return bytes(self.received)
            self.received += more
        return bytes(self.received[:found])


Script = Callable[[Peer], object]


class RawServer:
    """Plays a script on each connection, in a thread of its own, then closes it. Use it as a context manager.

    Args:
        script: What the server does on a connection; that the other side goes away ends it without an error.
        tls: Makes each connection TLS before the script begins.
    """

    def __init__(self, script: Script, *, tls: ssl.SSLContext | None = None) -> None:
        self.peers: list[Peer] = []
        self.stopped = threading.Event()
        self._script = script
        self._tls = tls
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listening.getsockname()[1])
        self.address = f"127.0.0.1:{self.port}"
        self._threads = [threading.Thread(target=self._accept, daemon=True)]

    def __enter__(self) -> RawServer:
        self._threads[0].start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stopped.set()
        self._listening.shutdown(socket.SHUT_RDWR)
        for peer in self.peers:
            _shut(peer.connection)
        for thread in self._threads:
            thread.join()
        self._listening.close()

    def _accept(self) -> None:
        while not self.stopped.is_set():
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            peer = Peer(connection, self.stopped)
            self.peers.append(peer)
            thread = threading.Thread(target=self._play, args=(peer,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _play(self, peer: Peer) -> None:
        try:
            if self._tls is not None:
                peer.connection = self._tls.wrap_socket(peer.connection, server_side=True)
            self._script(peer)
        except OSError:
            pass  # the other side went away, or did not trust us
        finally:
            _shut(peer.connection)
            peer.connection.close()


def _shut(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # it has ended already
