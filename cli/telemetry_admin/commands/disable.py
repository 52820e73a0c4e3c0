"""`telemetry disable`: takes consent back; asks nobody and contacts nothing."""

from typing import TYPE_CHECKING, Annotated

import typer

from telemetry_admin import options
from telemetry_admin.invocation import Invocation, selected
from telemetry_admin.result import Result

if TYPE_CHECKING:
    from telemetry_core.administration import Decided
    from telemetry_core.reporting import Session, Status

app = typer.Typer(add_completion=False)


@app.command()
def command(
    ctx: typer.Context,
    *,
    engine: options.Engines = None,
    all_: options.All = False,
    no_requests: Annotated[
        bool, typer.Option("--no-requests", help="Forbid the initial report too: no request to the endpoint, ever.")
    ] = False,
    authorized_by: options.AuthorizedBy = None,
    reason: options.Reason = None,
    json: options.Json = False,
) -> Result:
    """Disable telemetry: no periodic report from now on; what was not sent by now never leaves.

    The initial report, which holds nothing but installation and product, goes once all the same, as it did in the
    engine; --no-requests forbids it.
    """
    from telemetry_admin.render import consent as render
    from telemetry_core import administration as decisions
    from telemetry_core import reporting

    invocation: Invocation = ctx.obj
    author = decisions.Author(invocation.host.user(), "command", authorized_by=authorized_by, reason=reason)

    def disable(session: "Session") -> "tuple[list[Decided], list[Status]]":
        engines = selected(session, engine, everything=all_)
        decided = [decisions.disable(session, one, author, no_requests=no_requests) for one in engines]
        return decided, [reporting.status(session, one) for one in engines]

    decided, standing = invocation.deciding(disable)
    return Result(
        data={"engines": [render.described(one) for one in decided]},
        show=lambda console: render.show_disabled(console, decided, standing),
    )
