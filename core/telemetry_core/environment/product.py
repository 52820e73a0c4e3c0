"""The data points of the product: name, version and edition as the engine says them."""

from telemetry_core.environment.points import Point, attribute

_find = attribute("product", "product", "the engine does not say it")

NAME = Point(name="product.name", category="general", why="Which engine of the family it is.", find=_find)
VERSION = Point(name="product.version", category="general", why="Which releases are in use.", find=_find)
EDITION = Point(name="product.edition", category="general", why="Community or enterprise.", find=_find)
