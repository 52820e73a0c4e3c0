"""What delivering needs around a report: a store with counts, a permit, settings; all values written out."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from urllib.parse import urlsplit

from telemetry_core import consent
from telemetry_core.config import Reporter
from telemetry_core.consent import Consent, Permit
from telemetry_core.courier import Courier
from telemetry_core.delivery import deliver
from telemetry_core.model import (
    Base,
    Clock,
    Counts,
    Decision,
    Document,
    Endpoint,
    Kind,
    Ledger,
    Receipt,
    Report,
    ReportState,
    State,
    Trigger,
)
from telemetry_core.store import Place, Store
from tests.support.clock import START, ManualClock

INSTALLATION = "8343cc7a-8ad1-42d4-97d2-43452c0bdfa3"
PERIODIC = "11111111-0000-5000-8000-000000000001"
INITIAL = "22222222-0000-5000-8000-000000000001"
SETTINGS = Reporter(
    period=24 * 60 * 60_000,
    retries=0,
    timeout=5_000,
    deadline=60_000,
    sample_period=6 * 60 * 60_000,
    initial_delay=5 * 60_000,
    final_deadline=5_000,
)


def endpoint(url: str) -> Endpoint:
    parts = urlsplit(url)
    return Endpoint(url, parts.scheme, parts.hostname or "", parts.port or {"http": 80, "https": 443}[parts.scheme])


def permit(url: str, kind: Kind = Kind.PERIODIC, installation: str = INSTALLATION) -> Permit:
    """A permit as the consent gives it."""
    place = endpoint(url)
    decision = Decision(
        "orders",
        State.ENABLED,
        requests=True,
        decided_at=START,
        decided_by="admin",
        how="command",
        endpoint=place.origin,
    )
    return consent.permit(Consent("orders", State.ENABLED, decision, place), kind, installation)


def document(tree: Mapping[str, object]) -> Document:
    body = json.dumps(tree).encode()
    return Document(body, sha256(body).hexdigest())


def periodic(url: str = "http://127.0.0.1:1/") -> Report:
    """A pending report of the window from 1000 to 2000 that carries 4 of 7 process instances, and more."""
    return Report(
        id=PERIODIC,
        installation=INSTALLATION,
        kind=Kind.PERIODIC,
        trigger=Trigger.DUE,
        state=ReportState.PENDING,
        engines=("orders",),
        endpoint=endpoint(url).origin,
        document=document({"installation": INSTALLATION, "name": "ü"}),
        carried=Counts(
            metrics={"root-process-instance-start": 4, "activity-instance-start": 9, "executed-decision-elements": 0},
            commands={"StartProcessInstanceCmd": 4},
        ),
        fields=("installation", "metrics", "commands"),
        withheld=(),
        slot=500,
        window_start=1000,
        window_end=2000,
        created_at=START,
    )


def initial(url: str = "http://127.0.0.1:1/") -> Report:
    """A pending initial report."""
    return replace(
        periodic(url), id=INITIAL, kind=Kind.INITIAL, carried=Counts(), slot=None, window_start=0, window_end=0
    )


LEDGER = Ledger(
    installation=INSTALLATION,
    base=Base(taken_at=900, read_at=2500),
    accumulated=Counts(
        metrics={"root-process-instance-start": 7, "activity-instance-start": 9, "executed-decision-elements": 0},
        commands={"StartProcessInstanceCmd": 5, "DeployCmd": 1},
    ),
    window_start=1000,
)
REDUCED = replace(
    LEDGER,
    accumulated=Counts(
        metrics={"root-process-instance-start": 3}, commands={"StartProcessInstanceCmd": 1, "DeployCmd": 1}
    ),
    window_start=2000,
)


@dataclass
class Delivery:
    """One run that delivers reports to one address; its store has the ledger above."""

    store: Store
    url: str
    clock: Clock = field(default_factory=ManualClock)
    settings: Reporter = SETTINGS
    fits: Callable[[Report], str] = lambda _: ""

    def __post_init__(self) -> None:
        self.store.ledgers.put(LEDGER)
        self.courier = Courier(self.store, self.clock, self.settings, lambda report: self.fits(report))

    def open(self, report: Report) -> Report:
        """Keep a report before it is delivered."""
        assert self.store.reports.open(report)
        return report

    def __call__(self, report: Report | None = None) -> tuple[Report, Receipt]:
        """Deliver a report that the store has; without one, open a periodic one first."""
        if report is None:
            report = self.open(periodic(self.url))
        done, receipt = deliver(report, permit(self.url, report.kind, report.installation), self.courier)
        assert self.store.reports.get(report.id) == done  # what is returned is what is kept
        return done, receipt

    def next_run(self) -> Delivery:
        """Another run later, with a deadline of its own."""
        self.courier = Courier(self.store, self.clock, self.settings, lambda report: self.fits(report))
        return self

    @property
    def ledger(self) -> Ledger | None:
        return self.store.ledgers.get(INSTALLATION)


def new_store(place: Place) -> Store:
    return Store.for_writing(place, START)
