"""What a data point is: its name, why it is collected, and how it is found in the snapshots."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from telemetry_core.model import Finding, Found, Missing, Snapshot


@dataclass(frozen=True, slots=True)
class Point:
    """One data point of the report (user guide, Collected Data).

    Attributes:
        name: Its name, as fields are named in `withhold`.
        category: general, license, meta or usage.
        why: Why it is collected.
        find: Looks for it; None for one that the reporter makes itself.
    """

    name: str
    category: str
    why: str
    find: Callable[[Sequence[Snapshot]], Finding] | None = None


def attribute(name: str, point: str, absent: str) -> Callable[[Sequence[Snapshot]], Finding]:
    """A finder that takes the first snapshot with an attribute.

    Args:
        name: The attribute of `Snapshot`.
        point: The name under which a snapshot keeps its problem with it.
        absent: The reason when no source says it and none has a problem.
    """

    def find(snapshots: Sequence[Snapshot]) -> Finding:
        for snapshot in snapshots:
            value = getattr(snapshot, name)
            if value is not None:
                return Found(value, snapshot.source)
        problems = (snapshot.problems[point] for snapshot in snapshots if point in snapshot.problems)
        return Missing(next(problems, absent))

    return find
