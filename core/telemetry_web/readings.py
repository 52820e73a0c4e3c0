"""How often, and by how many at once, an engine may be read: neither it nor this server may be harmed by who looks."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from telemetry_core.model import Clock
from telemetry_web.passwords import folded

MOST = 30
"""Readings within a minute that a user may cause at an engine, in however many sessions."""

AT_ONCE = 10
"""Readings at once, of page and REST API, for all users: of the server's 40 threads, never all wait for engines."""

TOO_OFTEN = "The engine was read too often just now. Try again in {seconds} seconds."

_LIMIT = RateLimitItemPerMinute(MOST)


class TooMany(Exception):
    """The engine is not read now, but in some seconds."""

    def __init__(self, seconds: int) -> None:
        super().__init__(TOO_OFTEN.format(seconds=seconds))
        self.seconds = seconds


class Readings:
    """Counts them; page and REST API share one of it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._counted = MovingWindowRateLimiter(MemoryStorage())
        self._places = BoundedSemaphore(AT_ONCE)

    @contextmanager
    def place(self) -> Iterator[None]:
        """Read an engine within the block, however often.

        Raises:
            TooMany: Engines are read by too many at once.
        """
        if not self._places.acquire(blocking=False):
            raise TooMany(1)
        try:
            yield
        finally:
            self._places.release()

    @contextmanager
    def reading(self, entry: str, user: str) -> Iterator[None]:
        """Read an engine within the block, as one of those readings that a user may cause.

        Raises:
            TooMany: It was read too often, or engines are read by too many at once.
        """
        who = (entry, folded(user))
        with self.place():
            if not self._counted.hit(_LIMIT, *who):
                opens_at = self._counted.get_window_stats(_LIMIT, *who).reset_time
                raise TooMany(max(1, math.ceil(opens_at - self._clock.now() / 1000)))
            yield
