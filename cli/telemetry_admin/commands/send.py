"""`telemetry send`: what cron runs; silent when nothing is due."""

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from telemetry_admin import options
from telemetry_admin.invocation import Invocation, chosen, for_each
from telemetry_admin.result import Json, Result, raise_if_alone
from telemetry_admin.stamping import Stamping
from telemetry_core.errors import AlreadySending, StoreError, UsageError
from telemetry_core.words.instants import instant

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    from telemetry_core.config import Engine
    from telemetry_core.reporting import Delivered, Planned, Request, Sending, Session

    Engines: TypeAlias = Callable[[Session], tuple[Engine, ...]]
    Deciding: TypeAlias = Callable[[], tuple[Result, Sending]]

app = typer.Typer(add_completion=False)

Final = Annotated[
    bool, typer.Option("--final", help="The engine stops: send what is left, in seconds, and never fail the stop.")
]


@app.command()
def command(
    ctx: typer.Context,
    *,
    engine: options.Engines = None,
    all_: options.All = False,
    initial: Annotated[bool, typer.Option("--initial", help="Only the initial report, now.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be sent, and send nothing.")] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Send now, whether due or not, and without waiting after a failure.")
    ] = False,
    final: Final = False,
    json: options.Json = False,
) -> Result:
    """Send what is due: the initial report once, then one report per period. May be run as often as you like.

    Without a terminal, success and "nothing is due" write nothing; a failure writes one line.
    """
    from telemetry_core import reporting

    invocation: Invocation = ctx.obj
    stamping = Stamping(invocation)
    if final and (initial or force or dry_run):
        raise UsageError("--final goes with no other way of sending.", hint="Leave --initial, --force, --dry-run out.")
    request = reporting.Request(initial=initial, force=force, final=final)

    def engines(session: "Session") -> "tuple[Engine, ...]":
        return chosen(session, engine, everything=all_)

    if dry_run:
        return _plan(invocation, request, engines)

    def sent(session: "Session") -> "tuple[Result, Sending]":
        result, done = _sent(invocation, session, request, engines)
        if not done.failed and not engine and request == reporting.Request():
            stamping.leave(session)
        return result, done

    with invocation.logging() as config:
        deciding = partial(invocation.deciding, sent, first_run=True, config=config)
        return _finally(deciding) if final else _send(invocation, request, deciding)


def _send(invocation: Invocation, request: "Request", deciding: "Deciding") -> Result:
    result, done = deciding()
    explicit = request.initial or request.force or invocation.host.is_terminal
    said = [one.error for one in done.failed if explicit or not one.repeated]
    quiet = [one.error for one in done.failed if one.error not in said]
    return replace(result, failures=[*invocation.lost, *said], quiet=quiet)


def _finally(deciding: "Deciding") -> Result:
    """Whatever happens, the engine's stop does not fail for it."""
    try:
        result, done = deciding()
    except (AlreadySending, StoreError) as error:
        silent = isinstance(error, AlreadySending)
        return Result({"delivered": [], "failed": [], "idle": {}}, forgiven=[] if silent else [error])
    return replace(result, forgiven=[one.error for one in done.failed])


def _sent(
    invocation: Invocation, session: "Session", request: "Request", engines: "Engines"
) -> "tuple[Result, Sending]":
    from telemetry_admin.render import send as render
    from telemetry_core import reporting

    done = reporting.send(session, engines(session), request)
    idle = [reporting.status(session, one) for one in session.config.engines if one.entry in done.idle]
    data = {
        "delivered": [_delivered(one) for one in done.delivered],
        "failed": [{"name": one.engine, "code": one.error.code, "message": one.error.message} for one in done.failed],
        "idle": dict(done.idle),
    }
    show = (lambda console: render.show(console, done, idle)) if invocation.host.is_terminal else None
    return Result(data, show), done


def _plan(invocation: Invocation, request: "Request", engines: "Engines") -> Result:
    from telemetry_admin.render import send as render
    from telemetry_core import reporting

    with invocation.reading() as session:
        planned, failures = for_each(engines(session), lambda one: reporting.plan(session, one, request))
    raise_if_alone(failures, planned)
    return Result(
        data={"planned": [_planned(one) for one in planned]},
        show=lambda console: render.show_plan(console, planned),
        failures=failures,
    )


def _delivered(delivered: "Delivered") -> Json:
    report, receipt = delivered.report, delivered.receipt
    return {
        "id": report.id,
        "kind": report.kind,
        "state": report.state,
        "engines": list(report.engines),
        "installation": report.installation,
        "outcome": receipt.outcome,
        "status": receipt.status,
        "detail": receipt.detail,
        "sha256": report.document.sha256,
        "size": len(report.document.body),
        "accepted-at": instant(report.accepted_at),
        "next-attempt-at": instant(report.next_attempt_at) if report.state == "pending" else None,
    }


def _planned(planned: "Planned") -> Json:
    return {"name": planned.engine, "kinds": list(planned.kinds), "reason": planned.reason or None}
