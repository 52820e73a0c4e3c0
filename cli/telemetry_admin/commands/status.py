"""`telemetry status`: what holds for each engine now, without asking anybody."""

from typing import TYPE_CHECKING

import typer

from telemetry_admin import options
from telemetry_admin.invocation import Invocation, chosen
from telemetry_admin.result import Json, Result, instant

if TYPE_CHECKING:
    from rich.console import Console

    from telemetry_core.reporting import Status

app = typer.Typer(add_completion=False)


@app.command()
def command(
    ctx: typer.Context,
    *,
    engine: options.Engines = None,
    all_: options.All = False,
    json: options.Json = False,
) -> Result:
    """Show the state of each engine: consent, what is due, what waits, what was accepted.

    Opens no connection, but to a store that nodes share; what is known of an engine is from the last contact with it.
    """
    from telemetry_core import reporting

    invocation: Invocation = ctx.obj
    with invocation.reading() as session:
        found = [reporting.status(session, one) for one in chosen(session, engine, everything=all_)]
        now = session.clock.now()

    def show(console: "Console") -> None:
        from telemetry_admin.render import status as render

        render.show(console, found, now)

    return Result(data={"engines": [_described(one) for one in found]}, show=show)


def _described(status: "Status") -> Json:
    contact, pending, consent = status.contact, status.pending, status.consent
    return {
        "name": status.engine,
        "installation": None if contact is None else contact.installation,
        "product": None if contact is None else f"{contact.product.name} {contact.product.version}",
        "state": consent.state,
        "obstacle": status.obstacle or None,
        "endpoint": None if consent.endpoint is None else consent.endpoint.url,
        "due-at": instant(status.due_at),
        "last-accepted-at": instant(status.last_accepted_at),
        "last-contact-at": None if contact is None else instant(contact.at),
        "pending": None if pending is None else pending.id,
        "initial-sent-at": instant(status.initial_sent_at),
        "initial-due-at": instant(status.initial_due_at),
        "initial-obstacle": status.initial_obstacle or None,
        "trouble": status.trouble or None,
        "license-warning": status.license_warning or None,
        "copies": status.copies or None,
    }
