"""The state of an engine's entry in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from telemetry_core.model import Kind, State
from telemetry_core.wire import field_path
from telemetry_core.words.instants import ago, instant

if TYPE_CHECKING:
    from telemetry_core.reporting import Explanation, Status

STATES = {State.NOT_CONFIGURED: "not configured", State.ENABLED: "enabled", State.DISABLED: "disabled"}

#: Results of layers that the initial report does not need (user guide, Initial Data Report).
_PERIODIC_ALONE = ("NOT_CONFIGURED", "DISABLED")


def rows(status: Status) -> list[tuple[str, str]]:
    """Names and values of a state; what is as usual and says nothing is left out."""
    consent, contact, now = status.consent, status.contact, status.at
    found = [("telemetry", STATES[consent.state])]
    if status.obstacle and consent.state is State.ENABLED:
        found.append(("but", f"nothing is sent: {status.obstacle}"))
    if status.first_run is not None:
        found.append(("first run", first_run(status.first_run)))
    if consent.state is State.ENABLED and consent.withheld:
        found.append(("withheld", ", ".join(field_path(name) for name in sorted(consent.withheld))))
    if status.new_fields:
        new = ", ".join(field_path(name) for name in status.new_fields)
        found.append(("new fields", f"{new}: held back until `telemetry enable` agrees to them"))
    if consent.veto and consent.state is not State.ENABLED:
        found.append(("requests", f"none: {consent.veto}"))
    if status.trouble:
        when = "" if status.trouble_at is None else f" ({ago(status.trouble_at, now)})"
        found.append(("trouble", f"{status.trouble}{when}"))
    if contact is None:
        found.append(("engine", "never contacted yet"))
    else:
        product = f"{contact.product.name} {contact.product.version} ({contact.product.edition})"
        found.append(("engine", f"{product}, as of {ago(contact.at, now)}"))
        found.append(("installation", contact.installation))
    found.append(("endpoint", "none" if consent.endpoint is None else consent.endpoint.url))
    found.append(("initial report", initial(status)))
    if consent.state is State.ENABLED:
        found.append(("last accepted", instant(status.last_accepted_at) or "none yet"))
    return [*found, *_next(status)]


def _next(status: Status) -> list[tuple[str, str]]:
    """What comes, what waits, what was closed without being accepted, and what ends."""
    found, now = [], status.at
    if status.due_at is not None and status.pending is None:
        found.append(("next report", "due now" if status.due_at <= now else f"due {instant(status.due_at)}"))
    if status.pending is not None:
        pending = status.pending
        wait = pending.next_attempt_at
        again = f", next attempt {instant(wait)}" if wait > now else ", sent by the next `telemetry send`"
        if status.misfit:
            again = f", withdrawn by the next `telemetry send`: {status.misfit}"
        elif status.obstacle if pending.kind is Kind.PERIODIC else status.initial_obstacle:
            again = ", kept until it may be sent"
        found.append(("pending", f"{pending.kind} report {pending.id}{again}"))
    if status.last is not None and status.last.accepted_at is None:
        found.append(("last report", f"{status.last.state}: `telemetry history {status.last.id}`"))
    if status.copies:
        found.append(("databases", status.copies))
    if status.license_warning:
        found.append(("licence", status.license_warning))
    return found


def initial(status: Status) -> str:
    """What becomes of the initial report."""
    if status.initial_sent_at is not None:
        return f"accepted {instant(status.initial_sent_at)}"
    if status.initial_obstacle:
        return f"not sent: {status.initial_obstacle}"
    endpoint = status.consent.endpoint
    where = "" if endpoint is None else f" to {endpoint.origin}"
    undo = " (`telemetry disable --no-requests` prevents it)" if status.consent.state is not State.ENABLED else ""
    if status.initial_due_at is not None and status.initial_due_at > status.at:
        return f"due {instant(status.initial_due_at)}{where}{undo}"
    is_decided = status.consent.state is not State.NOT_CONFIGURED or status.first_run is not None
    when = "at the next send" if is_decided or status.initial_due_at is not None else "3 hours after the first contact"
    return f"due {when}{where}{undo}"


def becomes_of_initial(status: Status) -> str:
    """The same as a sentence of its own."""
    return f"Initial report: {initial(status).rstrip('.')}."


def first_run(planned: State) -> str:
    """What the first run will decide."""
    return f"telemetry will be {STATES[planned]} (initialize-telemetry)"


def verdict(explained: Explanation) -> str:
    """What all layers together come to; some of them say nothing of the initial report."""
    deciding = explained.deciding
    if deciding is None:
        return "reports may leave"
    if explained.result.name in _PERIODIC_ALONE:
        return f"no periodic report leaves: {deciding.name} decides"
    return f"nothing leaves: {deciding.name} decides"
