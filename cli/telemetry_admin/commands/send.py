"""`telemetry send`: what cron runs; silent when nothing is due."""

from typing import TYPE_CHECKING, Annotated

import typer

from telemetry_admin import options
from telemetry_admin.invocation import Invocation, chosen, for_each
from telemetry_admin.result import Json, Result, instant, raise_if_alone
from telemetry_admin.stamping import Stamping

if TYPE_CHECKING:
    from collections.abc import Callable

    from telemetry_core.config import Engine
    from telemetry_core.reporting import Delivered, Planned, Request, Sending, Session, Status

app = typer.Typer(add_completion=False)


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
    json: options.Json = False,
) -> Result:
    """Send what is due: the initial report once, then one report per period. May be run as often as you like.

    Without a terminal, success and "nothing is due" write nothing; a failure writes one line.
    """
    from telemetry_admin.render import send as render
    from telemetry_core import reporting

    invocation: Invocation = ctx.obj
    stamping = Stamping(invocation)
    request = reporting.Request(initial=initial, force=force)
    if dry_run:
        return _plan(invocation, request, lambda session: chosen(session, engine, everything=all_))

    def send(session: "Session") -> "tuple[Sending, list[Status]]":
        done = reporting.send(session, chosen(session, engine, everything=all_), request)
        if not done.failed and not engine and request == reporting.Request():
            stamping.leave(session)
        return done, [reporting.status(session, one) for one in session.config.engines if one.entry in done.idle]

    done, idle = invocation.deciding(send)
    explicit = initial or force or invocation.host.is_terminal
    said = [one.error for one in done.failed if explicit or not one.repeated]
    return Result(
        data={
            "delivered": [_delivered(one) for one in done.delivered],
            "failed": [
                {"name": one.engine, "code": one.error.code, "message": one.error.message} for one in done.failed
            ],
            "idle": dict(done.idle),
        },
        show=(lambda console: render.show(console, done, idle)) if invocation.host.is_terminal else None,
        failures=[*invocation.lost, *said],
        quiet=[one.error for one in done.failed if one.error not in said],
    )


def _plan(invocation: Invocation, request: "Request", engines: "Callable[[Session], tuple[Engine, ...]]") -> Result:
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
