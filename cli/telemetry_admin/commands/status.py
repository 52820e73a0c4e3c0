"""`telemetry status`: what holds for each engine now, without asking anybody."""

from typing import TYPE_CHECKING, Annotated

import typer

from telemetry_admin import options
from telemetry_admin.invocation import Invocation, chosen
from telemetry_admin.result import Json, Result, instant
from telemetry_core.wire import field_path

if TYPE_CHECKING:
    from telemetry_core.reporting import Explanation, Status

app = typer.Typer(add_completion=False)


@app.command()
def command(
    ctx: typer.Context,
    *,
    engine: options.Engines = None,
    all_: options.All = False,
    explain: Annotated[
        bool, typer.Option("--explain", help="Every layer that can forbid, in order, and the one that decides.")
    ] = False,
    exit_code: Annotated[
        bool, typer.Option("--exit-code", help="End with the status of what --explain comes to; 0: reports may leave.")
    ] = False,
    json: options.Json = False,
) -> Result:
    """Show the state of each engine: consent, what is due, what waits, what was accepted.

    Opens no connection, but to a store that nodes share; what is known of an engine is from the last contact with it.
    """
    from telemetry_admin.render import status as render
    from telemetry_core import reporting

    invocation: Invocation = ctx.obj
    with invocation.reading() as session:
        engines = chosen(session, engine, everything=all_)
        explained = [reporting.explain(session, one) for one in engines] if explain or exit_code else []
        found = [] if explain else [reporting.status(session, one) for one in engines]
        now = session.clock.now()
    ends = next((int(one.result) for one in explained if one.result), 0) if exit_code else 0
    if explain:
        data: Json = {"engines": [_explained(one) for one in explained]}
        return Result(data, lambda console: render.show_layers(console, explained), status=ends)
    return Result(
        data={"engines": [_described(one) for one in found]},
        show=lambda console: render.show(console, found, now),
        status=ends,
    )


def _explained(explanation: "Explanation") -> Json:
    return {
        "name": explanation.engine,
        "result": explanation.result.name.lower().replace("_", "-"),
        "exit-code": int(explanation.result),
        "layers": [
            {"name": one.name, "value": one.value, "origin": one.origin, "decides": one is explanation.deciding}
            for one in explanation.layers
        ],
    }


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
        "withheld": [field_path(name) for name in sorted(consent.withheld)],
        "new-fields": [field_path(name) for name in status.new_fields],
        "license-warning": status.license_warning or None,
        "copies": status.copies or None,
    }
