"""The data point `license-key`: licence data without its signature."""

from telemetry_core.environment.points import Point, attribute

POINT = Point(
    name="license-key",
    category="license",
    why="To whom the product is licensed, until when and for what.",
    find=attribute("license_key", "license-key", "the engine has none"),
)
