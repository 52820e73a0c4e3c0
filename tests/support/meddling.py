"""A proxy on loopback that meddles: with each request it does what its plan says, and keeps what came to it."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from types import TracebackType

from tests.support.raw_server import Peer, RawServer

_LENGTH = re.compile(rb"(?i)(?<=\r\ncontent-length: )\d+")
_CONNECTION = re.compile(rb"(?i)\r\nconnection: [^\r]*")
_TIMEOUT = 60.0


class Meddling(Enum):
    """What happens to a request."""

    PASSED = "it is passed on"
    REPEATED = "it is passed on twice, the second while the first waits for its answer"
    CUT = "the connection ends in the middle of the body, both ways"
    SHORTENED = "half of the body is passed on, said to be all"
    DELAYED = "it is passed on at once, and its answer comes too late"
    UNANSWERED = "it is passed on, and the connection ends instead of an answer"


Plan = Callable[[int], Meddling]
"""What is done with a request by its number, which begins at 0."""


@dataclass
class Passage:
    """A request, what was done with it, and what the server answered, the first answer first."""

    meddling: Meddling
    body: bytes
    answers: list[int] = field(default_factory=list)


class MeddlingProxy:
    """Stands before a server at a port. Use it as a context manager.

    Args:
        port: Of the server.
        plan: What is done with each request.
        delay: How late a delayed answer is, in seconds.
        meanwhile: Called once a delayed request has come to the server, before the sender knows.
    """

    def __init__(
        self, port: int, plan: Plan, *, delay: float = 0.0, meanwhile: Callable[[], object] = lambda: None
    ) -> None:
        self.passages: list[Passage] = []
        self.meanwhile = meanwhile
        self._port = port
        self._plan = plan
        self._delay = delay
        self._lock = threading.Lock()
        self._server = RawServer(self._serve)
        self.url = f"http://{self._server.address}/pings"

    def __enter__(self) -> MeddlingProxy:
        self._server.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.__exit__(kind, error, trace)

    def _serve(self, peer: Peer) -> None:
        request = peer.read_request()
        head, found, body = request.partition(b"\r\n\r\n")
        if not found:
            return
        with self._lock:
            passage = Passage(self._plan(len(self.passages)), body)
            self.passages.append(passage)
        head = _CONNECTION.sub(b"", head) + b"\r\nConnection: close"
        answer = self._passed(passage, head)
        if passage.meddling is Meddling.DELAYED:
            self.meanwhile()
            peer.stopped.wait(self._delay)
        if passage.meddling not in (Meddling.CUT, Meddling.UNANSWERED):
            peer.send(answer)

    def _passed(self, passage: Passage, head: bytes) -> bytes:
        """The server's answer."""
        body = passage.body
        half = body[: len(body) // 2]
        if passage.meddling is Meddling.CUT:
            with socket.create_connection(("127.0.0.1", self._port), _TIMEOUT) as server:
                server.sendall(head + b"\r\n\r\n" + half)
            return b""
        if passage.meddling is Meddling.SHORTENED:
            return self._asked(passage, _LENGTH.sub(str(len(half)).encode(), head), half)
        if passage.meddling is not Meddling.REPEATED:
            return self._asked(passage, head, body)
        other = threading.Thread(target=self._asked, args=(passage, head, body))
        other.start()
        answer = self._asked(passage, head, body)
        other.join()
        return answer

    def _asked(self, passage: Passage, head: bytes, body: bytes) -> bytes:
        answer = bytearray()
        with socket.create_connection(("127.0.0.1", self._port), _TIMEOUT) as server:
            server.sendall(head + b"\r\n\r\n" + body)
            while more := server.recv(65536):
                answer += more
        passage.answers.append(int(answer[9:12]))
        return bytes(answer)


def always(meddling: Meddling) -> Plan:
    """The same with each request."""
    return lambda _: meddling


def in_turn(*meddlings: Meddling) -> Plan:
    """One after the other, again and again."""
    return lambda number: meddlings[number % len(meddlings)]
