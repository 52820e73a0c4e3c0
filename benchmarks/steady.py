"""Requests at a steady rate, whether the other side keeps up or not: each counts from when it was due."""

from __future__ import annotations

import asyncio
import gc
import time
from collections import deque
from collections.abc import Sequence
from typing import cast

CONNECTIONS = 64
_ENOUGH = 20.0
"""Seconds to wait for the last answers."""


class _Connection(asyncio.Protocol):
    """One connection; a request at a time. It knows as much of HTTP as an answer of the collector needs."""

    def __init__(self, load: _Load) -> None:
        self._load = load
        self._transport: asyncio.Transport
        self._due = 0.0
        self._answer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._load.free(self)

    def ask(self, due: float, request: bytes) -> None:
        """Send a request."""
        self._due = due
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._answer += data
        head, found, body = self._answer.partition(b"\r\n\r\n")
        length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
        if found and len(body) >= int(length):
            self._load.answered(time.monotonic() - self._due, is_good=head.startswith(b"HTTP/1.1 202 "))
            self._answer = b""
            self._load.free(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  # the signature is the library's
        self._load.lost()


class _Load:
    """What is due and waits for a connection, and what has come of the rest."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self.failed = 0
        self._free: deque[_Connection] = deque()
        self._waiting: deque[tuple[float, bytes]] = deque()

    def due(self, due: float, request: bytes) -> None:
        if self._free:
            self._free.popleft().ask(due, request)
        else:
            self._waiting.append((due, request))

    def free(self, connection: _Connection) -> None:
        if self._waiting:
            connection.ask(*self._waiting.popleft())
        else:
            self._free.append(connection)

    def answered(self, seconds: float, *, is_good: bool) -> None:
        self.seconds.append(seconds)
        self.failed += not is_good

    def lost(self) -> None:
        self.failed += 1


def times(port: int, rate: float, requests: Sequence[bytes]) -> tuple[list[float], int]:
    """Send requests, so many a second; for each the seconds from when it was due to its answer, and how many failed."""
    gc.disable()  # pauses of this process are not the other's
    try:
        return asyncio.run(_times(port, rate, requests))
    finally:
        gc.enable()


async def _times(port: int, rate: float, requests: Sequence[bytes]) -> tuple[list[float], int]:
    load, loop = _Load(), asyncio.get_running_loop()
    made = [await loop.create_connection(lambda: _Connection(load), "127.0.0.1", port) for _ in range(CONNECTIONS)]
    begun = time.monotonic()
    for number, request in enumerate(requests):
        due = begun + number / rate
        if due > time.monotonic():
            await asyncio.sleep(due - time.monotonic())
        elif number % 16 == 0:
            await asyncio.sleep(0)  # behind, and answers have come
        load.due(due, request)
    limit = time.monotonic() + _ENOUGH
    while len(load.seconds) < len(requests) and time.monotonic() < limit:
        await asyncio.sleep(0.01)
    found = load.seconds, load.failed + len(requests) - len(load.seconds)
    for transport, _ in made:
        transport.close()
    return found
