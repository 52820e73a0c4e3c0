"""How much may come from one place, in memory of a fixed size."""

from __future__ import annotations

import sys
from pathlib import Path

from telemetry_collector.addresses import Keys
from telemetry_collector.door import NETWORK_BURST, NETWORK_RATE, Door
from telemetry_collector.limits import Buckets
from telemetry_collector.model import Refusal
from telemetry_core.config import Collector
from tests.support.clock import START, ManualClock


def test_a_place_may_come_often_and_then_as_fast_as_tokens_come_back() -> None:
    buckets = Buckets(rate=2, burst=5)
    assert [buckets.take("a", START) for _ in range(6)] == [0, 0, 0, 0, 0, 1]
    assert buckets.take("b", START) == 0
    assert [buckets.take("a", START + 1000) for _ in range(3)] == [0, 0, 1]
    assert [buckets.take("a", START + 100_000) for _ in range(6)] == [0, 0, 0, 0, 0, 1]


def test_seconds_are_those_after_which_it_may_come_again() -> None:
    buckets = Buckets(rate=0.1, burst=1)
    assert buckets.take("a", START) == 0
    seconds = buckets.take("a", START)
    assert seconds == 10
    assert buckets.take("a", START + seconds * 1000 - 100) > 0
    assert buckets.take("a", START + seconds * 1000) == 0


def test_many_places_take_no_more_memory_and_few_suffer_for_others() -> None:
    buckets = Buckets(rate=1, burst=3, slots=4096)
    before = sys.getsizeof(buckets._tokens) + sys.getsizeof(buckets._seen_at)
    for flooder in range(100):
        for _ in range(10):
            buckets.take(f"flooder {flooder}", START)
    refused = sum(buckets.take(f"good {number}", START) > 0 for number in range(1000))
    assert refused < 20
    assert sys.getsizeof(buckets._tokens) + sys.getsizeof(buckets._seen_at) == before


def test_a_clock_that_is_set_back_gives_no_tokens_and_takes_none() -> None:
    buckets = Buckets(rate=1, burst=2)
    assert [buckets.take("a", now) for now in (START, START - 60_000, START - 60_000)] == [0, 0, 1]


def test_the_door_refuses_a_network_that_comes_too_often_and_nobody_else(tmp_path: Path) -> None:
    settings = Collector(listen="", port=1, forwarded="x-forwarded-for", key_period=1000, proxies=("127.0.0.1",))
    keys = Keys(tmp_path / "keys", 1000)
    clock = ManualClock()
    keys.renew(clock.now())
    door = Door(settings, keys, clock)

    def refused(address: str) -> bool:
        return isinstance(door.origin(("127.0.0.1", 1), address), Refusal)

    assert not any(refused("203.0.113.7") for _ in range(NETWORK_BURST))
    refusal = door.origin(("127.0.0.1", 1), "203.0.113.7")
    assert isinstance(refusal, Refusal)
    assert (refusal.status, refusal.retry_after) == (429, 1)
    assert not refused("203.0.113.8")
    clock.advance(1)
    assert sum(not refused("203.0.113.7") for _ in range(2 * NETWORK_RATE)) == NETWORK_RATE
    assert not any(refused("") for _ in range(2 * NETWORK_BURST)), "this host has no limit"
