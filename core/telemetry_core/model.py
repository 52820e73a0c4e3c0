"""The frozen types that flow between the modules; every instant is an integer of milliseconds since 1970 (UTC)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
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


@dataclass(frozen=True, slots=True)
class Product:
    """Name, version and edition as the engine says them."""

    name: str
    version: str
    edition: str


@dataclass(frozen=True, slots=True)
class Software:
    """Vendor and version of a database, an application server or a JDK."""

    vendor: str | None = None
    version: str | None = None


@dataclass(frozen=True, slots=True)
class License:
    """Licence data without its signature; `raw` is always there, the rest where somebody structured it."""

    raw: str | None = None
    customer: str | None = None
    type: str | None = None
    valid_until: str | None = None
    unlimited: bool | None = None
    features: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Integration:
    """How the engine was put in place: `key` is the wire's, such as `camunda-integration`; an open set (facts §1.8)."""

    key: str
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CommandsReading:
    """The command counts of one node since its life began."""

    node: str
    counts: Mapping[str, int]
    started_at: Millis | None


@dataclass(frozen=True, slots=True)
class MetricsReading:
    """Sums of the metrics over REST since `since`, and up to `next_since` where the base shall move there."""

    since: Millis
    sums: Mapping[str, int]
    next_since: Millis | None = None
    older: Mapping[str, int] | None = None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What one source said at one moment; `problems` says for a data point why it is not there."""

    engine: str
    source: str
    read_at: Millis
    installation: str | None = None
    product: Product | None = None
    database: Software | None = None
    application_server: Software | None = None
    jdk: Software | None = None
    webapps: tuple[str, ...] | None = None
    integration: Integration | None = None
    license_key: License | None = None
    commands: CommandsReading | None = None
    metrics: MetricsReading | None = None
    own_reporter: bool = False
    problems: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Found:
    """A value and the source that said it."""

    value: object
    source: str


@dataclass(frozen=True, slots=True)
class Missing:
    """No value, and why."""

    reason: str


Finding: TypeAlias = Found | Missing


@dataclass(frozen=True, slots=True)
class Environment:
    """Every data point of the report with what was found for it, by the point's name."""

    findings: Mapping[str, Finding]

    def value(self, point: str) -> object | None:
        """The value of a data point, None where it is missing."""
        finding = self.findings.get(point)
        return finding.value if isinstance(finding, Found) else None


@dataclass(frozen=True, slots=True)
class Counts:
    """How often things happened; None where that is not known."""

    metrics: Mapping[str, int] | None = None
    commands: Mapping[str, int] | None = None


@dataclass(frozen=True, slots=True)
class MetricsBase:
    """Where counting of the metrics goes on: the sums since `since` that were seen already.

    `full_at` is the last reading in which each sum was at least what had been seen before it.
    """

    since: Millis
    seen: Mapping[str, int]
    full_at: Mapping[str, Millis]


class Suspicion(StrEnum):
    """What an address without start dates is suspected of, since its counts fell: a restart or a load balancer."""

    FALLEN = "fallen"
    RETURNED = "returned"
    BALANCER = "balancer"


@dataclass(frozen=True, slots=True)
class Doubt:
    """Why the counts of an address are held back; `earlier` is what it showed before it showed what it shows now."""

    suspicion: Suspicion
    earlier: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Base:
    """What of an installation was counted already, so that it is never counted again.

    Attributes:
        nodes: What each life of a node has shown, by its start, or by its address where it says none.
        seen_at: When each life was last read: the one that was not read for longest is forgotten first.
        doubts: Of addresses whose counts are held back.
        forgotten: The latest start of a life that was forgotten: what began until then may have been counted.
    """

    taken_at: Millis
    read_at: Millis
    metrics: MetricsBase | None = None
    nodes: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    seen_at: Mapping[str, Millis] = field(default_factory=dict)
    doubts: Mapping[str, Doubt] = field(default_factory=dict)
    forgotten: Millis = 0


@dataclass(frozen=True, slots=True)
class Ledger:
    """The base of an installation, what was counted since the last accepted report, and where its window starts."""

    installation: str
    base: Base
    accumulated: Counts
    window_start: Millis


@dataclass(frozen=True, slots=True)
class Payload:
    """One report before it is bytes; None means left out."""

    kind: Kind
    installation: str
    product: Product
    telemetry_enabled: bool | None
    database: Software | None = None
    application_server: Software | None = None
    jdk: Software | None = None
    commands: Mapping[str, int] | None = None
    metrics: Mapping[str, int] | None = None
    integration: Integration | None = None
    license_key: License | None = None
    webapps: tuple[str, ...] | None = None
    data_collection_start_date: Millis | None = None
    withheld: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Document:
    """The bytes of a report, the same in preview, store, history and on the wire, and their SHA-256 in hexadecimal."""

    body: bytes
    sha256: str


@dataclass(frozen=True, slots=True)
class Report:
    """One report as it is kept."""

    id: str
    installation: str
    kind: Kind
    trigger: Trigger
    state: ReportState
    engines: tuple[str, ...]
    endpoint: str
    document: Document
    carried: Counts
    fields: tuple[str, ...]
    withheld: tuple[str, ...]
    slot: Millis | None
    window_start: Millis
    window_end: Millis
    created_at: Millis
    sources: Mapping[str, str] = field(default_factory=dict)
    missing: Mapping[str, str] = field(default_factory=dict)
    attempts: int = 0
    failed_runs: int = 0
    maybe_arrived: bool = False
    accepted_at: Millis | None = None
    next_attempt_at: Millis = 0


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try to deliver a report; `outcome` is None where the process ended before it knew."""

    number: int
    started_at: Millis
    finished_at: Millis | None = None
    outcome: Outcome | None = None
    status: int | None = None
    detail: str = ""
    answer: str = ""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What delivering a report came to; `answer` is the start of the receiver's answer."""

    outcome: Outcome
    status: int | None = None
    detail: str = ""
    answer: str = ""
    retry_after: float | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """One entry of the consent's history; append-only."""

    engine: str
    state: State
    requests: bool
    decided_at: Millis
    decided_by: str
    how: str
    installation: str | None = None
    authorized_by: str | None = None
    reason: str | None = None
    fields: tuple[str, ...] = ()
    endpoint: str | None = None
    note_sha256: str | None = None
    note_shown: bool = False


@dataclass(frozen=True, slots=True)
class Contact:
    """What the last contact with an engine found."""

    engine: str
    at: Millis
    first_at: Millis
    installation: str
    product: Product
    own_reporter: bool = False
