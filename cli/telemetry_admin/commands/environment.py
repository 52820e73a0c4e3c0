"""`telemetry environment`: what was found, from which source, and what is missing and why."""

from typing import TYPE_CHECKING

import typer

from telemetry_admin import options
from telemetry_admin.invocation import Invocation, for_each, selected
from telemetry_admin.result import Json, Result, raise_if_alone

if TYPE_CHECKING:
    from telemetry_admin.render.environment import Shown
    from telemetry_core.config import Engine
    from telemetry_core.reporting import Observation, Session

app = typer.Typer(add_completion=False)


@app.command()
def command(
    ctx: typer.Context,
    *,
    engine: options.Engines = None,
    all_: options.All = False,
    json: options.Json = False,
) -> Result:
    """Read each engine: every data point with its source, what others say instead, or why it is missing.

    Nothing is sent or kept. Counts are what the engine says, before anything that was reported already is taken off.
    """
    from telemetry_admin.render import environment as render
    from telemetry_core import consent, reporting

    invocation: Invocation = ctx.obj
    with invocation.reading() as session:
        engines = selected(session, engine, everything=all_)
        seen, failures = for_each(
            engines, lambda one: (one, reporting.observe(session, (one,), keep=False, thorough=True))
        )
        raise_if_alone(failures, seen)
        found = [
            render.Shown(
                one.entry,
                observation.environment,
                sorted(consent.left_out(session.consent_of(session.group(one)), observation.environment.findings)),
            )
            for one, observation in seen
        ]
        warnings = _copies(session, seen)
    return Result(
        data={"engines": [_described(shown) for shown in found], "warnings": warnings},
        show=lambda console: render.show(console, found, warnings),
        failures=failures,
    )


def _copies(session: "Session", seen: "list[tuple[Engine, Observation]]") -> list[str]:
    """What seems to be a copy of a database, for each installation that was read."""
    from telemetry_core import reporting

    groups: dict[str, list[Engine]] = {}
    for engine, observation in seen:
        groups.setdefault(observation.installation, []).append(engine)
    return [warning for group in groups.values() if (warning := reporting.suspected(session, group))]


def _described(shown: "Shown") -> Json:
    from telemetry_core.model import Found, Missing
    from telemetry_core.words.environment import plain

    findings = shown.environment.findings
    return {
        "name": shown.engine,
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
        "withheld": shown.withheld,
        "sources": {source: dict(problems) for source, problems in shown.environment.sources.items()},
    }
