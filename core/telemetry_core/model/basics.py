"""Time, chance and the words of the domain: states, kinds and outcomes, and where reports go."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, TypeAlias

Millis: TypeAlias = int
"""An instant (milliseconds since 1970-01-01T00:00:00Z) or a length of time in milliseconds."""

SECOND: Millis = 1000
MINUTE: Millis = 60 * SECOND
HOUR: Millis = 60 * MINUTE


class Clock(Protocol):
    """Time and chance, handed down from the one place that reads them."""

    def now(self) -> Millis:
        """The wall clock."""

    def monotonic(self) -> float:
        """Seconds of a clock that is never set."""

    def sleep(self, seconds: float) -> None:
        """Wait."""

    def random(self) -> float:
        """An evenly spread number in [0, 1)."""


class State(StrEnum):
    """The three states of consent, as the engine had them (facts §3.1)."""

    NOT_CONFIGURED = "not-configured"
    ENABLED = "enabled"
    DISABLED = "disabled"

    @property
    def flag(self) -> bool | None:
        """As engines say it over REST, and in the initial report: true, false, or null where nobody has decided."""
        return None if self is State.NOT_CONFIGURED else self is State.ENABLED


class Kind(StrEnum):
    """Which of the two reports of the user guide."""

    INITIAL = "initial"
    PERIODIC = "periodic"


class Trigger(StrEnum):
    """Why a report was prepared."""

    DUE = "due"
    FORCED = "forced"
    FINAL = "final"


class ReportState(StrEnum):
    """What became of a report (DESIGN §5)."""

    PENDING = "pending"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    CONFLICT = "conflict"


class Outcome(StrEnum):
    """What one attempt to deliver came to (DESIGN §5)."""

    NOT_SENT = "not-sent"
    UNKNOWN = "unknown"
    ACCEPTED = "accepted"
    CONFLICT = "conflict"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where reports go; consent is given for scheme, host and port."""

    url: str
    scheme: str
    host: str
    port: int

    @property
    def origin(self) -> str:
        """Scheme, host and port as one text, such as `https://telemetry.example:443`."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"
