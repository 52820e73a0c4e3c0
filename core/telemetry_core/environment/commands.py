"""The data point `commands`: how often the engine executed each of its commands; counted by `counting`."""

from collections import Counter
from collections.abc import Sequence

from telemetry_core.environment.points import REST, Point, missing
from telemetry_core.model import Finding, Found, Snapshot


def _find(snapshots: Sequence[Snapshot]) -> Finding:
    """What all nodes say together."""
    readings = [(one.source, one.commands) for one in snapshots if one.commands is not None]
    if not readings:
        return missing(snapshots, "commands", "no node gave them")
    counts: Counter[str] = Counter()
    for _, reading in readings:
        counts.update(reading.counts)
    return Found(dict(sorted(counts.items())), ", ".join(source for source, _ in readings))


POINT = Point(
    name="commands",
    category="usage",
    type="object of counters",
    sources=(REST,),
    example='{"StartProcessInstanceCmd":{"count":40},"FetchExternalTasksCmd":{"count":100}}',
    why="Which features are used. Names of one's own command classes appear here.",
    find=_find,
)
