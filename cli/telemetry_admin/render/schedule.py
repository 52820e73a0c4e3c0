"""Schedules in words: what will be sent first and where, what was written, what was taken away."""

from __future__ import annotations

from typing import TYPE_CHECKING

from telemetry_admin.render.console import heading, pairs, paragraph, safe
from telemetry_admin.result import Json
from telemetry_core.schedule import Kind
from telemetry_core.words.instants import instant
from telemetry_core.words.status import initial

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from telemetry_admin.scheduling import Planned
    from telemetry_core.reporting import Status
    from telemetry_core.schedule import Change, Part


def printed(parts: Sequence[Part]) -> str:
    """One text as it is; several with the path of each in a line above it."""
    if len(parts) == 1:
        return parts[0].text
    return "\n".join(f"# {part.path}\n{part.text}" for part in parts)


def announced(status: Status) -> Json:
    """What is sent of an engine's entry, first and then."""
    endpoint = status.consent.endpoint
    return {
        "name": status.engine,
        "endpoint": None if endpoint is None else endpoint.url,
        "initial": initial(status),
        "periodic": _periodic(status),
    }


def show_installed(
    console: Console, kind: Kind, change: Change, planned: Planned, said: tuple[Sequence[Status], Sequence[Kind]]
) -> None:
    """Print the announcement, then what was done."""
    standing, others = said
    for status in standing:
        endpoint = status.consent.endpoint
        heading(console, safe(status.engine))
        where = "none: nothing is sent" if endpoint is None else endpoint.url
        pairs(console, [("endpoint", where), ("initial report", initial(status)), ("then", _periodic(status))])
    if not standing:
        console.print("No engine is configured: nothing is sent until there is one.")
    for path in change.removed:
        console.print(f"{safe(path)} is removed.")
    for path in change.written:
        console.print(f"{safe(path)} is written.")
    if not change.written and not change.removed:
        console.print("It is installed already; nothing was changed.")
    console.print(_what_runs(kind, planned))
    for note in planned.notes:
        paragraph(console, note)
    for other in others:
        console.print(f"There is a schedule for {other} too: `telemetry schedule remove {other}` takes it away.")


def show_removed(console: Console, removed: Sequence[str]) -> None:
    """Print what was taken away."""
    for path in removed:
        console.print("Our lines in the crontab are removed." if path == "crontab" else f"{safe(path)} is removed.")
    if not removed:
        console.print("There is nothing to take away.")


def _what_runs(kind: Kind, planned: Planned) -> str:
    job = planned.job
    who = "" if job.user is None else f" as {safe(job.user)}"
    if kind is Kind.STOP_HOOK:
        return f"Before that service stops, `telemetry send --final` runs{who}."
    if job.resident:
        return f"`telemetry run` runs all the time{who}."
    return f"`telemetry send` runs {job.every.words}{who}; minute and second come from {planned.origin}."


def _periodic(status: Status) -> str:
    if status.obstacle:
        return f"nothing: {status.obstacle}"
    if status.due_at is None:
        return "nothing"
    return f"a report per period, the next one due {instant(status.due_at)}"
