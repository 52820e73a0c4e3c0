"""The one line that a battery ends with, and how large its dose is."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Verdict:
    """What became of one try; `wrong` is whatever else was not as promised."""

    lost: int = 0
    doubled: int = 0
    late: int = 0
    wrong: str = ""

    @property
    def survived(self) -> bool:
        return not (self.lost or self.doubled or self.late or self.wrong)


@dataclass
class Tally:
    """All tries of a battery; `more` is what there is to say beside them."""

    battery: str
    seed: int
    verdicts: list[Verdict] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    more: str = ""

    def add(self, what: object, verdict: Verdict | None, times: int = 1) -> None:
        """Count a try, or many that came to the same; None is one that did not happen."""
        if verdict is None:
            return
        self.verdicts.extend([verdict] * times)
        if not verdict.survived:
            self.failed.append(f"{what}: {verdict}")

    @property
    def sound(self) -> bool:
        return bool(self.verdicts) and not self.failed

    def __str__(self) -> str:
        lost, doubled, late = (sum(getattr(one, name) for one in self.verdicts) for name in ("lost", "doubled", "late"))
        survived = sum(one.survived for one in self.verdicts)
        return (
            f"{self.battery}: tried {len(self.verdicts)} survived {survived} lost {lost} doubled {doubled} late {late}"
            f" (seed {self.seed}){self.more}"
        )


def battery(name: str, seed: int, tries: Iterable[T], judge: Callable[[T], Verdict | None]) -> Tally:
    """Judge each try, two at a time."""
    tally = Tally(name, seed)
    tries = list(tries)
    with ThreadPoolExecutor(2) as pool:
        for one, verdict in zip(tries, pool.map(judge, tries), strict=True):
            tally.add(one, verdict)
    return tally


def some(candidates: list[T], count: int, chance: random.Random) -> list[T]:
    """So many of some candidates, in their order; all of them as often as they fit in, and the rest by chance."""
    rounds, rest = divmod(count, len(candidates))
    chosen = sorted(chance.sample(range(len(candidates)), rest))
    return candidates * rounds + [candidates[index] for index in chosen]
