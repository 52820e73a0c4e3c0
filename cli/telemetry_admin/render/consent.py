"""What consent means, before it is given, and what was decided, afterwards."""

from __future__ import annotations

from typing import TYPE_CHECKING

from telemetry_admin.render.console import heading, pairs, paragraph, safe, say
from telemetry_admin.result import Json
from telemetry_core.administration import legal_note
from telemetry_core.model import State
from telemetry_core.wire import field_path
from telemetry_core.words import consent as words
from telemetry_core.words.instants import instant
from telemetry_core.words.status import becomes_of_initial

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import Console

    from telemetry_core.administration import Choice, Decided
    from telemetry_core.config import Engine
    from telemetry_core.model import Decision
    from telemetry_core.reporting import Session, Status


def show_what_it_means(console: Console, session: Session, engines: Sequence[Engine], choice: Choice) -> None:
    """Print legal note, fields, endpoint and period, the initial report and how to undo it."""
    paragraph(console, legal_note.TEXT)
    console.print()
    pairs(console, words.meaning(session, engines, choice))
    console.print()


def show_history(console: Console, history: Sequence[tuple[int, Decision]]) -> None:
    """Print decisions, oldest first."""
    if not history:
        console.print("Nothing was decided yet.")
    for number, decision in history:
        heading(console, f"{number}  {safe(decision.engine)}: {decision.state.replace('-', ' ')}")
        pairs(console, words.decided(decision), indent=5)


def show_enabled(console: Console, decided: Sequence[Decided], obstacles: Mapping[str, str]) -> None:
    """Print what enabling came to."""
    for one in decided:
        if not one.changed:
            since = instant(one.decision.decided_at)
            say(console, f"{safe(one.engine)}: telemetry is enabled already, since {since}.")
            continue
        heading(console, f"{safe(one.engine)}: telemetry {'stays' if one.again else 'is'} enabled.")
        if obstacles[one.engine]:
            paragraph(console, f"But nothing is sent for now: {obstacles[one.engine]}", indent=2)
        else:
            begins = "" if one.again else "Counting begins now; "
            shows = f"{begins}`telemetry preview` shows what will be sent, `telemetry send` sends it."
            paragraph(console, shows, indent=2)
        if one.observation is not None and "metrics" in one.observation.usage.problems:
            paragraph(console, f"Metrics: {one.observation.usage.problems['metrics']}.", indent=2)


def show_disabled(console: Console, decided: Sequence[Decided], standing: Sequence[Status]) -> None:
    """Print what disabling came to, and what that means for the initial report."""
    for one, status in zip(decided, standing, strict=True):
        already = "" if one.changed else " already"
        say(console, f"{safe(one.engine)}: telemetry is disabled{already}.")
        paragraph(console, becomes_of_initial(status), indent=2)


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
        "fields": words.agreed_to(decision),
        "withheld": [field_path(name) for name in decision.withheld] if decision.state is State.ENABLED else [],
    }
