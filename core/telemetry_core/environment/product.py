"""The data points of the product: name, version and edition as the engine says them."""

from collections.abc import Callable, Sequence

from telemetry_core.environment.points import HOST, REST, Point, attribute
from telemetry_core.model import Finding, Snapshot


def _part(name: str) -> Callable[[Sequence[Snapshot]], Finding]:
    """The whole product of the first source that says it; another one only where this part of it differs."""
    return attribute("product", "product", "the engine does not say it", part=lambda value: getattr(value, name))


NAME = Point(
    name="product.name",
    category="general",
    type="string",
    sources=(REST, HOST),
    example='"Camunda BPM Runtime"',
    why="Which engine of the family it is.",
    find=_part("name"),
)
VERSION = Point(
    name="product.version",
    category="general",
    type="string",
    sources=(REST, HOST),
    example='"7.24.0"',
    why="Which releases are in use.",
    find=_part("version"),
)
EDITION = Point(
    name="product.edition",
    category="general",
    type="string",
    sources=(REST, HOST),
    example='"community"',
    why="Community or enterprise.",
    find=_part("edition"),
)
