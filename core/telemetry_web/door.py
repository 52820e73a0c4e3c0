"""Who comes in, and what for: users by the password that their engine knows, machines by tokens, others not at all."""

from __future__ import annotations

import hashlib
import math
from base64 import b64decode
from dataclasses import dataclass
from threading import Lock
from weakref import WeakValueDictionary

from limits import RateLimitItem, RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from starlette.responses import Response

from telemetry_core.config import Engine, Serve
from telemetry_core.engines import identity
from telemetry_core.engines.identity import Right, Standing
from telemetry_core.model import Clock
from telemetry_core.secret import Secret
from telemetry_web import answers, tokens

#: So many wrong passwords of a user from an address within so many minutes, and the next one waits for the first.
WRONG, MINUTES = 5, 5
LIMIT = RateLimitItemPerMinute(WRONG, MINUTES)
_LONGEST_NAME = 255


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody who may do what was asked for; `name` is for the record."""

    name: str


@dataclass(frozen=True, slots=True)
class Knock:
    """A request at the door.

    Attributes:
        engine: The entry that it is about.
        right: What it wants to do there.
        authorization: The header of that name, empty without one.
        address: Where it comes from.
    """

    engine: Engine
    right: Right
    authorization: str
    address: str


class Door:
    """Remembers wrong passwords for some minutes, and a right one not at all: each request asks the engine anew."""

    def __init__(self, clock: Clock, *, limit: RateLimitItem = LIMIT) -> None:
        self._clock = clock
        self._limit = limit
        self._wrong = MovingWindowRateLimiter(MemoryStorage())
        self._locks: WeakValueDictionary[str, Lock] = WeakValueDictionary()
        self._guard = Lock()

    def admit(self, settings: Serve, knock: Knock) -> Visitor | Response:
        """Who it is, or what is answered instead.

        Raises:
            EngineError: The engine does not answer as one does.
            ConfigurationError: The engine cannot be asked for a password, or the file with the tokens cannot be used.
        """
        kind, _, word = knock.authorization.partition(" ")
        if kind.lower() == "bearer" and settings.token_file is not None:
            token = tokens.find(tokens.read(settings.token_file), word.strip())
            if token is not None and token.is_good_for(knock.engine.entry):
                return Visitor(f"token {token.name}")
        if kind.lower() == "basic":
            user, password = _credentials(word)
            if user and password:
                return self._by_password(knock, user, Secret(password))
        return answers.stranger(knock.engine.entry)

    def _by_password(self, knock: Knock, user: str, password: Secret) -> Visitor | Response:
        """One attempt of a user from an address at a time, so that of many at once none is before the others count."""
        key = hashlib.sha256(repr((knock.engine.entry, user.casefold(), knock.address)).encode()).hexdigest()
        with self._lock(key):
            if not self._wrong.test(self._limit, key):
                opens_at = self._wrong.get_window_stats(self._limit, key).reset_time
                return answers.slowed_down(max(1, math.ceil(opens_at - self._clock.now() / 1000)))
            found = identity.standing(knock.engine, user, password, knock.right, self._clock)
            if found is Standing.STRANGER:
                self._wrong.hit(self._limit, key)
                return answers.stranger(knock.engine.entry)
            self._wrong.clear(self._limit, key)
        return Visitor(user) if found is Standing.ENTITLED else answers.not_entitled(knock.right)

    def _lock(self, key: str) -> Lock:
        """The lock of a key, for as long as somebody holds it or waits for it."""
        with self._guard:
            return self._locks.setdefault(key, Lock())


def _credentials(word: str) -> tuple[str, str]:
    """User and password of HTTP Basic; empty where they are none."""
    try:
        user, _, password = b64decode(word.strip(), validate=True).decode("utf-8").partition(":")
    except ValueError:
        return "", ""
    return (user, password) if user.isprintable() and len(user) <= _LONGEST_NAME else ("", "")
