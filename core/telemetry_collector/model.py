"""What flows through the service: what was submitted, what is held of it, and what was ruled."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache

import msgspec

from telemetry_core.model import MINUTE, Millis

SAME_WITHIN = MINUTE
"""Two reports without a key are one if bytes and address are the same and no more than this lies between them."""


class State(StrEnum):
    """What a stored report stands for."""

    COUNTED = "counted"
    SUPERSEDED = "superseded"
    QUARANTINED = "quarantined"
    DROPPED = "dropped"


class Ruling(StrEnum):
    """What became of something that was submitted."""

    STORED = "stored"
    DUPLICATE = "duplicate"
    CONFLICT = "conflict"


class Hash(msgspec.Struct, frozen=True):
    """The hash of an address by the key of a period, which is known by its beginning (milliseconds since 1970)."""

    period: Millis
    value: str


class Facts(msgspec.Struct, frozen=True):
    """What the rules of quarantine must know of a report.

    Attributes:
        window_at: When its counts begin, None where it does not say it.
        has_zone: Whether that is an instant, and no local time.
        large: Those of its counters that are beyond what any engine may count.
    """

    product: str
    version: str
    window_at: Millis | None = None
    has_zone: bool = True
    large: Mapping[str, int] = {}  # as frozen as the rest


class History(msgspec.Struct, frozen=True):
    """What an installation has sent so far, as far as it was accepted.

    Attributes:
        reports: How many.
        last_at: When the last one came.
        peaks: The highest count of a day, by counter; without those that are no more than usual.
        believed: Products and versions that there are not, and that were accepted of it.
    """

    reports: int
    last_at: Millis
    peaks: Mapping[str, float]
    believed: frozenset[tuple[str, str]] = frozenset()


class Submission(msgspec.Struct, frozen=True):
    """A report as it came, read and found to be one.

    Attributes:
        key: What the sender calls it; empty for the engines' own reports, which have none.
        sha256: Of the bytes that came, in hexadecimal.
        installation: Empty where it has none.
        window: When its counts begin, `2026-11-23T23:00:08.920Z`; without Z where the sender has said no time zone;
            empty where it has said nothing.
        counts: Every counter by its path, for reports without a key that have a window.
        body: The bytes, but for what is never stored.
        received_at: When.
        hashes: Of the address that it came from, by the key of now and, if there is one, by the one before.
        facts: What may make it suspicious; without any it is not.
    """

    key: str
    sha256: str
    installation: str
    window: str
    counts: Mapping[str, int]
    body: bytes
    received_at: Millis
    hashes: tuple[Hash, ...] = ()
    facts: Facts | None = None

    @property
    def keyed(self) -> bool:
        """Whether the sender has given it a key."""
        return self.key != ""


class Receipt(msgspec.Struct, frozen=True):
    """What is kept of a stored report, whatever becomes of its body."""

    number: int
    id: str
    keyed: bool
    sha256: str
    installation: str
    window: str
    received_at: Millis
    state: State


class Held(Receipt, frozen=True):
    """A report that is stored, as far as it must be known to judge others; `hash` and `counts` only where needed."""

    hash: str = ""
    counts: Mapping[str, int] | None = None


class Verdict(msgspec.Struct, frozen=True):
    """What was ruled of a submission.

    Attributes:
        ruling: What it comes to.
        held: The stored report that answers for it: itself where it is new, else the one that was there.
        supersedes: The report that counts no more since this one came.
        reason: Why it is in quarantine, as `code: sentence`; empty where it is not.
    """

    ruling: Ruling
    held: Held
    supersedes: Held | None = None
    reason: str = ""


class Refusal(msgspec.Struct, frozen=True):
    """An answer without a receipt.

    Attributes:
        status: Of HTTP.
        reason: A stable word for programs.
        detail: A sentence for people.
        held: What is in the way of it.
        retry_after: Seconds until another attempt makes sense.
    """

    status: int
    reason: str
    detail: str
    held: Held | None = None
    retry_after: int | None = None


def instant(value: Millis) -> str:
    """An instant as it is written everywhere: `2026-11-23T23:00:08.920Z`."""
    return f"{_second(value // 1000)}.{value % 1000:03d}Z"


@lru_cache(maxsize=64)
def _second(value: int) -> str:
    return f"{datetime.fromtimestamp(value, UTC):%Y-%m-%dT%H:%M:%S}"
