"""Passwords, which only the engine knows: it is asked each time, and after wrong ones somebody has to wait."""

from __future__ import annotations

import hashlib
import math
import unicodedata
from dataclasses import dataclass
from threading import BoundedSemaphore, Lock
from weakref import WeakValueDictionary

from limits import RateLimitItem, RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from telemetry_core.config import Engine
from telemetry_core.engines import identity
from telemetry_core.engines.identity import Right, Standing
from telemetry_core.model import Clock
from telemetry_core.secret import Secret
from telemetry_web.networks import place_of

#: So many wrong passwords of a user from an address, of IPv6 from a network of 64 bits, within so many minutes, and the
#: next one waits for the first.
WRONG, MINUTES = 5, 5
LIMIT = RateLimitItemPerMinute(WRONG, MINUTES)
_LONGEST_NAME = 255
_AT_ONCE = 20
"""Attempts that are made or wait at once: the server's threads, of which there are 40, never all wait for engines."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """Somebody who says to be a user.

    Attributes:
        engine: The entry whose engine is asked.
        right: What is wanted there.
        address: Where the attempt comes from.
    """

    engine: Engine
    user: str
    password: Secret
    right: Right
    address: str


@dataclass(frozen=True, slots=True)
class Wait:
    """Nobody was asked; how long it takes until somebody is again.

    Attributes:
        is_crowded: Whether that is because of all who try at once, and not because of wrong passwords.
    """

    seconds: int
    is_crowded: bool = False


class Passwords:
    """Remembers wrong passwords for some minutes, and a right one not at all: each attempt asks the engine anew."""

    def __init__(self, clock: Clock, *, limit: RateLimitItem = LIMIT) -> None:
        self._clock = clock
        self._limit = limit
        self._wrong = MovingWindowRateLimiter(MemoryStorage())
        self._locks: WeakValueDictionary[str, Lock] = WeakValueDictionary()
        self._guard = Lock()
        self._places = BoundedSemaphore(_AT_ONCE)

    def ask(self, attempt: Attempt) -> Standing | Wait:
        """What the engine says of somebody.

        Of a user from an address one attempt is made at a time, so that many at once count one by one.

        Raises:
            EngineError: The engine does not answer as one does.
            ConfigurationError: The engine cannot be asked for a password.
        """
        if not is_name(attempt.user) or not attempt.password:
            return Standing.STRANGER
        if not self._places.acquire(blocking=False):
            return Wait(1, is_crowded=True)
        try:
            return self._ask(attempt)
        finally:
            self._places.release()

    def _ask(self, attempt: Attempt) -> Standing | Wait:
        key = _key(attempt)
        with self._lock(key):
            if not self._wrong.test(self._limit, key):
                opens_at = self._wrong.get_window_stats(self._limit, key).reset_time
                return Wait(max(1, math.ceil(opens_at - self._clock.now() / 1000)))
            found = identity.standing(attempt.engine, attempt.user, attempt.password, attempt.right, self._clock)
            if found is Standing.STRANGER:
                self._wrong.hit(self._limit, key)
            else:
                self._wrong.clear(self._limit, key)
        return found

    def _lock(self, key: str) -> Lock:
        """The lock of a key, for as long as somebody holds it or waits for it."""
        with self._guard:
            return self._locks.setdefault(key, Lock())


def is_name(user: str) -> bool:
    """Whether a text can be a user's id."""
    return bool(user) and user.isprintable() and len(user) <= _LONGEST_NAME


def _key(attempt: Attempt) -> str:
    parts = (attempt.engine.entry, folded(attempt.user), place_of(attempt.address))
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def folded(user: str) -> str:
    """A name without what some databases and directories overlook: case, accents, width and spaces; for counting."""
    letters = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", user).casefold())
    return " ".join("".join(one for one in letters if not unicodedata.combining(one)).split())
