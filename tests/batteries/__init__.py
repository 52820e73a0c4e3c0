"""Batteries: many tries of one kind, judged by what an engine counted and what a receiver committed."""

from __future__ import annotations

from collections.abc import Callable

from tests.batteries import answers, canaries, disk, ends, kills, nodes, signals, starts
from tests.batteries.tally import Tally

#: Each takes how many tries, and the seed of its chance.
BATTERIES: dict[str, Callable[[int, int], Tally]] = {
    "answers": answers.run,
    "canaries": canaries.run,
    "disk": disk.run,
    "ends": ends.run,
    "kills": kills.run,
    "nodes": nodes.run,
    "signals": signals.run,
    "starts": starts.run,
}
