"""How much may come from one place: token buckets in memory of a fixed size, however many places there are."""

from __future__ import annotations

import math
from array import array

from telemetry_core.model import Millis

_ROWS = 2
_LITTLE = 1e-9
"""Of a token; what comes back bit by bit may be so much less than a whole one."""


class Buckets:
    """Buckets that places share by chance; a place is refused only where each of its buckets is empty.

    So nobody fills the memory by coming from many places, and few of those that behave are refused because of others.

    Args:
        rate: Tokens that come back in a second.
        burst: Tokens of a full bucket.
        slots: Buckets in a row; each takes 16 bytes.
    """

    def __init__(self, *, rate: float, burst: int, slots: int = 65536) -> None:
        self._rate = rate / 1000
        self._burst = float(burst)
        self._slots = slots
        self._tokens = array("d", [self._burst]) * (slots * _ROWS)
        self._seen_at = array("q", [0]) * (slots * _ROWS)

    def take(self, place: str, now: Millis) -> int:
        """Take a token of a place: 0 where there is one, else the seconds after which there is one again."""
        return self._look(place, now, cost=1)

    def owe(self, place: str, now: Millis, tokens: int) -> int:
        """Take tokens of a place that owes none yet, more than it has if need be: then it has none until they are back.

        Args:
            place: Who takes them.
            now: When.
            tokens: How many.

        Returns:
            0, or the seconds after which it owes none.
        """
        return self._look(place, now, cost=tokens, least=0)

    def wait(self, place: str, now: Millis) -> int:
        """The same without taking it."""
        return self._look(place, now, cost=0)

    def _look(self, place: str, now: Millis, *, cost: int, least: int = 1) -> int:
        fullest, enough = -math.inf, least - _LITTLE
        chance = hash(place)  # of its parts, so that who shares one bucket with somebody hardly shares the other too
        for row in range(_ROWS):
            slot = row * self._slots + (chance >> (32 * row)) % self._slots
            gone = max(0, now - self._seen_at[slot])
            tokens = min(self._burst, self._tokens[slot] + gone * self._rate)
            fullest = max(fullest, tokens)
            self._tokens[slot] = tokens - cost if tokens >= enough else tokens  # who is refused waits no longer for it
            self._seen_at[slot] = now
        return 0 if fullest >= enough else math.ceil((least - fullest) / self._rate / 1000)
