"""`telemetry schedule`: the texts that make cron, systemd, Kubernetes or Windows run the program, and their places."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from telemetry_admin import completing, options
from telemetry_admin.invocation import Invocation
from telemetry_admin.result import Result
from telemetry_core.errors import UsageError
from telemetry_core.schedule import HERE, Every, Hook, Kind, Part

if TYPE_CHECKING:
    from telemetry_admin.scheduling import Planned
    from telemetry_core.reporting import Session
    from telemetry_core.schedule import Machine

app = typer.Typer(add_completion=False, invoke_without_command=True)

KindOf = Annotated[
    Optional[Kind],  # noqa: UP045  # Typer reads it at run time
    typer.Argument(metavar="[KIND]", help="cron, systemd, stop-hook, kubernetes, windows; else what runs here."),
]
EveryOf = Annotated[
    Optional[Every],  # noqa: UP045  # as above
    typer.Option("--every", help="How often `send` is called; by default hourly. A report goes once per period."),
]
Resident = Annotated[bool, typer.Option("--resident", help="`run` as a service (systemd) or sidecar (kubernetes).")]
Unit = Annotated[
    Optional[str],  # noqa: UP045  # as above
    typer.Option("--unit", metavar="NAME", help="The engine's systemd service, for stop-hook: camunda.service."),
]
Engines = Annotated[
    Optional[list[str]],  # noqa: UP045  # as above
    typer.Option(
        "--engine",
        metavar="NAME",
        help="For stop-hook: only this engine's last report; again for several.",
        autocompletion=completing.engines,
    ),
]
Image = Annotated[
    Optional[Path],  # noqa: UP045  # as above
    typer.Option("--image", metavar="DIR", help="The system below this directory, which does not run, not this host."),
]


@app.callback()
def group(ctx: typer.Context) -> None:
    """Let cron, a systemd timer, a Kubernetes CronJob or an engine that stops send reports."""
    if ctx.invoked_subcommand is None:
        typer.echo(ctx.get_help(), err=True)


@app.command()
def show(
    ctx: typer.Context,
    kind: KindOf = None,
    *,
    every: EveryOf = None,
    resident: Resident = False,
    unit: Unit = None,
    engine: Engines = None,
    image: Image = None,
    json: options.Json = False,
) -> Result:
    """Print exactly what `install` writes; with several files, each below a line with its path."""
    from telemetry_admin import scheduling
    from telemetry_admin.render import schedule as render

    invocation: Invocation = ctx.obj
    on = scheduling.machine(invocation, image)
    hook = None if unit is None else Hook(unit, tuple(engine or ()))
    chosen = _checked(kind or on.usual(), every, hook, engine, resident=resident)
    with invocation.reading() as session:
        planned = scheduling.plan(invocation, session, on, every, resident=resident)
        parts = _parts(chosen, planned, on, hook, session)
    return Result(
        data={"kind": chosen, "parts": [_part(one) for one in parts], **_timing(planned)},
        raw=None if json else render.printed(parts).encode("utf-8", "surrogateescape"),
    )


@app.command()
def install(
    ctx: typer.Context,
    kind: KindOf = None,
    *,
    every: EveryOf = None,
    resident: Resident = False,
    unit: Unit = None,
    engine: Engines = None,
    image: Image = None,
    json: options.Json = False,
) -> Result:
    """Put a schedule in place, and say what will be sent first and where. Twice changes nothing.

    As root it is one of the system, otherwise your own. `telemetry schedule show` prints what would be written.
    """
    from telemetry_admin import scheduling
    from telemetry_admin.render import schedule as render
    from telemetry_core import reporting, schedule

    invocation: Invocation = ctx.obj
    on = scheduling.machine(invocation, image)
    hook = None if unit is None else Hook(unit, tuple(engine or ()))
    chosen = _checked(kind or on.usual(), every, hook, engine, resident=resident)
    with invocation.reading() as session:
        planned = scheduling.plan(invocation, session, on, every, resident=resident)
        parts = _parts(chosen, planned, on, hook, session)
        standing = [reporting.status(session, one) for one in session.config.engines]
    change = schedule.install(on, chosen, parts, unit=unit or "")
    others = [one for one in schedule.installed(on) if one not in (chosen, Kind.STOP_HOOK) and chosen in HERE[:2]]
    return Result(
        data={
            "kind": chosen,
            "written": change.written,
            "removed": change.removed,
            "announcement": [render.announced(one) for one in standing],
            "also-installed": others,
            **_timing(planned),
        },
        show=lambda console: render.show_installed(console, chosen, change, planned, (standing, others)),
    )


@app.command()
def remove(
    ctx: typer.Context,
    kind: KindOf = None,
    *,
    unit: Unit = None,
    image: Image = None,
    json: options.Json = False,
) -> Result:
    """Take away what `install` wrote, all kinds or one; nothing is sent by that, and nothing else is touched."""
    from telemetry_admin import scheduling
    from telemetry_admin.render import schedule as render
    from telemetry_core import schedule

    invocation: Invocation = ctx.obj
    on = scheduling.machine(invocation, image)
    if unit is not None and kind is not Kind.STOP_HOOK:
        raise UsageError("--unit belongs to a stop hook.", hint="`telemetry schedule remove stop-hook --unit NAME`")
    kinds = HERE if kind is None else (kind,)
    changes = [schedule.remove(on, one, unit=unit or "") for one in kinds]
    removed = [path for change in changes for path in change.removed]
    return Result(data={"removed": removed}, show=lambda console: render.show_removed(console, removed))


def _checked(kind: Kind, every: Every | None, hook: Hook | None, engines: list[str] | None, *, resident: bool) -> Kind:
    """Options that would have no effect are refused.

    Raises:
        UsageError: One of them.
    """
    hint = "`telemetry schedule show --help` says what goes together."
    if resident and kind not in (Kind.SYSTEMD, Kind.KUBERNETES):
        raise UsageError(
            f"There is no resident reporter for {kind}.", hint="--resident goes with systemd and kubernetes."
        )
    if every is not None and (resident or kind is Kind.STOP_HOOK):
        raise UsageError("--every has no meaning here.", hint=hint)
    if (hook is not None or engines) and kind is not Kind.STOP_HOOK:
        raise UsageError("--unit and --engine belong to stop-hook.", hint=hint)
    return kind


def _parts(kind: Kind, planned: "Planned", on: "Machine", hook: Hook | None, session: "Session") -> tuple[Part, ...]:
    from telemetry_core import schedule

    if hook is not None:
        session.engines(hook.engines)  # a name that is misspelt is found now, not when the engine stops
    return schedule.parts(kind, planned.job, on, origin=planned.origin, hook=hook)


def _part(part: Part) -> dict[str, object]:
    return {"path": None if part.path is None else str(part.path), "text": part.text}


def _timing(planned: "Planned") -> dict[str, object]:
    return {"every": planned.job.every, "derived-from": planned.origin, "notes": list(planned.notes)}
