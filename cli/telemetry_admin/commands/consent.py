"""`telemetry consent`: every decision ever made, by whom, when, how and why; asks nobody and changes nothing."""

from typing import TYPE_CHECKING

import typer

from telemetry_admin import options
from telemetry_admin.invocation import Invocation, chosen
from telemetry_admin.result import Json, Result, instant

if TYPE_CHECKING:
    from telemetry_core.model import Decision

app = typer.Typer(add_completion=False)


@app.command()
def command(
    ctx: typer.Context,
    *,
    engine: options.Engines = None,
    all_: options.All = False,
    json: options.Json = False,
) -> Result:
    """Show every decision that was made, oldest first: who, when, how, why, for which fields and which endpoint.

    With --json it is an export for the records. `telemetry history --verify` checks that none was changed or taken out.
    """
    from telemetry_admin.render import consent as render

    invocation: Invocation = ctx.obj
    with invocation.reading() as session:
        history = list(enumerate(session.store.consents.history(), 1))
        if engine:
            names = {one.entry for one in chosen(session, engine, everything=all_)}
            history = [(number, one) for number, one in history if one.engine in names]
    return Result(
        data={"decisions": [_described(number, one) for number, one in history]},
        show=lambda console: render.show_history(console, history),
    )


def _described(number: int, decision: "Decision") -> Json:
    from telemetry_core.model import State
    from telemetry_core.wire import field_path

    enabled = decision.state is State.ENABLED
    return {
        "number": number,
        "name": decision.engine,
        "state": decision.state,
        "requests": decision.requests,
        "decided-at": instant(decision.decided_at),
        "decided-by": decision.decided_by,
        "authorized-by": decision.authorized_by,
        "reason": decision.reason,
        "how": decision.how,
        "installation": decision.installation,
        "endpoint": decision.endpoint,
        "fields": [field_path(name) for name in decision.fields] if enabled else [],
        "withheld": [field_path(name) for name in decision.withheld] if enabled else [],
        "legal-note-sha256": decision.note_sha256,
        "legal-note-shown": decision.note_shown,
    }
