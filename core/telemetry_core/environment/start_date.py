"""The data point `data-collection-start-date`: where the report's window starts; the reporter says it itself."""

from telemetry_core.environment.points import REPORTER, Point

POINT = Point(
    name="data-collection-start-date",
    category="usage",
    type="string",
    sources=(REPORTER,),
    example='"2026-11-23T23:00:08.920+0000"',
    why="From when on the counts of the report are.",
)
