"""The data point `commands`: how often the engine executed each of its commands; counted by `counting`."""

from telemetry_core.environment.points import Point, attribute

POINT = Point(
    name="commands",
    category="usage",
    why="Which features are used. Names of one's own command classes appear here.",
    find=attribute("commands", "commands", "no node gave them"),
)
