"""Whatever happens to a `send` or a `run`, what the engine counted arrives once; each battery says so in one line.

And whatever happens to the collector, what it has acknowledged is there once.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Iterator

import pytest

from tests.batteries import BATTERIES, collector_fuzz, nodes, tracing
from tests.support.dose import DOSE

#: How many tries: always, and in the fullest dose (`make battery`).
DOSES = {
    "answers": (50, 500),
    "canaries": (100, 1280),
    "collector_bombs": (240, 2400),
    "collector_disk": (5, 100),
    "collector_fuzz": (500_000, 10_000_000),
    "collector_kills": (15, 320),
    "collector_schema": (600, 100_000),
    "collector_slow": (1000, 20_000),
    "disk": (60, 1000),
    "ends": (6, 100),
    "kills": (60, 1000),
    "nodes": (5, 100),
    "signals": (40, 1000),
    "starts": (5, 100),
}
#: The dose of `make battery`.
FULL = 20


@pytest.fixture(scope="module", autouse=True)
def nothing_is_left_running() -> Iterator[None]:
    yield
    tracing.end()


@pytest.mark.skipif(tracing.missing() is not None, reason=str(tracing.missing()))
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("name", BATTERIES)
def test_nothing_is_lost_doubled_or_late(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    if name == "nodes" and nodes.missing_here() is not None:
        pytest.skip(str(nodes.missing_here()))
    if name == "collector_fuzz" and collector_fuzz.missing() is not None:
        pytest.skip(str(collector_fuzz.missing()))
    quick, full = DOSES[name]
    count = full if DOSE >= FULL else min(quick * DOSE, full)
    seed = int(os.environ.get("TELEMETRY_BATTERY_SEED", "1" if DOSE == 1 else str(random.randrange(10**6))))
    begun = time.monotonic()
    tally = BATTERIES[name](count, seed)
    with capsys.disabled():
        print(f"\n{tally} in {time.monotonic() - begun:.0f} s")
    assert tally.sound, tally.failed
    assert len(tally.verdicts) >= count * 0.9  # what did not happen does not count
