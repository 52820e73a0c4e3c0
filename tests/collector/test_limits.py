"""How much may come from one place, in memory of a fixed size."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from telemetry_collector.addresses import Keys
from telemetry_collector.door import Door
from telemetry_collector.intake import Origin
from telemetry_collector.limits import Buckets
from telemetry_collector.model import Refusal
from telemetry_core.config import Layers, Rate, load
from tests.support.clock import START, ManualClock
from tests.support.collected import submission
from tests.support.collecting import Collector, exported, report
from tests.support.program import Program


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
    assert refused < 8
    assert sys.getsizeof(buckets._tokens) + sys.getsizeof(buckets._seen_at) == before


def test_a_clock_that_is_set_back_gives_no_tokens_and_takes_none() -> None:
    buckets = Buckets(rate=1, burst=2)
    assert [buckets.take("a", now) for now in (START, START - 60_000, START - 60_000)] == [0, 0, 1]


def test_to_look_whether_there_is_a_token_takes_none() -> None:
    buckets = Buckets(rate=1, burst=1)
    assert [buckets.wait("a", START) for _ in range(3)] == [0, 0, 0]
    assert [buckets.take("a", START), buckets.wait("a", START), buckets.take("a", START)] == [0, 1, 1]


def door(directory: Path, clock: ManualClock, **limits: Any) -> Door:
    usual = load(Layers()).collector
    keys = Keys(directory / "keys", 1000)
    keys.renew(clock.now())
    return Door(replace(usual, **{"proxies": ("127.0.0.1",), **limits}), keys, clock)


def reason(refusal: object) -> tuple[int, str, int | None] | None:
    return (refusal.status, refusal.reason, refusal.retry_after) if isinstance(refusal, Refusal) else None


def test_the_door_refuses_a_network_that_comes_too_often_and_nobody_else(tmp_path: Path) -> None:
    clock = ManualClock()
    at_the_door = door(tmp_path, clock)

    def refused(address: str) -> tuple[int, str, int | None] | None:
        return reason(at_the_door.origin(("127.0.0.1", 1), address))

    assert not any(refused("203.0.113.7") for _ in range(5000))
    assert refused("203.0.113.7") == (429, "network", 1)
    assert not refused("203.0.113.8")
    clock.advance(1)
    assert sum(not refused("203.0.113.7") for _ in range(100)) == 50
    assert not any(refused("") for _ in range(10_000)), "this host has no limit"


def test_a_batch_takes_as_many_tokens_of_its_network_as_it_has_reports(tmp_path: Path) -> None:
    clock = ManualClock()
    at_the_door = door(tmp_path, clock, network_limit=Rate(1, "s", 250))

    def refused(count: int, address: str = "203.0.113.7") -> tuple[int, str, int | None] | None:
        came = reason(at_the_door.origin(("127.0.0.1", 1), address))
        return came or reason(at_the_door.batch(("127.0.0.1", 1), address, count))

    assert [refused(100) for _ in range(4)] == [None, None, None, (429, "network", 51)]
    assert refused(1) == (429, "network", 51)
    assert refused(100, "203.0.113.8") is None
    clock.advance(51)
    assert [refused(1), refused(1)] == [None, (429, "network", 1)]
    assert not any(refused(100, "") for _ in range(100)), "this host has no limit"


def test_a_batch_that_is_larger_than_the_burst_gets_in_and_is_waited_for(tmp_path: Path) -> None:
    clock = ManualClock()
    at_the_door = door(tmp_path, clock, network_limit=Rate(1, "s", 1))
    client = ("203.0.113.7", 1)
    for _ in range(3):
        assert isinstance(at_the_door.origin(client, ""), Origin)
        assert at_the_door.batch(client, "", 100) is None
        assert reason(at_the_door.origin(client, "")) == (429, "network", 100)
        clock.advance(100)


def test_of_many_batches_that_have_begun_at_once_as_many_get_in_as_there_are_tokens(tmp_path: Path) -> None:
    at_the_door = door(tmp_path, ManualClock(), network_limit=Rate(1, "s", 1000))
    client = ("203.0.113.7", 1)
    assert all(isinstance(at_the_door.origin(client, ""), Origin) for _ in range(500))
    assert sum(at_the_door.batch(client, "", 100) is None for _ in range(500)) == 6


def test_a_long_header_and_one_that_nobody_writes_are_not_remembered(tmp_path: Path) -> None:
    believing = door(tmp_path, ManualClock())
    for number in range(100):
        long = f"{'x' * 60_000}{number}, 203.0.113.7"
        assert believing.address(("127.0.0.1", 1), long) == "203.0.113.7"
        assert believing.address(("127.0.0.1", 1), "198.51.100.1, 203.0.113.7") == "203.0.113.7"
    assert len(believing._addresses) == 1
    without = door(tmp_path, ManualClock(), proxies=())
    for number in range(100):
        assert without.address(("203.0.113.7", 1), f"Forwarded-By-Nobody {number}") == "203.0.113.7"
    assert len(without._addresses) == 1


def test_an_installation_that_reports_too_often_waits_and_no_other(tmp_path: Path) -> None:
    clock = ManualClock()
    at_the_door = door(tmp_path, clock, installation_limit=Rate(6, "m", 10))

    def refused(installation: str | None) -> tuple[int, str, int | None] | None:
        return reason(at_the_door.refused(submission("", report(installation=installation), at=clock.now())))

    assert not any(refused("mine") for _ in range(10))
    assert refused("mine") == (429, "installation", 10)
    assert refused("other") is None
    assert [refused(None) for _ in range(11)] == [*[None] * 10, (429, "installation", 10)], "7.14 may not know it"
    clock.advance(10)
    assert [refused("mine") for _ in range(2)] == [None, (429, "installation", 10)]


def test_all_together_may_come_so_often_and_who_is_refused_takes_nothing_from_the_others(tmp_path: Path) -> None:
    clock = ManualClock()
    limits = {"installation_limit": Rate(1, "h", 1), "total_limit": Rate(1, "m", 20)}
    at_the_door = door(tmp_path, clock, **limits)

    def refused(number: int) -> str | None:
        found = at_the_door.refused(submission("", report(installation=f"of {number}"), at=clock.now()))
        return None if found is None else found.reason

    assert [refused(0) for _ in range(50)] == [None, *["installation"] * 49]
    assert [refused(number) for number in range(1, 21)] == [*[None] * 19, "total"]


def test_a_normal_fleet_is_never_refused(tmp_path: Path) -> None:
    """Forty engines behind one address in cron's minute; a cluster of forty nodes; ten thousand engines at once."""
    clock = ManualClock()
    at_the_door = door(tmp_path, clock)
    for _ in range(24):
        for engine in range(40):
            assert isinstance(at_the_door.origin(("203.0.113.7", 1), ""), Origin)
            assert at_the_door.refused(submission(f"engine-{engine}", at=clock.now())) is None
            assert at_the_door.refused(submission("", report(count=engine), at=clock.now())) is None
        clock.advance(60)
    weeks_of_ten_engines = [submission(f"engine-{day % 10}", at=clock.now()) for day in range(10 * 365)]
    assert not any(map(at_the_door.refused, weeks_of_ten_engines)), "a year of daily reports, imported at once"
    assert not any(at_the_door.refused(submission(f"engine-{n}", at=clock.now())) for n in range(10_000))


