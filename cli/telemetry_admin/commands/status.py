"""`telemetry status`: what holds for each engine now, without asking anybody."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from telemetry_admin import options
from telemetry_admin.invocation import Invocation, chosen
from telemetry_admin.result import Json, Result
from telemetry_core.errors import TelemetryError, UsageError
from telemetry_core.words.instants import instant

if TYPE_CHECKING:
    from rich.console import Console

    from telemetry_core.reporting import Explanation, Health, Level, Status

app = typer.Typer(add_completion=False)

Check = Annotated[
    bool, typer.Option("--check", help="For monitoring: one line with performance data, exit status 0 to 3.")
]
OpenMetrics = Annotated[
    Optional[Path],  # noqa: UP045  # Typer reads it at run time
    typer.Option("--openmetrics", metavar="FILE", help="Write the numbers for monitoring into a file, all or none."),
]
Explain = Annotated[
    bool, typer.Option("--explain", help="Every layer that can forbid, in order, and the one that decides.")
]
ExitCode = Annotated[
    bool, typer.Option("--exit-code", help="End with the status of what --explain comes to; 0: reports may leave.")
]


@app.command()
def command(
    ctx: typer.Context,
    *,
    engine: options.Engines = None,
    all_: options.All = False,
    check: Check = False,
    openmetrics: OpenMetrics = None,
    explain: Explain = False,
    exit_code: ExitCode = False,
    json: options.Json = False,
) -> Result:
    """Show the state of each engine: consent, what is due, what waits, what was accepted.

    Opens no connection, but to a store that nodes share; what is known of an engine is from the last contact with it.
    """
    from telemetry_core import reporting

    invocation: Invocation = ctx.obj
    if check:
        return _checked(invocation, engine, openmetrics, everything=all_)
    if openmetrics is not None:
        return _written(invocation, engine, openmetrics, everything=all_)
    with invocation.reading() as session:
        engines = chosen(session, engine, everything=all_)
        explained = [reporting.explain(session, one) for one in engines] if explain or exit_code else []
        known = [] if explain else [reporting.status(session, one) for one in engines]
    ends = next((int(one.result) for one in explained if one.result), 0) if exit_code else None
    described = [_explained(one) for one in explained] if explain else [_described(one) for one in known]

    def show(console: "Console") -> None:
        from telemetry_admin.render import status as render

        if explain:
            render.show_layers(console, explained)
        else:
            render.show(console, known)

    return Result({"engines": described}, show, status=ends)


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


def _written(invocation: Invocation, names: list[str] | None, file: Path, *, everything: bool) -> Result:
    """Silent, as what cron runs."""
    from telemetry_admin.render import monitoring as render

    found = _health(invocation, names, file, everything=everything)
    level, summary = render.summary(found)
    return Result(_monitored(level, summary, found, file=file))


def _checked(invocation: Invocation, names: list[str] | None, file: Path | None, *, everything: bool) -> Result:
    """As monitoring plug-ins end: whatever keeps the check from an answer is the level unknown."""
    from telemetry_admin.render import monitoring as render
    from telemetry_core.reporting import Level

    found: list[Health] = []
    failures = []
    try:
        found = _health(invocation, names, file, everything=everything)
        level, summary = render.summary(found)
    except TelemetryError as error:
        level, summary, failures = Level.UNKNOWN, f"{error.message} {error.hint}", [error]
    line = render.line(level, summary, found)
    return Result(
        data=_monitored(level, summary, found, file=None if failures else file),
        show=lambda console: console.print(line, soft_wrap=True),
        quiet=failures,
        status=level,
    )


def _health(invocation: Invocation, names: list[str] | None, file: Path | None, *, everything: bool) -> "list[Health]":
    """The health of some engines, written into a file where one is named."""
    from telemetry_admin.render import monitoring as render
    from telemetry_core import files, reporting

    with invocation.reading() as session:
        found = [reporting.health(session, one) for one in chosen(session, names, everything=everything)]
        now = session.clock.now()
    if file is None:
        return found
    try:
        target = file.resolve()  # a link stays where it is
        if target.exists() and not target.is_file():
            raise UsageError(f"--openmetrics: {file} is no file.", hint="Name a file; it is put in place as a whole.")
        files.write_whole(target, render.openmetrics(found, now))
    except OSError as error:
        raise UsageError(
            f"--openmetrics: {file} cannot be written: {error.strerror}.",
            hint="Its directory must be there and writable for this user.",
        ) from error
    return found


def _monitored(level: "Level", summary: str, found: "list[Health]", *, file: Path | None) -> Json:
    return {
        "level": level.name.lower(),
        "summary": summary,
        "written": None if file is None else str(file),
        "engines": [_measured(one) for one in found],
    }


def _measured(health: "Health") -> Json:
    return {
        "name": health.engine,
        "level": health.level.name.lower(),
        "reason": health.reason,
        "expected": health.expected,
        "last-accepted-at": instant(health.last_accepted_at),
        "age-seconds": None if health.age is None else health.age // 1000,
        "failures-in-a-row": health.failures,
        "failing-seconds": health.failing // 1000,
        "pending": health.pending,
        "license-days-left": health.license_days,
    }


def _described(status: "Status") -> Json:
    from telemetry_core.wire import field_path

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
