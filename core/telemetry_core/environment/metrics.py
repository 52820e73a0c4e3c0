"""The data point `metrics`: process instances, flow nodes and decisions; counted by `counting`."""

from telemetry_core.environment.points import Point, attribute

POINT = Point(
    name="metrics",
    category="usage",
    why="How much the engine is used.",
    find=attribute("metrics", "metrics", "no source gave them"),
)
