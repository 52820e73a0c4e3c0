"""`telemetry consent`: every decision ever made, by whom, when, how and why; asks nobody and changes nothing."""

import typer

from telemetry_admin import options
from telemetry_admin.invocation import Invocation, chosen
from telemetry_admin.result import Result

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
    decisions = [
        {
            "number": number,
            **render.described_decision(one),
            "legal-note-sha256": one.note_sha256,
            "legal-note-shown": one.note_shown,
        }
        for number, one in history
    ]
    return Result(data={"decisions": decisions}, show=lambda console: render.show_history(console, history))
