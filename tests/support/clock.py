"""Clocks for tests: one that moves only when it is told to, and the real one."""

from __future__ import annotations

import random
import time
from collections.abc import Iterable

from telemetry_core.model import Millis

START: Millis = 1_795_000_000_000
"""2026-11-18T11:06:40Z, where a manual clock starts."""


class ManualClock:
    """Time stands still until somebody sleeps or advances it; chance gives what was put in, then a half.

    Args:
        now: The wall clock at the beginning.
        chances: What `random` gives, one after the other.
    """

    def __init__(self, now: Millis = START, chances: Iterable[float] = ()) -> None:
        self.slept: list[float] = []
        self._now = now
        self._elapsed: Millis = 0
        self._chances = list(chances)

    def now(self) -> Millis:
        return self._now

    def monotonic(self) -> float:
        return self._elapsed / 1000

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.advance(seconds)

    def random(self) -> float:
        return self._chances.pop(0) if self._chances else 0.5

    def advance(self, seconds: float) -> None:
        """Let time pass on both clocks."""
        self._now += round(seconds * 1000)
        self._elapsed += round(seconds * 1000)

    def set(self, now: Millis) -> None:
        """Set the wall clock, as an administrator does; the monotonic one does not notice."""
        self._now = now


class RealClock:
    """The clocks and the chance of this machine."""

    def now(self) -> Millis:
        return time.time_ns() // 1_000_000

    def monotonic(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)

    def random(self) -> float:
        return random.random()


class ShiftedClock(RealClock):
    """The clock of this machine, less a while that a test takes back: so that it need not wait."""

    def __init__(self) -> None:
        self.behind: Millis = 0

    def now(self) -> Millis:
        return super().now() - self.behind
