"""The data point `telemetry-enabled`: what was decided; the reporter says it itself."""

from telemetry_core.environment.points import REPORTER, Point

POINT = Point(
    name="telemetry-enabled",
    category="general",
    type="boolean or null",
    sources=(REPORTER,),
    example="true",
    why="Whether consent was given.",
)