def test_a_running_service_says_which_limit_it_was_and_when_to_come_again(program: Program) -> None:
    program.configure('[collector]\ninstallation-limit = "6/m burst 3"\ntotal-limit = "6/m burst 6"\n')
    with Collector(program) as collector:
        assert [collector.send(report(), f"mine-{n}").status for n in range(3)] == [202, 202, 202]
        mine = collector.send(report(), "mine-0")
        assert (mine.status, mine.json["reason"]) == (429, "installation")
        assert 0 < int(mine.headers["retry-after"]) <= 10
        batch = collector.send_batch(*((f"{n}", report(installation=f"of {n}")) for n in range(5)))
        assert [one["status"] for one in batch.json["receipts"]] == [202, 202, 202, 429, 429]
        assert [one.get("reason") for one in batch.json["receipts"]] == [None, None, None, "total", "total"]
        assert 0 < int(batch.headers["retry-after"]) <= 10
    assert len(exported(program)) == 6


def test_a_running_service_counts_the_reports_of_a_batch_for_its_network(program: Program) -> None:
    program.configure('[collector]\nproxies = ["127.0.0.1"]\nnetwork-limit = "1/h burst 5"\n')
    with Collector(program) as collector:
        batch = b'{"reports":[%s]}' % b",".join(
            [b'{"report":{}}', *(b'{"id":"%d","report":%s}' % (n, report(installation=f"of {n}")) for n in range(9))]
        )
        sent = {"Content_Type": "application/json", "X_Forwarded_For": "203.0.113.7"}
        first, again = (collector.ask("POST", "/pings/batch", body=batch, **sent) for _ in range(2))
        other = collector.send(report(), "other", X_Forwarded_For="203.0.113.8")
    assert [one["status"] for one in first.json["receipts"]] == [422, *[202] * 9], "larger than the burst, and in"
    assert (again.status, again.json["reason"]) == (429, "network")
    assert 6 * 3600 - 60 < int(again.headers["retry-after"]) <= 6 * 3600, "an hour for each of six, but for what passed"
    assert other.status == 202
