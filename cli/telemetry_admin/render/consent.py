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

    from telemetry_core.administration import Decided
    from telemetry_core.config import Engine
    from telemetry_core.reporting import Session, Status


def show_what_it_means(console: Console, session: Session, engines: Sequence[Engine]) -> None:
    """Print legal note, fields, endpoint and period, the initial report and how to undo it."""
    config = session.config
    paragraph(console, legal_note.TEXT)
    console.print()
    withheld = set(config.withhold)
    fields = ", ".join(field_path(name) for name in FIELDS if name not in withheld)
    rows = [
        ("engines", ", ".join(engine.entry for engine in engines)),
        ("endpoint", "none" if config.endpoint is None else config.endpoint.url),
        ("period", f"one report every {duration_text(config.reporter.period)}"),
        ("initial report", "once, first: installation and product alone (`telemetry preview --initial`)"),
        ("fields", fields),
    ]
    if withheld:
        rows.append(("withheld", ", ".join(sorted(withheld))))
    silent = [engine.entry for engine in engines if not _requests(session, engine.entry)]
    if silent:
        rows.append(("lifts", f"what `telemetry disable --no-requests` forbade for {', '.join(silent)}"))
    rows.append(("undo", "`telemetry disable`"))
    pairs(console, rows)
    console.print()


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
    """A decision for `--json`."""
    decision = decided.decision
    return {
        "name": decided.engine,
        "changed": decided.changed,
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
    }
