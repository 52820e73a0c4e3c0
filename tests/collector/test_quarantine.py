"""Quarantine, the whole way: stored and answered as any other, in no total, shown, released, dropped."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from telemetry_collector import retention
from telemetry_collector.model import Ruling, State
from telemetry_collector.store import Decision, Store
from telemetry_core.errors import UnknownReport, UsageError
from telemetry_core.model import HOUR
from telemetry_core.store import Place
from tests.support.collected import NOW, submission
from tests.support.collecting import Collector, exported, listed, report
from tests.support.program import Program

New = Callable[[], str]
DAY = 24 * HOUR


def test_a_suspicious_report_is_answered_as_any_other_and_stored_and_does_not_count(ready: Program) -> None:
    bodies = {
        "release": report(installation="a", version="7.99.0"),
        "old": report(installation="a", version="6.2.0"),
        "product": report(installation="a").replace(b"Camunda BPM", b"Some other"),
        "future": report(installation="a", start="2999-11-23T23:00:08.920+0000"),
        "count": report(installation="a", count=2**63 - 1),
    }
    with Collector(ready) as collector:
        good = collector.send(report(installation="a"), "good")
        answers = {name: collector.send(body, name) for name, body in bodies.items()}
        again = collector.send(bodies["future"], "future")
        other = collector.send(report(installation="a", start="2999-11-23T23:00:08.920+0000", count=5), "future-2")
    for answer in answers.values():
        assert (answer.status, set(answer.json), set(answer.headers)) == (202, set(good.json), set(good.headers))
        assert answer.json["duplicate"] is False
    assert (again.json["duplicate"], other.status) == (True, 409), "it holds its key and its window as any other"
    assert {one["id"]: one["quarantined"] for one in exported(ready)} == {"good": False, **dict.fromkeys(bodies, True)}
    reasons = {one["id"]: (one["state"], one["reason"]) for one in listed(ready)}
    assert reasons == {
        "good": ("counted", None),
        "release": ("quarantined", "release-impossible"),
        "old": ("quarantined", "release-impossible"),
        "product": ("quarantined", "product-unknown"),
        "future": ("quarantined", "window-in-future"),
        "count": ("quarantined", "count-impossible"),
    }
    assert {one["id"] for one in listed(ready, "--quarantined")} == set(bodies)


def test_a_date_beyond_the_calendar_is_no_failure_and_its_neighbours_are_stored(
    lasting: Collector, installation: New
) -> None:
    mine = installation()
    dates = ("9999-12-31T23:59:59-14:00", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00", "0001-01-01T00:00:00Z")
    odd = [(None, report(installation=mine, start=date)) for date in dates]
    answer = lasting.send_batch((None, report(installation=mine, count=2)), *odd, (mine, report(installation=mine)))
    assert answer.status == 202
    assert [one["quarantined"] for one in lasting.of(mine)] == [False, True, True, False, False, False]


def test_counts_that_leap_go_to_quarantine_and_a_normal_fleet_does_not(lasting: Collector, installation: New) -> None:
    mine, other = installation(), installation()
    for number in range(3):
        assert lasting.send(report(installation=mine, count=100 + number)).status == 202
    assert lasting.send(report(installation=other, count=50_000_000)).status == 202
    leap = lasting.send(report(installation=mine, count=50_000_000))
    assert (leap.status, leap.json["duplicate"]) == (202, False)
    lasting.send(report(installation=mine, count=90_000))
    assert [one["quarantined"] for one in lasting.of(mine)] == [False, False, False, True, False]
    assert [one["quarantined"] for one in lasting.of(other)] == [False], "the first report is no leap"
    (one,) = listed(lasting.program, "--quarantined", "--installation", mine)
    assert one["reason"] == "counts-leap"
    assert one["detail"] == (
        "process-instances counts 50000000; after all that came before, up to 100000 are believed."
    )


def test_a_host_that_was_offline_for_weeks_catches_up_and_nothing_is_set_apart(place: Place) -> None:
    with Store.for_writing(place, NOW) as store:
        states = []
        for day, count in [*((day, 9000) for day in range(10)), (40, 270_000), (41, 9000)]:
            body = report(installation="mine", version="7.17.0", count=count)
            states.append(store.commit([submission("", body, at=NOW + day * DAY)])[0].held.state)
    assert set(states) == {State.COUNTED}


def test_a_flood_of_one_installation_goes_to_quarantine_and_no_other_with_it(place: Place) -> None:
    flood = [submission(f"key-{n}", report(installation="mine"), at=NOW) for n in range(2100)]
    with Store.for_writing(place, NOW) as store:
        verdicts = store.commit(flood)
        again = store.commit(flood[:10])
        (other,) = store.commit([submission("other", report(installation="other"), at=NOW)])
        (later,) = store.commit([submission("later", report(installation="mine"), at=NOW + HOUR)])
        store.fleet.follow()
    assert [one.held.state for one in verdicts].count(State.QUARANTINED) == 100
    assert verdicts[-1].reason == "flood: More than 2000 reports of this installation came at once."
    assert {one.ruling for one in again} == {Ruling.DUPLICATE}
    assert (other.held.state, later.held.state) == (State.COUNTED, State.COUNTED)


def test_counts_that_fall_since_the_same_begin_are_another_node_within_the_hour_and_suspicious_later(
    place: Place,
) -> None:
    def body(**counts: int) -> bytes:
        tree = json.loads(report(installation="mine", start="Nov 18, 2026, 10:00:08 AM"))
        tree["product"]["internals"]["metrics"] = {name: {"count": count} for name, count in counts.items()}
        return json.dumps(tree).encode()

    with Store.for_writing(place, NOW) as store:
        store.commit([submission("", body(a=5, b=5), at=NOW)])
        (node,) = store.commit([submission("", body(a=4, b=6), at=NOW + HOUR)])
        (falls,) = store.commit([submission("", body(a=3, b=7), at=NOW + 2 * HOUR + 1)])
        (grows,) = store.commit([submission("", body(a=9, b=9), at=NOW + DAY)])
    assert (node.held.state, falls.held.state, grows.held.state) == (State.COUNTED, State.QUARANTINED, State.COUNTED)
    assert falls.reason.startswith("counts-fall: metrics.a counts 3, less than the 5 of an earlier")
    assert grows.supersedes is not None


def test_a_suspicious_attempt_supersedes_nothing_until_it_is_released(place: Place) -> None:
    start = "Nov 18, 2026, 10:00:08 AM"

    def attempt(count: int) -> bytes:
        return report(installation="mine", start=start, count=count)

    with Store.for_writing(place, NOW) as store:
        (first,) = store.commit([submission("", attempt(5), at=NOW)])
        (large,) = store.commit([submission("", attempt(MOST_AND_MORE), at=NOW)])
        assert (large.held.state, large.supersedes) == (State.QUARANTINED, None)
        states = {one.id: one.state for one in store.reports()}
        assert states[first.held.id] is State.COUNTED
        stored, changed = store.decisions.decide(
            Decision(large.held.id, released=True, decided_at=NOW, decided_by="me")
        )
        assert (stored.state, changed) == (State.COUNTED, True)
        states = {one.id: one.state for one in store.reports()}
        assert states[first.held.id] is State.SUPERSEDED, "as if it had counted when it came"


MOST_AND_MORE = 10**12 + 1


def test_what_is_released_counts_as_if_it_had_when_it_came_and_what_is_dropped_never_does(place: Place) -> None:
    then = int(datetime(2024, 1, 31, tzinfo=UTC).timestamp()) * 1000
    bad = [
        submission(f"bad-{n}", report(installation="mine", version="7.99.0", count=10**n), at=then) for n in range(3)
    ]
    with Store.for_writing(place, then) as store:
        store.commit([submission("good", report(installation="mine", version="7.99.0".replace("99", "21")), at=then)])
        store.commit(bad)
        for name, released in (("bad-1", True), ("bad-2", False)):
            store.decisions.decide(Decision(name, released=released, decided_at=NOW, decided_by="me"))
        while retention.step(store, NOW):
            pass
        totals = {(key[0], key[3]): one.counts for key, one in store.totals.all()}
        again = store.commit(bad)
        with pytest.raises(UsageError, match="its body is gone"):
            store.decisions.decide(Decision("bad-0", released=True, decided_at=NOW, decided_by="me"))
    assert totals == {
        ("2024-01-31", "7.21.0"): {"metrics.process-instances": 1},
        ("2024-01-31", "7.99.0"): {"metrics.process-instances": 10},
    }
    assert {one.ruling for one in again} == {Ruling.DUPLICATE}, "whatever was decided, the receipt stays"


def test_after_a_release_the_same_product_and_counts_as_large_are_no_surprise_any_more(place: Place) -> None:
    def send(key: str, count: int = 1, product: bytes = b"Camunda BPM Runtime") -> State:
        body = report(installation="mine", count=count).replace(b"Camunda BPM Runtime", product)
        return store.commit([submission(key, body, at=NOW)])[0].held.state

    with Store.for_writing(place, NOW) as store:
        assert [send(f"key-{n}") for n in range(4)] == [State.COUNTED] * 4
        assert send("leap", 10**9) is State.QUARANTINED
        assert send("again", 10**9) is State.QUARANTINED
        store.decisions.decide(Decision("leap", released=True, decided_at=NOW, decided_by="me"))
        assert send("third", 10**9) is State.COUNTED
        assert send("fork", product=b"Eximee BPMS") is State.QUARANTINED
        store.decisions.decide(Decision("fork", released=True, decided_at=NOW, decided_by="me"))
        assert send("fork-2", product=b"Eximee BPMS") is State.COUNTED


def test_all_that_was_released_of_an_installation_is_believed_of_it_whatever_it_has_sent_since(place: Place) -> None:
    def send(installation: str, *versions: str) -> list[State]:
        states = []
        for version in versions:
            key = str(len(list(store.reports())))
            body = report(installation=installation, version=version).replace(b"Camunda BPM Runtime", b"Our\\u0000BPM")
            states += [one.held.state for one in store.commit([submission(key, body, at=NOW)])]
        return states

    with Store.for_writing(place, NOW) as store:
        assert send("mine", "9.1.0", "9.1.1") == [State.QUARANTINED] * 2
        store.fleet.follow()
        for name in ("0", "1"):
            store.decisions.decide(Decision(name, released=True, decided_at=NOW, decided_by="me"))
        assert send("mine", "9.1.0", "9.1.1", "9.1.0", "9.1.1") == [State.COUNTED] * 4
        store.commit([submission("genuine", report(installation="mine"), at=NOW)])
        assert send("mine", "9.1.0", "9.1.2") == [State.COUNTED, State.QUARANTINED]
        assert send("other", "9.1.0") == [State.QUARANTINED]


def test_who_decided_about_something_that_is_not_there_has_decided_nothing(place: Place) -> None:
    with Store.for_writing(place, NOW) as store:
        store.commit([submission("a")])
        with pytest.raises(UnknownReport):
            store.decisions.decide(Decision("b", released=False, decided_at=NOW, decided_by="me"))
        assert [one.id for one in store.reports()] == ["a"]


def test_the_fleet_is_followed_step_by_step_and_by_several_collectors(place: Place) -> None:
    with Store.for_writing(place, NOW) as store, Store.for_writing(place, NOW) as other:
        for day in range(3):
            bodies = [(f"{n}-{day}", report(installation=f"of-{n}", count=20_000 * day)) for n in range(400)]
            store.commit([submission(key, body, at=NOW + day * DAY) for key, body in bodies])
        store.commit([submission("bad", report(installation="forged", version="7.99.0"), at=NOW)])
        assert [one.follow() for one in (other.fleet, store.fleet, other.fleet, store.fleet)] == [
            True,
            True,
            False,
            False,
        ]
        assert store.fleet.count() == 400, "what is set apart makes no member of the fleet"
        member = store.fleet.get("of-7")
        days = store.fleet.arrivals(NOW - DAY)
    assert member is not None
    assert (member.reports, member.first_at, member.last_at) == (3, NOW, NOW + 2 * DAY)
    assert member.peaks == {"process-instances": 40_000.0}
    assert [(one.day - NOW // DAY, one.reports, one.set_apart) for one in days] == [
        (0, 401, 1),
        (1, 400, 0),
        (2, 400, 0),
    ]
