"""The data point `jdk`: vendor and version of the Java runtime."""

from telemetry_core.environment.points import Point, attribute

POINT = Point(
    name="jdk",
    category="meta",
    why="Which Java releases must be supported.",
    find=attribute("jdk", "jdk", "the engine does not say it"),
)
