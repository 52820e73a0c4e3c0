"""The data point `data-collection-start-date`: where the report's window starts; the reporter says it itself."""

from telemetry_core.environment.points import Point

POINT = Point(name="data-collection-start-date", category="usage", why="From when on the counts of the report are.")
