"""What arrived, beside what was counted: judged by the engine and the receiver, not by our own store."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from tests.support.receiver import Receiver
from tests.support.simulated_engine import PUBLIC

#: What must arrive exactly; of other commands, which observing itself causes, never more than the engine counted.
EXACT = (*PUBLIC.values(), "StartProcessInstanceCmd")


@dataclass(frozen=True)
class Books:
    """What is missing at the receiver and what it has too often: counts, and initial reports."""

    lost: int
    doubled: int

    @property
    def balanced(self) -> bool:
        return self.lost == self.doubled == 0


@dataclass(frozen=True)
class Arrived:
    """What a receiver has: counts, and how many reports of each kind."""

    counts: Counter[str]
    initial: int
    periodic: int


def arrived(bodies: Iterable[bytes]) -> Arrived:
    """What is in some reports."""
    counts: Counter[str] = Counter()
    reports = [json.loads(body)["product"]["internals"] for body in bodies]
    for internals in reports:
        for name, one in internals.get("metrics", {}).items():
            if name not in PUBLIC or name in PUBLIC.values():  # public names stand beside the legacy ones
                counts[name] += one["count"]
        for name, one in internals.get("commands", {}).items():
            counts[name] += one["count"]
    initial = sum(set(internals) == {"telemetry-enabled"} for internals in reports)
    return Arrived(counts, initial, len(reports) - initial)


def missing(counted: Counter[str], have: Counter[str]) -> int:
    """Of what was counted, what has not arrived."""
    return sum(max(counted[name] - have[name], 0) for name in EXACT)


def excess(counted: Counter[str], have: Counter[str]) -> int:
    """What has arrived and was never counted."""
    return sum(max(have[name] - counted[name], 0) for name in have)


def changed(receiver: Receiver) -> int:
    """Requests that came with other bytes under the id of an earlier one."""
    committed = receiver.committed
    return sum(request.body != committed[request.key] for request in receiver.received)
