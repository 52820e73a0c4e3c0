"""Reports before they leave: built from an observation, claimed in the store, with the slot and id that are theirs."""

from __future__ import annotations

from dataclasses import replace

from telemetry_core import consent as consents
from telemetry_core import payload, wire
from telemetry_core.consent import Consent
from telemetry_core.delivery import withdraw
from telemetry_core.model import Counts, Endpoint, Found, Kind, Report, ReportState, State, Trigger
from telemetry_core.payload import Built
from telemetry_core.reporting import slots
from telemetry_core.reporting.observing import Observation
from telemetry_core.reporting.session import Session


def build_initial(observation: Observation, state: State) -> Built:
    """The initial report of an observed installation."""
    return payload.initial(observation.installation, observation.product, state, _source(observation, "installation"))


def build_periodic(observation: Observation, consent: Consent) -> Built:
    """The periodic report of an observed installation; fields that nobody agreed to are withheld."""
    withheld = consents.left_out(consent, observation.environment.findings)
    return payload.periodic(observation.environment, observation.usage, withheld)


def close_misfits(session: Session, installation: str, consent: Consent) -> None:
    """Withdraw the pending reports of an installation that no longer fit the consent of now."""
    for kind in Kind:
        pending = session.store.reports.pending(installation, kind)
        if pending is not None and consents.misfit(consent, pending):
            withdraw(pending, session.store)


def _permitted(session: Session, installation: str) -> bool:
    group = session.sharing(installation)
    return bool(group) and not consents.obstacle(session.consent_of(group), Kind.PERIODIC)


def open_initial(session: Session, observation: Observation, built: Built, endpoint: Endpoint) -> Report | None:
    """Claim the initial report; a refused one of before is opened again. None where it is claimed already."""
    report = _report(session, observation, built, endpoint)
    with session.store.transaction():
        earlier = session.store.reports.get(report.id)
        if earlier is None:
            return report if session.store.reports.open(report) else None
        if earlier.state in (ReportState.REFUSED, ReportState.WITHDRAWN):
            again = replace(report, attempts=earlier.attempts, maybe_arrived=earlier.maybe_arrived)
            session.store.reports.reopen(again)
            return again
    return None


def open_periodic(
    session: Session,
    observation: Observation,
    built: Built,
    endpoint: Endpoint,
    *,
    trigger: Trigger,
    only_in_slot: bool,
) -> Report | None:
    """Claim a periodic report for the current slot, or without one where that is taken; None where it is outdated.

    Args:
        session: Where it is kept.
        observation: With a ledger.
        built: The report.
        endpoint: Where it shall go.
        trigger: Why it is prepared.
        only_in_slot: Give up where the slot is taken.
    """
    ledger, store, installation = observation.ledger, session.store, observation.installation
    with store.transaction():
        if ledger is None or store.ledgers.get(installation) != ledger or not _permitted(session, installation):
            return None  # something was sent or decided since the engine was read: its counts are not these any more
        slot = slots.current_or_first(session, installation, session.clock.now())
        taken = store.reports.slot_taken(installation, slot)
        if taken and only_in_slot:
            return None
        start = ledger.window_start
        report = replace(
            _report(session, observation, built, endpoint),
            id=wire.periodic_id(installation, start, store.reports.ordinal(installation, start)),
            window_start=start,
            window_end=ledger.base.read_at,
            slot=None if taken else slot,
            trigger=Trigger.FORCED if taken and trigger is Trigger.DUE else trigger,
            carried=observation.usage.counts,
        )
        return report if store.reports.open(report) else None


def _report(session: Session, observation: Observation, built: Built, endpoint: Endpoint) -> Report:
    """A pending report with all that both kinds have in common; as it is, the initial one."""
    return Report(
        id=wire.initial_id(observation.installation),
        installation=observation.installation,
        kind=built.payload.kind,
        trigger=Trigger.DUE,
        state=ReportState.PENDING,
        engines=observation.engines,
        endpoint=endpoint.origin,
        document=wire.encode(built.payload),
        carried=Counts(),
        fields=built.fields,
        withheld=tuple(sorted(built.payload.withheld)),
        slot=None,
        window_start=0,
        window_end=0,
        created_at=session.clock.now(),
        sources=built.sources,
        missing=built.missing,
    )


def _source(observation: Observation, point: str) -> str:
    finding = observation.environment.findings[point]
    return finding.source if isinstance(finding, Found) else ""
