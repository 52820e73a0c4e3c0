"""The data point `database`: vendor and version of the engine's database."""

from telemetry_core.environment.points import DATABASE, REST, Point, attribute

POINT = Point(
    name="database",
    category="meta",
    type="object",
    sources=(REST, DATABASE),
    example='{"vendor":"PostgreSQL","version":"15.18"}',
    why="Which databases must be supported.",
    find=attribute("database", "database", "the engine does not know it (its database type is configured)"),
)
