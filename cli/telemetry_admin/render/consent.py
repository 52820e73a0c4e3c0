"""What consent means, before it is given, and what was decided, afterwards."""

from __future__ import annotations

from typing import TYPE_CHECKING

from telemetry_admin.render.console import heading, pairs, paragraph, safe, say
from telemetry_admin.render.status import initial
from telemetry_admin.result import Json, instant
from telemetry_core.administration import FIELDS, legal_note
from telemetry_core.config.values import duration_text
from telemetry_core.model import State
from telemetry_core.wire import field_path

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import Console

    from telemetry_core.administration import Choice, Decided
    from telemetry_core.config import Engine
    from telemetry_core.model import Decision
    from telemetry_core.reporting import Session, Status


def show_what_it_means(console: Console, session: Session, engines: Sequence[Engine], choice: Choice) -> None:
    """Print legal note, fields, endpoint and period, the initial report and how to undo it."""
    config = session.config
    paragraph(console, legal_note.TEXT)
    console.print()
    before = [session.recorded_consent(engine.entry).decision for engine in engines]
    withheld = set(config.withhold).union(*(choice.withheld(decision) for decision in before))
    fields = ", ".join(field_path(name) for name in FIELDS if name not in withheld)
    agreed = [set(one.fields) for one in before if one is not None and one.state is State.ENABLED]
    new = [name for name in FIELDS if name not in withheld and any(name not in fields for fields in agreed)]
    rows = [
        ("engines", ", ".join(engine.entry for engine in engines)),
        ("endpoint", "none" if config.endpoint is None else config.endpoint.url),
        ("period", f"one report every {duration_text(config.reporter.period)}"),
        ("initial report", "once, first: installation and product alone (`telemetry preview --initial`)"),
        ("fields", fields),
    ]
    if withheld:
        rows.append(("withheld", ", ".join(field_path(name) for name in sorted(withheld))))
    if new:
        rows.append(("new fields", f"{', '.join(field_path(name) for name in new)} (held back until now)"))
    silent = [engine.entry for engine in engines if not _requests(session, engine.entry)]
    if silent:
        rows.append(("lifts", f"what `telemetry disable --no-requests` forbade for {', '.join(silent)}"))
    rows.append(("undo", "`telemetry disable`"))
    pairs(console, rows)
    console.print()


def show_history(console: Console, history: Sequence[tuple[int, Decision]]) -> None:
    """Print decisions, oldest first."""
    if not history:
        console.print("Nothing was decided yet.")
    for number, decision in history:
        heading(console, f"{number}  {safe(decision.engine)}: {decision.state.replace('-', ' ')}")
        pairs(console, _decided(decision), indent=5)


def _decided(decision: Decision) -> list[tuple[str, str]]:
    rows = [("decided", f"{instant(decision.decided_at)} by {decision.decided_by} ({decision.how})")]
    if decision.authorized_by:
        rows.append(("authorized by", decision.authorized_by))
    if decision.reason:
        rows.append(("reason", decision.reason))
    if not decision.requests:
        rows.append(("requests", "all forbidden, the initial report included"))
    if decision.state is State.ENABLED:
        rows.append(("endpoint", decision.endpoint or "none"))
        rows.append(("fields", ", ".join(field_path(name) for name in decision.fields)))
        if decision.withheld:
            rows.append(("withheld", ", ".join(field_path(name) for name in decision.withheld)))
        rows.append(("legal note", "shown" if decision.note_shown else "not shown"))
    return rows


def _requests(session: Session, entry: str) -> bool:
    decision = session.recorded_consent(entry).decision
    return decision is None or decision.requests


def show_enabled(console: Console, decided: Sequence[Decided], obstacles: Mapping[str, str]) -> None:
    """Print what enabling came to."""
    for one in decided:
        if not one.changed:
            since = instant(one.decision.decided_at)
            say(console, f"{safe(one.engine)}: telemetry is enabled already, since {since}.")
            continue
        heading(console, f"{safe(one.engine)}: telemetry is enabled.")
        if obstacles[one.engine]:
            paragraph(console, f"But nothing is sent for now: {obstacles[one.engine]}", indent=2)
        else:
            shows = "Counting begins now; `telemetry preview` shows what will be sent, `telemetry send` sends it."
            paragraph(console, shows, indent=2)
        if one.observation is not None and "metrics" in one.observation.usage.problems:
            paragraph(console, f"Metrics: {one.observation.usage.problems['metrics']}.", indent=2)


def show_disabled(console: Console, decided: Sequence[Decided], standing: Sequence[Status]) -> None:
    """Print what disabling came to, and what that means for the initial report."""
    for one, status in zip(decided, standing, strict=True):
        already = "" if one.changed else " already"
        say(console, f"{safe(one.engine)}: telemetry is disabled{already}.")
        paragraph(console, f"Initial report: {initial(status)}.", indent=2)


def described(decided: Decided) -> Json:
    """What a decision came to, for `--json`."""
    return {"name": decided.engine, "changed": decided.changed, **described_decision(decided.decision)}


def described_decision(decision: Decision) -> Json:
    """A decision for `--json`."""
    return {
        "name": decision.engine,
        "state": decision.state,
        "installation": decision.installation,
        "requests": decision.requests,
        "decided-at": instant(decision.decided_at),
        "decided-by": decision.decided_by,
        "authorized-by": decision.authorized_by,
        "reason": decision.reason,
        "how": decision.how,
        "endpoint": decision.endpoint,
        "fields": [field_path(name) for name in decision.fields] if decision.state is State.ENABLED else [],
        "withheld": [field_path(name) for name in decision.withheld] if decision.state is State.ENABLED else [],
    }
