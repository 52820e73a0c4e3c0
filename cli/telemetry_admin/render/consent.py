"""What consent means, before it is given, and what was decided, afterwards."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from telemetry_admin.render.console import heading, pairs, paragraph, safe
from telemetry_admin.result import Json, instant
from telemetry_core.administration import FIELDS, legal_note
from telemetry_core.config.values import duration_text
from telemetry_core.model import State
from telemetry_core.wire import field_path

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from telemetry_core.administration import Decided
    from telemetry_core.config import Config, Engine


def show_what_it_means(console: Console, config: Config, engines: Sequence[Engine]) -> None:
    """Print legal note, fields, endpoint and period, the initial report and how to undo it."""
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
    rows.append(("undo", "`telemetry disable`"))
    pairs(console, rows)
    console.print()


def show_enabled(console: Console, decided: Sequence[Decided]) -> None:
    """Print what enabling came to."""
    for one in decided:
        if not one.changed:
            since = instant(one.decision.decided_at)
            console.print(Text(f"{safe(one.engine)}: telemetry is enabled already, since {since}."))
            continue
        heading(console, f"{safe(one.engine)}: telemetry is enabled.")
        console.print("  Counting begins now; `telemetry preview` shows what will be sent, `telemetry send` sends it.")
        seen = one.observation
        if seen is not None and seen.own_reporter:
            console.print("  The engine reports by itself too; while it does, `telemetry send` leaves it out.")
        if seen is not None and "metrics" in seen.usage.problems:
            console.print(Text(f"  Metrics: {safe(seen.usage.problems['metrics'])}."))


def show_disabled(console: Console, decided: Sequence[Decided]) -> None:
    """Print what disabling came to."""
    for one in decided:
        already = "" if one.changed else " already"
        console.print(Text(f"{safe(one.engine)}: telemetry is disabled{already}."))
        if one.decision.requests:
            console.print("  The initial report still goes once; `telemetry disable --no-requests` forbids it.")
        else:
            console.print("  No request will be sent to the endpoint, the initial report included.")


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
