"""What a data point is: its name, type and example, why it is collected, and how it is found in the snapshots."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from telemetry_core.model import Finding, Found, Missing, Snapshot


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One data point of the report (user guide, Collected Data).

    Attributes:
        name: Its name, as fields are named in `withhold`.
        category: general, license, meta or usage.
        type: The JSON type of its value in the report.
        sources: Who can say it, in the order in which they are asked.
        example: Its value in a report, as JSON.
        why: Why it is collected.
        find: Looks for it; None for one that the reporter makes itself.
    """

    name: str
    category: str
    type: str
    sources: tuple[str, ...]
    example: str
    why: str
    find: Callable[[Sequence[Snapshot]], Finding] | None = None


REST = "REST"
DATABASE = "database"
HOST = "host"
CONFIGURATION = "configuration"
SET_HERE = "`license set`"
REPORTER = "the reporter"


def attribute(
    name: str, point: str, absent: str, *, part: Callable[[object], object] = lambda value: value
) -> Callable[[Sequence[Snapshot]], Finding]:
    """A finder that takes the first snapshot with an attribute, and shows what further ones say instead.

    Args:
        name: The attribute of `Snapshot`.
        point: The name under which a snapshot keeps its problem with it.
        absent: The reason when no source says it and none has a problem.
        part: What of a value is compared with those of other sources.
    """

    def find(snapshots: Sequence[Snapshot]) -> Finding:
        said = [Found(getattr(one, name), one.source) for one in snapshots if getattr(one, name) is not None]
        if not said:
            return missing(snapshots, point, absent)
        return Found(said[0].value, said[0].source, others=tuple(_others(said, part)))

    return find


def missing(snapshots: Sequence[Snapshot], point: str, absent: str) -> Missing:
    """The first reason that a source gives for not saying a point, else `absent`."""
    return Missing(next((one.problems[point] for one in snapshots if point in one.problems), absent))


def _others(said: Sequence[Found], part: Callable[[object], object]) -> Iterable[Found]:
    """The values that differ from all before them, each with the first source that says it."""
    known = [part(said[0].value)]
    for one in said[1:]:
        if part(one.value) not in known:
            known.append(part(one.value))
            yield one
