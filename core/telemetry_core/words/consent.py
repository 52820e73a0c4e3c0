"""What consent means before it is given, and what was decided, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from telemetry_core.config.values import duration_text
from telemetry_core.model import Decision, State
from telemetry_core.reporting import initial
from telemetry_core.reporting.session import FIELDS
from telemetry_core.wire import field_path
from telemetry_core.words.instants import instant

if TYPE_CHECKING:
    from collections.abc import Sequence

    from telemetry_core.administration import Choice
    from telemetry_core.config import Engine
    from telemetry_core.reporting import Session


def meaning(session: Session, engines: Sequence[Engine], choice: Choice) -> list[tuple[str, str]]:
    """What enabling some engines is about: fields, endpoint and period, the initial report, and how to undo it."""
    config = session.config
    before = [session.recorded_consent(engine.entry).decision for engine in engines]
    withheld = set(config.withhold).union(*(choice.withheld(decision) for decision in before))
    fields = ", ".join(field_path(name) for name in FIELDS if name not in withheld)
    agreed = [set(one.fields) for one in before if one is not None and one.state is State.ENABLED]
    new = [name for name in FIELDS if name not in withheld and any(name not in fields for fields in agreed)]
    rows = [
        ("engines", ", ".join(engine.entry for engine in engines)),
        ("endpoint", "none" if config.endpoint is None else config.endpoint.url),
        ("period", f"one report every {duration_text(config.reporter.period)}"),
        ("initial report", _initial(session, engines)),
        ("fields", fields),
    ]
    if withheld:
        rows.append(("withheld", ", ".join(field_path(name) for name in sorted(withheld))))
    rows += [("but", said) for engine in engines if (said := _by_itself(session, engine))]
    if new:
        rows.append(("new fields", f"{', '.join(field_path(name) for name in new)} (held back until now)"))
    silent = [engine.entry for engine in engines if not _requests(session, engine.entry)]
    if silent:
        rows.append(("lifts", f"what `telemetry disable --no-requests` forbade for {', '.join(silent)}"))
    rows.append(("undo", "`telemetry disable`"))
    return rows


def _initial(session: Session, engines: Sequence[Engine]) -> str:
    missing = [engine for engine in engines if not _initial_sent(session, engine)]
    if not missing:
        return "sent already, once"
    theirs = [initial.left_to_the_engine(session.store.contacts.get(engine.entry)) for engine in missing]
    if all(theirs):
        return f"not sent: {theirs[0]}"
    return "once, first: installation and product alone (`telemetry preview --initial`)"


def _initial_sent(session: Session, engine: Engine) -> bool:
    installation = session.installation(engine)
    return installation is not None and initial.accepted(session, installation) is not None


def _by_itself(session: Session, engine: Engine) -> str:
    """That nothing is sent for an engine as long as its own reporter is on; empty where that is not known to be so."""
    contact = session.store.contacts.get(engine.entry)
    if contact is None or not contact.own_reporter:
        return ""
    return f"Engine {engine.entry} reports by itself: nothing is sent until its own reporter is off."


def decided(decision: Decision) -> list[tuple[str, str]]:
    """One decision of the history."""
    rows = [("decided", f"{instant(decision.decided_at)} by {decision.decided_by} ({decision.how})")]
    if decision.authorized_by:
        rows.append(("authorized by", decision.authorized_by))
    if decision.reason:
        rows.append(("reason", decision.reason))
    if not decision.requests:
        rows.append(("requests", "all forbidden, the initial report included"))
    if decision.state is State.ENABLED:
        rows.append(("endpoint", decision.endpoint or "none"))
        rows.append(("fields", ", ".join(agreed_to(decision))))
        if decision.withheld:
            rows.append(("withheld", ", ".join(field_path(name) for name in decision.withheld)))
        rows.append(("legal note", "shown" if decision.note_shown else "not shown"))
    return rows


def agreed_to(decision: Decision) -> list[str]:
    """The paths of the fields that a decision agrees to: what it withholds whole is none of them."""
    if decision.state is not State.ENABLED:
        return []
    return [field_path(name) for name in decision.fields if name not in decision.withheld]


def _requests(session: Session, entry: str) -> bool:
    decision = session.recorded_consent(entry).decision
    return decision is None or decision.requests
