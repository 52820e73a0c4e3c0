"""The data point `installation`: the id that the engine keeps as a configuration property."""

from telemetry_core.environment.points import Point, attribute

POINT = Point(
    name="installation",
    category="general",
    why="Tells reports of one installation from those of others; pseudonymous, not anonymous.",
    find=attribute("installation", "installation", "the engine does not say it"),
)
