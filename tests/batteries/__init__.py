"""Batteries: many tries of one kind, judged by what an engine counted and what a receiver committed."""

from __future__ import annotations

from collections.abc import Callable

from tests.batteries import kills
from tests.batteries.tally import Tally

#: Each takes how many tries, and the seed of its chance.
BATTERIES: dict[str, Callable[[int, int], Tally]] = {
    "kills": kills.run,
}
