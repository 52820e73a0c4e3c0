"""The environment of an engine: for every data point the value that was found, or why there is none."""

from __future__ import annotations

from collections.abc import Sequence

from telemetry_core.environment import (
    application_server,
    commands,
    database,
    installation,
    integration,
    jdk,
    license_key,
    metrics,
    product,
    start_date,
    telemetry_enabled,
    webapps,
)
from telemetry_core.environment.points import Point
from telemetry_core.model import Environment, Snapshot

__all__ = ["POINTS", "Point", "gather"]

#: Every data point of the report, in the order of the report.
POINTS: tuple[Point, ...] = (
    installation.POINT,
    product.NAME,
    product.VERSION,
    product.EDITION,
    database.POINT,
    application_server.POINT,
    jdk.POINT,
    commands.POINT,
    metrics.POINT,
    integration.POINT,
    license_key.POINT,
    webapps.POINT,
    telemetry_enabled.POINT,
    start_date.POINT,
)


def gather(snapshots: Sequence[Snapshot]) -> Environment:
    """Look for every data point that a source can have; of counts it is what the engine says, before any base."""
    return Environment(
        findings={point.name: point.find(snapshots) for point in POINTS if point.find is not None},
        sources={snapshot.source: snapshot.problems for snapshot in snapshots},
    )
