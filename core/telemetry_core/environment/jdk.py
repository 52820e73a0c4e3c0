"""The data point `jdk`: vendor and version of the Java runtime."""

from telemetry_core.environment.points import HOST, REST, Point, attribute

POINT = Point(
    name="jdk",
    category="meta",
    type="object",
    sources=(REST, HOST),
    example='{"version":"17.0.15","vendor":"Debian"}',
    why="Which Java releases must be supported.",
    find=attribute("jdk", "jdk", "the engine does not say it"),
)
