"""The data point `metrics`: process instances, flow nodes and decisions; counted by `counting`."""

from collections.abc import Sequence

from telemetry_core.environment.points import DATABASE, REST, Point, missing
from telemetry_core.model import Finding, Found, Snapshot
from telemetry_core.wire import date


def _find(snapshots: Sequence[Snapshot]) -> Finding:
    """What the one source of metrics says of the time since which it was asked; rows before sums."""
    for one in snapshots:
        if one.rows is not None:
            return Found(dict(sorted(one.rows.sums().items())), f"{one.source}, since {date(one.rows.since)}")
    for one in snapshots:
        if one.metrics is not None:
            return Found(dict(sorted(one.metrics.sums.items())), f"{one.source}, since {date(one.metrics.since)}")
    return missing(snapshots, "metrics", "no source gave them")


POINT = Point(
    name="metrics",
    category="usage",
    type="object of counters",
    sources=(DATABASE, REST),
    example='{"activity-instance-start":{"count":6125},"flow-node-instances":{"count":6125}}',
    why="How much the engine is used.",
    find=_find,
)
