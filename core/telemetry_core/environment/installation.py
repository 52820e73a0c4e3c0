"""The data point `installation`: the id that the engine keeps as a configuration property."""

from telemetry_core.environment.points import CONFIGURATION, DATABASE, REST, Point, attribute

POINT = Point(
    name="installation",
    category="general",
    type="string",
    sources=(REST, DATABASE, CONFIGURATION),
    example='"8343cc7a-8ad1-42d4-97d2-43452c0bdfa3"',
    why="Tells reports of one installation from those of others; pseudonymous, not anonymous.",
    find=attribute("installation", "installation", "the engine does not say it"),
)
