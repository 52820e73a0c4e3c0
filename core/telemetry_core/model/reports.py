"""Reports from payload to receipt, decisions of the consent, and contacts with engines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from telemetry_core.model.basics import Kind, Millis, Outcome, ReportState, State, Trigger
from telemetry_core.model.products import Integration, License, Product, Software


@dataclass(frozen=True, slots=True)
class Counts:
    """How often things happened; None where that is not known."""

    metrics: Mapping[str, int] | None = None
    commands: Mapping[str, int] | None = None


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
    withheld: tuple[str, ...] = ()
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
    initial_sent: bool | None = None
