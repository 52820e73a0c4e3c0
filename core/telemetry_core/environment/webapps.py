"""The data point `webapps`: the web applications that were used since the engine started."""

from collections.abc import Sequence

from telemetry_core.environment.points import REST, Point, attribute
from telemetry_core.model import Finding, Found, Snapshot

KNOWN = ("admin", "cockpit", "tasklist", "welcome")
_find_first = attribute("webapps", "webapps", "the engine does not say it")


def _find(snapshots: Sequence[Snapshot]) -> Finding:
    """The known ones of all nodes; an engine records any word of a URL (facts §6.3), which is shown and never sent."""
    first = _find_first(snapshots)
    if not isinstance(first, Found):
        return first
    used = {webapp for snapshot in snapshots for webapp in snapshot.webapps or ()}
    words = tuple(sorted(used.difference(KNOWN)))
    others = (Found(words, "words of visited addresses, never reported"),) if words else ()
    return Found(tuple(name for name in KNOWN if name in used), first.source, others)


POINT = Point(
    name="webapps",
    category="meta",
    type="array of strings",
    sources=(REST,),
    example='["admin","cockpit"]',
    why="Which web applications are used.",
    find=_find,
)
