"""Decisions about reports in quarantine: one that is released counts as if it had from the beginning, or is dropped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from telemetry_collector import judging
from telemetry_collector.model import Held, State
from telemetry_collector.report import DECODER
from telemetry_collector.store.bodies import Bodies
from telemetry_collector.store.database import CollectorDatabase
from telemetry_collector.store.fleet import Fleet
from telemetry_collector.store.listing import Listing, Stored
from telemetry_collector.store.receipts import Receipts
from telemetry_core.errors import UnknownReport, UsageError
from telemetry_core.model import Millis

_LIST = "`telemetry collector list --quarantined` shows those that wait for a decision."


class Decision(msgspec.Struct, frozen=True):
    """What an administrator has decided about a report, when, and who it was."""

    name: str
    released: bool
    decided_at: Millis
    decided_by: str


class Decisions:
    """The decisions of one database."""

    def __init__(self, database: CollectorDatabase, receipts: Receipts, bodies: Bodies, fleet: Fleet) -> None:
        self._database = database
        self._receipts = receipts
        self._bodies = bodies
        self._fleet = fleet
        self._listing = Listing(database)

    def decide(self, decision: Decision) -> tuple[Stored, bool]:
        """Release a report that is in quarantine or was dropped, or drop one that is in quarantine.

        Returns:
            What it is now, and whether that is something else than before.

        Raises:
            UnknownReport: None has this id.
            UsageError: It counts, or its body is gone, so that it cannot count.
            StoreError: Nothing was decided.
        """
        with self._database.transaction():
            stored = self._listing.find(decision.name)
            if stored is None:
                raise UnknownReport(f"No stored report has the id {decision.name!r}.", hint=_LIST)
            if stored.state is State.DROPPED and not decision.released:
                return stored, False
            if stored.state not in (State.QUARANTINED, State.DROPPED):
                if decision.released and stored.code:
                    return stored, False
                raise UsageError(f"Report {stored.id} is not in quarantine.", hint=_LIST)
            state = self._released(stored) if decision.released else State.DROPPED
            self._receipts.become(stored.number, state)
            self._database.change(
                "INSERT INTO decision (number, decided_at, decided_by, state) VALUES (?, ?, ?, ?)",
                (stored.number, decision.decided_at, decision.decided_by, state.value),
            )
        by, at = decision.decided_by, decision.decided_at
        return msgspec.structs.replace(stored, state=state, decided_at=at, decided_by=by), True

    def _released(self, stored: Stored) -> State:
        """What a report is that counts from now on, beside those that came before and after it."""
        body = self._bodies.of([(stored.number, stored.received_at)]).get(stored.number)
        if body is None:
            raise UsageError(
                f"Report {stored.id} is so old that its body is gone; it cannot count any more.",
                hint=f"Drop it: telemetry collector drop {stored.id}",
            )
        report = DECODER.decode(body)
        self._fleet.readmit(stored.number, stored.installation, stored.received_at, report)
        if stored.keyed or not stored.window:
            return State.COUNTED
        new = Held(
            number=stored.number,
            id=stored.id,
            keyed=False,
            sha256=stored.sha256,
            installation=stored.installation,
            window=stored.window,
            received_at=stored.received_at,
            state=State.COUNTED,
        )
        return self._beside_attempts(new, report.counts)

    def _beside_attempts(self, new: Held, counts: Mapping[str, int]) -> State:
        earlier = self._with_counts(self._receipts.of_window(new.installation, new.window))
        verdict = judging.beside_attempts(new, counts, earlier)
        if verdict.supersedes is not None:
            self._receipts.become(verdict.supersedes.number, State.SUPERSEDED)
        is_late = verdict.held.state is State.SUPERSEDED
        return State.SUPERSEDED if is_late else State.COUNTED  # that it falls is what was decided about

    def _with_counts(self, held: Sequence[Held]) -> list[Held]:
        bodies = self._bodies.of([(one.number, one.received_at) for one in held])
        return [
            msgspec.structs.replace(one, counts=DECODER.decode(bodies[one.number]).counts)
            for one in held
            if one.number in bodies
        ]
