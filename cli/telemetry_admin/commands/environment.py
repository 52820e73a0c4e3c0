"""`telemetry environment`: what was found, from which source, and what is missing and why."""

import typer

from telemetry_admin import options
from telemetry_admin.invocation import Invocation, for_each, selected
from telemetry_admin.result import Json, Result, raise_if_alone
from telemetry_core.model import Environment, Found, Missing

app = typer.Typer(add_completion=False)


@app.command()
def command(
    ctx: typer.Context,
    *,
    engine: options.Engines = None,
    all_: options.All = False,
    json: options.Json = False,
) -> Result:
    """Read each engine and show every data point with its source, or why it is missing. Nothing is sent or kept."""
    from telemetry_admin.render import environment as render
    from telemetry_core import reporting

    invocation: Invocation = ctx.obj
    with invocation.reading() as session:
        engines = selected(session, engine, everything=all_)
        seen, failures = for_each(engines, lambda one: (one.entry, reporting.observe(session, (one,), keep=False)))
    raise_if_alone(failures, seen)
    found = {entry: observation.environment for entry, observation in seen}
    return Result(
        data={"engines": [_described(name, environment) for name, environment in found.items()]},
        show=lambda console: render.show(console, found),
        failures=failures,
    )


def _described(name: str, environment: Environment) -> Json:
    from telemetry_admin.render.environment import plain

    findings = environment.findings
    return {
        "name": name,
        "found": {
            point: {"value": plain(point, finding.value), "source": finding.source}
            for point, finding in findings.items()
            if isinstance(finding, Found)
        },
        "missing": {point: finding.reason for point, finding in findings.items() if isinstance(finding, Missing)},
        "also-found": {
            point: [{"value": plain(point, other.value), "source": other.source} for other in finding.others]
            for point, finding in findings.items()
            if isinstance(finding, Found) and finding.others
        },
    }
