"""The data point `database`: vendor and version of the engine's database."""

from telemetry_core.environment.points import Point, attribute

POINT = Point(
    name="database",
    category="meta",
    why="Which databases must be supported.",
    find=attribute("database", "database", "the engine does not know it (its database type is configured)"),
)
