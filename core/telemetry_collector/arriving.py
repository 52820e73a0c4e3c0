"""Bodies that are on their way, bounded together: who takes up much of it loses his own, and keeps no other out."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable

from starlette.requests import Request
from starlette.types import Message

from telemetry_collector import intake, receipts
from telemetry_collector.model import Refusal

SECONDS = 30
"""For the whole body of a request; who takes longer is told to try again."""

BYTES = 64 * 1024 * 1024
"""Of all bodies that are on their way; on top of that some of those are refused that are not small."""

SMALL = 16 * 1024
"""So much of a body is never refused; connections are bounded, and so is what they send of it."""

_ROOM = 1024 * 1024
"""That is made at once, so that they are not looked through for each piece."""

_PART = 64 * 1024


class _Body:
    """What came of one."""

    def __init__(self, place: str, begun_at: float, limit: asyncio.Timeout) -> None:
        self.place = place
        self.begun_at = begun_at
        self.size = 0
        self.is_refused = False
        self._parts: list[bytearray] = []
        self._limit = limit

    def add(self, piece: bytes) -> None:
        """Keep a piece; parts are of few sizes, so that those of one that was let go serve others."""
        self.size += len(piece)
        if self._parts and len(self._parts[-1]) < _PART:
            self._parts[-1] += piece
        else:
            self._parts.append(bytearray(piece))

    def content(self) -> bytes:
        """All of it."""
        return b"".join(self._parts)

    def refuse(self, now: float) -> None:
        """Let go of it, and have its reader told, who may be waiting for more."""
        self.is_refused = True
        self.size = 0
        self._parts.clear()
        if not self._limit.expired():
            self._limit.reschedule(now)


class Arriving:
    """All of them, in the thread of the event loop."""

    def __init__(self) -> None:
        self._bodies: set[_Body] = set()
        self._bytes = 0

    async def read(self, request: Request, message: Message, limit: int, *, place: str) -> bytes | Refusal:
        """A body that comes in pieces.

        Args:
            request: What it is of.
            message: The first piece.
            limit: Bytes that it may have.
            place: Where it comes from, however that is said.
        """
        now = asyncio.get_running_loop().time
        timeout = asyncio.timeout(SECONDS)
        body = _Body(place, now(), timeout)
        self._bodies.add(body)
        try:
            async with timeout:
                return await self._whole(request, message, limit, body=body, now=now)
        except TimeoutError:
            if body.is_refused:
                return _crowded()
            return Refusal(408, "slow", f"The body did not come within {SECONDS} seconds.", retry_after=0)
        finally:
            self._bodies.remove(body)
            self._bytes -= body.size

    async def _whole(
        self, request: Request, message: Message, limit: int, *, body: _Body, now: Callable[[], float]
    ) -> bytes | Refusal:
        while message["type"] == "http.request":
            piece = message.get("body", b"")
            body.add(piece)
            self._bytes += len(piece)
            if body.size > limit:
                return intake.too_large(limit)
            if not message.get("more_body"):
                return body.content()
            if self._bytes > BYTES:
                self._make_room(now())
            if not body.is_refused:
                message = await request.receive()
            if body.is_refused:
                return _crowded()
        return Refusal(400, "cut", "The body was cut.")

    def _make_room(self, now: float) -> None:
        """Refuse bodies: of the place that takes up most, that which has taken up most for longest, and so on.

        Behind a proxy that is not named all come from one place. What is sent at once is hardly there by then, and what
        is slow is hardly large; it goes to who holds much, and no faster than it comes.
        """
        large = [body for body in self._bodies if body.size > SMALL]
        taken: Counter[str] = Counter()
        for body in large:
            taken[body.place] += body.size
        large.sort(key=lambda body: (taken[body.place], body.size * (now - body.begun_at)))
        while large and self._bytes > BYTES - _ROOM:
            most = large.pop()
            self._bytes -= most.size
            most.refuse(now)


def _crowded() -> Refusal:
    return Refusal(503, "crowded", "Too many bodies are on their way.", retry_after=receipts.LATER)
