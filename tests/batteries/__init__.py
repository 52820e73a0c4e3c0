"""Batteries: many tries of one kind, judged by what an engine counted and what a receiver committed.

Those of the collector are judged by what it has exported beside what it has answered.
"""

from __future__ import annotations

from collections.abc import Callable

from tests.batteries import (
    answers,
    canaries,
    collector_bombs,
    collector_disk,
    collector_fuzz,
    collector_kills,
    collector_schema,
    collector_slow,
    disk,
    ends,
    kills,
    nodes,
    signals,
    starts,
)
from tests.batteries.tally import Tally

#: Each takes how many tries, and the seed of its chance.
BATTERIES: dict[str, Callable[[int, int], Tally]] = {
    "answers": answers.run,
    "canaries": canaries.run,
    "collector_bombs": collector_bombs.run,
    "collector_disk": collector_disk.run,
    "collector_fuzz": collector_fuzz.run,
    "collector_kills": collector_kills.run,
    "collector_schema": collector_schema.run,
    "collector_slow": collector_slow.run,
    "disk": disk.run,
    "ends": ends.run,
    "kills": kills.run,
    "nodes": nodes.run,
    "signals": signals.run,
    "starts": starts.run,
}
