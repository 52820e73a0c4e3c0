"""The data point `telemetry-enabled`: what was decided; the reporter says it itself."""

from telemetry_core.environment.points import Point

POINT = Point(name="telemetry-enabled", category="general", why="Whether consent was given.")
