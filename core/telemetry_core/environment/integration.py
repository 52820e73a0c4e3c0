"""The data point `integration`: how the engine was put in place; its key and its values are open sets (facts §1.8)."""

from telemetry_core.environment.points import HOST, REST, Point, attribute

POINT = Point(
    name="integration",
    category="usage",
    type="array of strings",
    sources=(REST, HOST),
    example='["spring-boot-starter"]',
    why="Which ways of running the engine are used.",
    find=attribute("integration", "integration", "the engine does not say it"),
)
