"""Whatever happens to a `send` or a `run`, what the engine counted arrives once; each battery says so in one line."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Iterator

import pytest

from tests.batteries import BATTERIES, nodes, tracing
from tests.support.dose import DOSE

#: How many tries: always, and in the fullest dose (`make battery`).
DOSES = {
    "answers": (50, 500),
    "canaries": (100, 1280),
    "disk": (60, 1000),
    "ends": (6, 100),
    "kills": (60, 1000),
    "nodes": (5, 100),
    "signals": (40, 1000),
    "starts": (5, 100),
}


@pytest.fixture(scope="module", autouse=True)
def nothing_is_left_running() -> Iterator[None]:
    yield
    tracing.end()


@pytest.mark.skipif(tracing.missing() is not None, reason=str(tracing.missing()))
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", BATTERIES)
def test_nothing_is_lost_doubled_or_late(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    if name == "nodes" and nodes.missing_here() is not None:
        pytest.skip(str(nodes.missing_here()))
    quick, full = DOSES[name]
    seed = int(os.environ.get("TELEMETRY_BATTERY_SEED", "1" if DOSE == 1 else str(random.randrange(10**6))))
    begun = time.monotonic()
    tally = BATTERIES[name](min(quick * DOSE, full), seed)
    with capsys.disabled():
        print(f"\n{tally} in {time.monotonic() - begun:.0f} s")
    assert tally.sound, tally.failed
    assert len(tally.verdicts) >= min(quick * DOSE, full) * 0.9  # what did not happen does not count
