"""The state of each engine, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from telemetry_admin.render.console import heading, pairs, safe
from telemetry_admin.result import instant
from telemetry_core.model import MINUTE, State
from telemetry_core.wire import field_path

if TYPE_CHECKING:
    from rich.console import Console

    from telemetry_core.reporting import Explanation, Status

WORDS = {State.NOT_CONFIGURED: "not configured", State.ENABLED: "enabled", State.DISABLED: "disabled"}


def show(console: Console, found: list[Status], now: int) -> None:
    """Print the state of some engines."""
    if not found:
        console.print("No engine is configured. Write a table [engines.NAME] into the configuration.")
    for status in found:
        heading(console, safe(status.engine))
        pairs(console, _rows(status, now))


def show_layers(console: Console, explained: list[Explanation]) -> None:
    """Print the layers of some engines, the deciding one marked."""
    for one in explained:
        deciding = one.deciding
        verdict = "reports may leave" if deciding is None else f"nothing leaves: {deciding.name} decides"
        heading(console, f"{safe(one.engine)}: {verdict}")
        rows = [
            (f"{'>' if layer is deciding else ' '} {layer.name}", f"{layer.value}   [{layer.origin}]")
            for layer in one.layers
        ]
        pairs(console, rows)


def _rows(status: Status, now: int) -> list[tuple[str, str]]:
    consent, contact = status.consent, status.contact
    rows = [("telemetry", WORDS[consent.state])]
    if status.obstacle and consent.state is State.ENABLED:
        rows.append(("but", f"nothing is sent: {status.obstacle}"))
    if status.first_run is not None:
        rows.append(("first run", f"telemetry will be {WORDS[status.first_run]} (initialize-telemetry)"))
    if consent.state is State.ENABLED and consent.withheld:
        rows.append(("withheld", ", ".join(field_path(name) for name in sorted(consent.withheld))))
    if status.new_fields:
        new = ", ".join(field_path(name) for name in status.new_fields)
        rows.append(("new fields", f"{new}: held back until `telemetry enable` agrees to them"))
    if consent.veto and consent.state is not State.ENABLED:
        rows.append(("requests", f"none: {consent.veto}"))
    if status.trouble:
        when = "" if status.trouble_at is None else f" ({ago(status.trouble_at, now)})"
        rows.append(("trouble", f"{status.trouble}{when}"))
    if contact is None:
        rows.append(("engine", "never contacted yet"))
    else:
        product = f"{contact.product.name} {contact.product.version} ({contact.product.edition})"
        rows.append(("engine", f"{product}, as of {ago(contact.at, now)}"))
        rows.append(("installation", contact.installation))
    rows.append(("endpoint", "none" if consent.endpoint is None else consent.endpoint.url))
    rows.append(("initial report", initial(status)))
    if consent.state is State.ENABLED:
        rows.append(("last accepted", "none yet" if status.last_accepted_at is None else _at(status.last_accepted_at)))
    return [*rows, *_next(status, now)]


def _next(status: Status, now: int) -> list[tuple[str, str]]:
    """What comes, what waits, what was closed without being accepted, and what ends."""
    rows = []
    if status.due_at is not None and status.pending is None:
        rows.append(("next report", "due now" if status.due_at <= now else f"due {_at(status.due_at)}"))
    if status.pending is not None:
        pending = status.pending
        wait = pending.next_attempt_at
        again = f", next attempt {_at(wait)}" if wait > now else ", sent by the next `telemetry send`"
        rows.append(("pending", f"{pending.kind} report {pending.id}{again}"))
    if status.last is not None and status.last.accepted_at is None:
        rows.append(("last report", f"{status.last.state}: `telemetry history {status.last.id}`"))
    if status.copies:
        rows.append(("databases", status.copies))
    if status.license_warning:
        rows.append(("licence", status.license_warning))
    return rows


def initial(status: Status) -> str:
    """What becomes of the initial report."""
    if status.initial_sent_at is not None:
        return f"accepted {_at(status.initial_sent_at)}"
    if status.initial_obstacle:
        return f"not sent: {status.initial_obstacle}"
    endpoint = status.consent.endpoint
    where = "" if endpoint is None else f" to {endpoint.origin}"
    undo = " (`telemetry disable --no-requests` prevents it)" if status.consent.state is not State.ENABLED else ""
    if status.initial_due_at is not None:
        return f"due {_at(status.initial_due_at)}{where}{undo}"
    when = "3 hours after the first contact" if status.consent.state is State.NOT_CONFIGURED else "at the next send"
    return f"due {when}{where}{undo}"


def _at(value: int) -> str:
    return str(instant(value))


def ago(then: int, now: int) -> str:
    """How long ago an instant was."""
    minutes = (now - then) // MINUTE
    if minutes < 0:
        return f"{_at(then)} (in the future: check the clock)"
    if minutes < 1:
        return "less than a minute ago"
    if minutes < 120:
        return f"{minutes} min ago"
    return f"{minutes // 60} h ago"
