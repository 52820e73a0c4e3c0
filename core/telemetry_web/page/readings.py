"""How often somebody may have an engine read: a page that is loaded again and again must not harm the engine."""

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
"""Readings at once, of all users: the server's threads, of which there are 40, are never all waiting for engines."""

TOO_OFTEN = "The engine was read too often just now. Try again in {seconds} seconds."

_LIMIT = RateLimitItemPerMinute(MOST)


class TooMany(Exception):
    """The engine is not read now, but in some seconds."""

    def __init__(self, seconds: int) -> None:
        super().__init__(TOO_OFTEN.format(seconds=seconds))
        self.seconds = seconds


class Readings:
    """Counts them."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._counted = MovingWindowRateLimiter(MemoryStorage())
        self._places = BoundedSemaphore(AT_ONCE)

    @contextmanager
    def reading(self, entry: str, user: str) -> Iterator[None]:
        """Read an engine within the block.

        Raises:
            TooMany: It was read too often, or is read by too many.
        """
        if not self._places.acquire(blocking=False):
            raise TooMany(1)
        who = (entry, folded(user))
        try:
            if not self._counted.hit(_LIMIT, *who):
                opens_at = self._counted.get_window_stats(_LIMIT, *who).reset_time
                raise TooMany(max(1, math.ceil(opens_at - self._clock.now() / 1000)))
            yield
        finally:
            self._places.release()
