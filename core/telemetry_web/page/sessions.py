"""Who is signed in: kept in memory by digest alone, bound to a browser and its address, and never for long."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from threading import Lock

from telemetry_core.model import HOUR, MINUTE, Clock, Millis
from telemetry_web.passwords import folded

IDLE: Millis = 15 * MINUTE
"""How long nothing may be asked for before a session ends."""

LONGEST: Millis = HOUR
"""How long a session lasts at most: for so long a right counts that the engine has taken back since."""

OF_ONE = 10
"""Of sessions of one user of an engine at once; nobody ends those of others by signing in again and again."""

MOST = 1000
"""Of sessions at once; the one that was idle for longest ends for another one."""


@dataclass(frozen=True, slots=True)
class Guest:
    """A user of an engine, as the engine said at the sign-in.

    Attributes:
        may_switch: An administrator there.
        addresses: Where the engine was; what an entry of the same name means later is another one's engine.
    """

    user: str
    may_switch: bool
    addresses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Visit:
    """One session.

    Attributes:
        guests: Who is signed in, by the entry of the engine.
        binding: What the browser was that signed in.
        form_token: What each form of it holds, so that no other site's can be one (CSRF).
        begun_at: When somebody signed in first.
        seen_at: When something was asked for last.
        notice: What is shown once on the next page.
    """

    guests: Mapping[str, Guest]
    binding: str
    form_token: str
    begun_at: Millis
    seen_at: Millis
    notice: str = ""

    def owns(self, form_token: str) -> bool:
        """Whether a form is one of this session's; how long it takes says nothing."""
        return hmac.compare_digest(self.form_token.encode(), form_token.encode())


@dataclass(slots=True)
class Sessions:
    """All sessions. What a browser holds is a word of which only the digest is kept here."""

    clock: Clock
    token: Callable[[], str]
    most: int = MOST
    _visits: dict[str, Visit] = field(default_factory=dict)
    _guard: Lock = field(default_factory=Lock)

    def begin(self, entry: str, guest: Guest, binding: str, *, before: str = "") -> str:
        """Sign a user in at an engine; where the browser was signed in at others it stays so, under a new word.

        Args:
            entry: The engine's entry.
            guest: Who signed in.
            binding: What the browser is.
            before: The word that it showed; it is good for nothing any more.

        Returns:
            The word for the browser, which was never used before (no session is fixed beforehand).
        """
        now = self.clock.now()
        key = self.token()
        with self._guard:
            known = self._visits.pop(_digest(before), None)
            if known is not None and (known.binding != binding or _has_ended(known, now)):
                known = None
            guests = {**(known.guests if known is not None else {}), entry: guest}
            begun_at = now if known is None else known.begun_at
            self._forget(now, entry, guest)
            self._visits[_digest(key)] = Visit(guests, binding, self.token(), begun_at, now)
        return key

    def find(self, key: str, binding: str) -> Visit | None:
        """The session of a word, which is thereby not idle; None where there is none, or not of this browser."""
        now = self.clock.now()
        with self._guard:
            found = self._visits.get(_digest(key))
            if found is None or found.binding != binding or _has_ended(found, now):
                return None
            self._visits[_digest(key)] = seen = replace(found, seen_at=now)
            return seen

    def leave(self, key: str, notice: str) -> None:
        """Have something shown on the next page of a session."""
        with self._guard:
            found = self._visits.get(_digest(key))
            if found is not None:
                self._visits[_digest(key)] = replace(found, notice=notice)

    def take(self, key: str) -> str:
        """What is to be shown, once."""
        with self._guard:
            found = self._visits.get(_digest(key))
            if found is None or not found.notice:
                return ""
            self._visits[_digest(key)] = replace(found, notice="")
            return found.notice

    def end(self, key: str) -> None:
        """Sign out everywhere."""
        with self._guard:
            self._visits.pop(_digest(key), None)

    def _forget(self, now: Millis, entry: str, guest: Guest) -> None:
        """Those that have ended, and those that were idle for longest where there are too many, of a user or of all."""
        for digest in [digest for digest, visit in self._visits.items() if _has_ended(visit, now)]:
            del self._visits[digest]
        by_idleness = sorted(self._visits, key=lambda digest: self._visits[digest].seen_at)
        own = [digest for digest in by_idleness if _is_of(self._visits[digest], entry, guest)]
        surplus = own[: max(0, len(own) - OF_ONE + 1)] or by_idleness[: max(0, len(by_idleness) - self.most + 1)]
        for digest in surplus:
            del self._visits[digest]


def _is_of(visit: Visit, entry: str, guest: Guest) -> bool:
    return entry in visit.guests and folded(visit.guests[entry].user) == folded(guest.user)


def _has_ended(visit: Visit, now: Millis) -> bool:
    return now - visit.seen_at >= IDLE or now - visit.begun_at >= LONGEST or now < visit.begun_at


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()
