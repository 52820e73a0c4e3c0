"""What a command returns: data for `--json`, a way to say it to people, and failures that decide the exit status."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Sized
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from telemetry_core.errors import TelemetryError, first_by_precedence

if TYPE_CHECKING:
    from rich.console import Console

FORMAT = 1
"""Version of the envelope; it grows when a key changes its meaning or goes away."""

Json: TypeAlias = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Result:
    """The end of a command.

    Attributes:
        data: What `--json` shows; the same keys on every run of the command.
        show: Prints the same for people; None where there is nothing to say.
        raw: Bytes that go to standard output as they are, and nothing else.
        failures: What went wrong for some of the engines.
        quiet: Failures that were said before and count for the exit status alone.
        forgiven: Failures that are said and do not count for the exit status.
        status: The exit status where that is the answer that was asked for, and not the one of failures.
    """

    data: Json
    show: Callable[[Console], None] | None = None
    raw: bytes | None = None
    failures: Sequence[TelemetryError] = ()
    quiet: Sequence[TelemetryError] = field(default=())
    forgiven: Sequence[TelemetryError] = field(default=())
    status: int | None = None

    @property
    def error(self) -> TelemetryError | None:
        """The failure that decides the exit status."""
        failed = [*self.failures, *self.quiet]
        return first_by_precedence(failed) if failed else None

    @property
    def exit_status(self) -> int:
        """What the program ends with."""
        if self.status is not None:
            return self.status
        return 0 if self.error is None else self.error.exit_status


def envelope(command: str, result: Result) -> Json:
    """The one object that `--json` writes; where some engines failed it has what was done beside the error."""
    error = result.error
    if error is None:
        return {"format": FORMAT, "command": command, "ok": True, "data": result.data}
    return {**error_envelope(command, error), "data": result.data}


def error_envelope(command: str, error: TelemetryError) -> Json:
    """The same for a command that failed."""
    described = {
        "code": error.code,
        "message": error.message,
        "hint": error.hint,
        "exit-status": error.exit_status,
    }
    return {"format": FORMAT, "command": command, "ok": False, "error": described}


def raise_if_alone(failures: Sequence[TelemetryError], done: Sized) -> None:
    """Where a command did nothing but fail, once, that failure is its end; several are said one by one."""
    if len(failures) == 1 and not done:
        raise failures[0]
