"""`telemetry enable`: consent, with everything that it is about shown first."""

from typing import TYPE_CHECKING, Annotated, Optional

import typer

from telemetry_admin import completing, options
from telemetry_admin.invocation import Invocation, for_each, selected
from telemetry_admin.result import Result, raise_if_alone
from telemetry_core.errors import UsageError

if TYPE_CHECKING:
    from telemetry_core.administration import Choice, Decided
    from telemetry_core.errors import TelemetryError
    from telemetry_core.reporting import Session

app = typer.Typer(add_completion=False)

Without = Annotated[
    Optional[list[str]],  # noqa: UP045  # Typer reads it at run time
    typer.Option(
        "--without",
        metavar="FIELD",
        help="Withhold license, meta, usage, or a field such as jdk.vendor; again for several; stays until --with.",
        autocompletion=completing.fields,
    ),
]
With = Annotated[
    Optional[list[str]],  # noqa: UP045  # as above
    typer.Option(
        "--with",
        metavar="FIELD",
        help="Agree to what was withheld with --without before.",
        autocompletion=completing.fields,
    ),
]


@app.command()
def command(
    ctx: typer.Context,
    *,
    engine: options.Engines = None,
    all_: options.All = False,
    without: Without = None,
    with_: With = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    authorized_by: options.AuthorizedBy = None,
    reason: options.Reason = None,
    json: options.Json = False,
) -> Result:
    """Enable telemetry: shows the legal note, the fields and the endpoint, asks, and records who decided.

    Nothing that an engine counted before is ever reported. `telemetry disable` takes it back.
    """
    from telemetry_admin.render import consent as render
    from telemetry_admin.render.console import make_console
    from telemetry_core import administration as decisions

    invocation: Invocation = ctx.obj
    choice = _choice(without or [], with_ or [])
    if not yes and (json or not invocation.host.can_ask):
        raise UsageError("There is no terminal to ask on.", hint="Add --yes to enable without being asked.")

    def enable(session: "Session") -> Result:
        engines = selected(session, engine, everything=all_)
        decisions.require_endpoint(session)
        seen = {one.entry: session.recorded_consent(one.entry) for one in engines}
        if not json:
            render.show_what_it_means(make_console(invocation.host), session, engines, choice)
        if not yes and not typer.confirm(f"Enable telemetry for {', '.join(one.entry for one in engines)}?"):
            return Result(data={"engines": []}, show=lambda console: console.print("Nothing was changed."))
        author = decisions.Author(invocation.host.user(), "command", authorized_by, reason, note_shown=not json)
        decided, failures = for_each(
            engines, lambda one: decisions.enable(session, one, author, choice, seen=seen[one.entry])
        )
        return _decided(session, decided, failures)

    return invocation.deciding(enable)


def _choice(without: list[str], with_: list[str]) -> "Choice":
    """What is chosen; a wrong name is said before anything is asked."""
    from telemetry_core import administration as decisions

    decisions.fields_of((*without, *with_))
    return decisions.Choice(tuple(without), tuple(with_))


def _decided(session: "Session", decided: "list[Decided]", failures: "list[TelemetryError]") -> Result:
    from telemetry_admin.render import consent as render
    from telemetry_core import reporting
    from telemetry_core.administration import legal_note

    raise_if_alone(failures, decided)
    obstacles = {one.entry: reporting.status(session, one).obstacle for one in session.config.engines}
    return Result(
        data={"engines": [render.described(one) for one in decided], "legal-note-sha256": legal_note.SHA256},
        show=lambda console: render.show_enabled(console, decided, obstacles),
        failures=failures,
    )
