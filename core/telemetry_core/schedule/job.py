"""What is to be run, as whom, when and how often: each kind of schedule is a text that is made of this alone."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from telemetry_core.errors import NotSchedulable
from telemetry_core.model import HOUR, MINUTE, SECOND, Millis

_DAY = 24 * 60 * 60
_HOMES = (Path("/home"), Path("/root"), Path("/run/user"))


class Kind(StrEnum):
    """The kinds of schedules."""

    CRON = "cron"
    SYSTEMD = "systemd"
    STOP_HOOK = "stop-hook"
    KUBERNETES = "kubernetes"
    WINDOWS = "windows"


class Every(StrEnum):
    """How often `send` is called; reports are due once per period, however often that is."""

    FIVE_MINUTES = "5m"
    QUARTER = "15m"
    HOURLY = "hourly"
    DAILY = "daily"

    @property
    def length(self) -> Millis:
        """The time between two calls."""
        return {"5m": 5 * MINUTE, "15m": 15 * MINUTE, "hourly": HOUR, "daily": 24 * HOUR}[self]

    @property
    def words(self) -> str:
        """For people."""
        return {"5m": "every 5 minutes", "15m": "every 15 minutes", "hourly": "every hour", "daily": "every day"}[self]


def often_enough(period: Millis) -> Every:
    """How often `send` is called unless somebody says: once an hour, and more often where reports are due more often.

    Once an hour, because a report that failed is tried again after 1, 2, 4 ... 60 minutes (DESIGN §5): a daily call
    would put off until tomorrow what failed for a minute.

    Args:
        period: The reporter's period.
    """
    fitting = [one for one in (Every.HOURLY, Every.QUARTER) if one.length <= period]
    return fitting[0] if fitting else Every.FIVE_MINUTES


def offset(identity: str) -> int:
    """The second of the day that a host has for itself, 0 to 86,399: the same for one identity, and evenly spread.

    Args:
        identity: What tells this host from others: the installation.
    """
    digest = hashlib.sha256(b"telemetry schedule\0" + identity.encode("utf-8", "surrogateescape")).digest()
    return int.from_bytes(digest[:8], "big") % _DAY


@dataclass(frozen=True, slots=True)
class Job:
    """A call of the program that comes again and again.

    Attributes:
        program: The words that start the program: the absolute path of the executable, and options before the command.
        variables: Environment variables that it needs.
        every: How often.
        offset: The second of the day, from `offset`, of which minute and second are taken.
        user: As whom the system runs it; None where it is a schedule of the user's own.
        reads: Where files lie that it reads.
        writes: The directory of the store, None for one in a database.
        resident: Whether `run` is started once instead of `send` again and again.
    """

    program: tuple[str, ...]
    every: Every
    offset: int
    variables: tuple[tuple[str, str], ...] = ()
    user: str | None = None
    reads: tuple[Path, ...] = ()
    writes: Path | None = None
    resident: bool = False

    def __post_init__(self) -> None:
        for text in (*self.program, *(value for _, value in self.variables), str(self.writes)):
            if not text.isprintable():
                raise NotSchedulable(
                    f"{text!r} has characters that no schedule can hold.", hint="Give it a path without them."
                )

    def call(self, *words: str) -> tuple[str, ...]:
        """The words of a command."""
        return (*self.program, *words)

    @property
    def hour(self) -> int:
        """0 to 23, for what runs once a day."""
        return self.offset // 3600

    @property
    def minute(self) -> int:
        """0 to 59, and less where it runs several times an hour: the first one."""
        every = min(self.every.length, HOUR) // SECOND
        return self.offset % every // 60

    @property
    def second(self) -> int:
        """0 to 59."""
        return self.offset % 60

    @property
    def needs_homes(self) -> bool:
        """Whether something that it reads or writes lies in somebody's home."""
        paths = (*self.reads, *([] if self.writes is None else [self.writes]))
        return _any_below(paths, _HOMES)


@dataclass(frozen=True, slots=True)
class Part:
    """One text of a schedule; `path` is the file that it is written to, None where it is no file of its own."""

    path: Path | None
    text: str


def written_by(kind: Kind) -> str:
    """The comment that says where a text comes from, by which it is known again."""
    return f"# Written by `telemetry schedule install {kind}`; `telemetry schedule remove {kind}` takes it away.\n"


def _any_below(paths: Iterable[Path], directories: Iterable[Path]) -> bool:
    return any(path.is_relative_to(directory) for path in paths for directory in directories)
