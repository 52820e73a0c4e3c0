"""Windows with very many reports: what is looked at stays little, and each is still stored once; on both databases."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from telemetry_collector import judging
from telemetry_collector.intake import BODY_LIMIT
from telemetry_collector.model import SAME_WITHIN, Hash, Ruling, State, Submission, Verdict
from telemetry_collector.store import Decision, Store
from telemetry_collector.store.evidence import EVIDENCE_BYTES, FEW
from telemetry_core.store import Place
from tests.support.collected import NOW, execute, submission
from tests.support.collecting import captured, report

START = "Nov 18, 2026, 10:00:08 AM"
HERE, ELSEWHERE = Hash(1, "here"), Hash(1, "elsewhere")
MANY = 150


def attempt(number: int, *, installation: str | None = None, **more: Any) -> Submission:
    """A report without a key, none of whose kind has counted no less than another in everything."""
    tree = json.loads(report(installation=installation, start=START))
    tree["product"]["internals"]["metrics"] = {f"m-{number:04d}": {"count": 1}}
    return submission("", json.dumps(tree).encode(), **more)


def commit(store: Store, *submissions: Submission) -> list[Verdict]:
    return store.commit(submissions)


@pytest.mark.parametrize("start", [START, None])
def test_of_a_window_so_little_is_looked_at_as_can_matter(place: Place, start: str | None) -> None:
    bodies = [report(installation=None, start=start).replace(b"community", b"%d" % number) for number in range(MANY)]
    with Store.for_writing(place, NOW) as store:
        store.commit([submission("", body, address=Hash(1, str(n))) for n, body in enumerate(bodies)])
        store.commit([submission("", bodies[0], address=Hash(1, f"{n}-0")) for n in range(MANY)])
        held, next_number = store._receipts.matching([submission("", bodies[1])])
        same, _ = store._receipts.matching([submission("", bodies[0])])
    assert next_number == 2 * MANY + 1
    assert len(held) <= judging.COMPARED + 1
    assert len(same) <= judging.COMPARED + 100
    assert 2 in [one.number for one in held], "the one with the same bytes"


def crowd(store: Store) -> None:
    """100,000 receipts without a key of one window."""
    (first,) = commit(store, attempt(0))
    execute(
        store.place,
        "INSERT INTO receipt (number, id, keyed, sha256, installation, window_start, received_at, state, reason)"
        " WITH RECURSIVE n (n) AS (SELECT 2 UNION ALL SELECT n + 1 FROM n WHERE n < 100000)"
        f" SELECT n, 'id-' || n, 0, 'digest-' || n, '', '{first.held.window}', {NOW}, 'counted', '' FROM n",
    )


def test_whatever_is_looked_for_is_found_by_an_index(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    submissions = [submission(key, attempt(n, installation=f"x-{n}").body) for n, key in enumerate(("a", "b", "", ""))]
    submissions += [submission(key, report(installation=f"x-{n}")) for n, key in enumerate(("c", "d", "", ""))]
    with Store.for_writing(place, NOW) as store:
        crowd(store)
        seen: list[tuple[str, Sequence[object]]] = []

        def noting(statement: str, values: Sequence[object] = ()) -> list[tuple[object, ...]]:
            seen.append((statement, values))
            return [(1, "", 0, "", "", "", 0, "next")]

        with monkeypatch.context() as listening:
            listening.setattr(store._database, "read", noting)
            store._receipts.matching(submissions)
        ((statement, values),) = seen
        explain = "EXPLAIN QUERY PLAN " if isinstance(place, Path) else "EXPLAIN "
        plans = []
        for _ in range(2):
            with store._database.together():
                plans += [str(row[-1]) for row in store._database.read(explain + statement, values)]
            execute(place, "ANALYZE receipt")
    assert len(plans) > 20
    assert not [line for line in plans if re.search("SCAN (receipt|one)|Seq Scan|Filter:|Sort", line)]


def test_in_a_window_of_100000_a_report_is_stored_as_fast_as_in_one_of_its_own(place: Place) -> None:
    with Store.for_writing(place, NOW) as store:
        crowd(store)

        def seconds(number: int, installation: str | None) -> float:
            begun = time.perf_counter()
            commit(store, attempt(number, installation=installation))
            return time.perf_counter() - begun

        own, crowded = zip(*((seconds(n, f"of-{n}"), seconds(n, None)) for n in range(1, 21)), strict=True)
    assert min(crowded) < 5 * min(own)


def test_the_same_bytes_from_the_same_address_are_a_duplicate_however_many_came_between(place: Place) -> None:
    with Store.for_writing(place, NOW) as store:
        (first,) = commit(store, attempt(0, address=HERE))
        store.commit([attempt(number, address=HERE) for number in range(1, MANY)])
        again, other, late = commit(
            store,
            attempt(0, at=NOW + SAME_WITHIN, address=HERE),
            attempt(0, at=NOW + SAME_WITHIN, address=ELSEWHERE),
            attempt(0, at=NOW + SAME_WITHIN + 1, address=HERE),
        )
        (alone,) = commit(store, attempt(0, at=NOW + SAME_WITHIN, address=HERE))
    assert (again.ruling, again.held.number) == (Ruling.DUPLICATE, first.held.number)
    assert (other.ruling, late.ruling) == (Ruling.STORED, Ruling.STORED)
    assert (alone.ruling, alone.held.number) == (Ruling.DUPLICATE, first.held.number)


def test_a_report_with_a_key_has_its_window_for_itself_however_many_without_one_are_in_it(place: Place) -> None:
    mine = {"installation": "mine"}
    with Store.for_writing(place, NOW) as store:
        early = attempt(0, **mine)
        commit(store, early)
        store.commit([attempt(number, **mine) for number in range(1, MANY)])
        (same,) = commit(store, submission("a", early.body, at=NOW + 9 * SAME_WITHIN))
        (keyed,) = commit(store, submission("b", attempt(2000, **mine).body))
        store.commit([attempt(number, **mine) for number in range(MANY, 2 * MANY)])
        (conflict,) = commit(store, submission("c", attempt(3000, **mine).body))
        (engines,) = commit(store, attempt(2000, **mine, at=NOW + 9 * SAME_WITHIN))
    assert (same.ruling, same.held.number) == (Ruling.DUPLICATE, 1)
    assert keyed.ruling is Ruling.STORED
    assert (conflict.ruling, conflict.held.id) == (Ruling.CONFLICT, "b")
    assert (engines.ruling, engines.held.id) == (Ruling.DUPLICATE, "b")


def test_without_key_and_window_a_report_with_a_key_and_the_same_bytes_is_the_same_within_the_minute(
    place: Place,
) -> None:
    body = report(installation="mine")
    with Store.for_writing(place, NOW) as store:
        (keyed,) = commit(store, submission("a", body))
        (soon,) = commit(store, submission("", body, at=NOW + SAME_WITHIN, address=HERE))
        (later,) = commit(store, submission("", body, at=NOW + SAME_WITHIN + 1, address=HERE))
    assert (soon.ruling, soon.held.id) == (Ruling.DUPLICATE, keyed.held.id)
    assert later.ruling is Ruling.STORED


@pytest.mark.parametrize("at_once", [True, False])
def test_the_newest_of_a_window_are_compared_and_no_older_ones(place: Place, at_once: bool) -> None:
    def better_than(number: int) -> Submission:
        tree = json.loads(report(start=START, installation=None))
        tree["product"]["internals"]["metrics"] = {f"m-{number:04d}": {"count": 2}}
        return submission("", json.dumps(tree).encode())

    attempts = [attempt(number) for number in range(MANY)]
    last = [better_than(MANY - judging.COMPARED), better_than(0)]
    with Store.for_writing(place, NOW) as store:
        if at_once:
            tenth, oldest = store.commit([*attempts, *last])[-2:]
        else:
            store.commit(attempts)
            (tenth,), (oldest,) = store.commit(last[:1]), store.commit(last[1:])
        states = [one.state for one in store.reports()]
    assert tenth.supersedes is not None
    assert tenth.supersedes.number == MANY - judging.COMPARED + 1
    assert (oldest.ruling, oldest.supersedes) == (Ruling.STORED, None)
    assert states.count(State.SUPERSEDED) == 1


def test_to_release_a_report_of_a_crowded_window_reads_the_newest_of_it_alone(place: Place) -> None:
    with Store.for_writing(place, NOW) as store:
        store.commit([attempt(number) for number in range(MANY)])
        forged = attempt(MANY).body.replace(b"7.21.0", b"7.99.0")
        (bad,) = commit(store, submission("", forged))
        assert bad.held.state is State.QUARANTINED
        assert len(store._receipts.of_window("", bad.held.window)) == judging.COMPARED
        stored, _ = store.decisions.decide(Decision(bad.held.id, released=True, decided_at=NOW, decided_by="me"))
    assert stored.state is State.COUNTED


def test_reports_without_an_installation_are_a_flood_together(place: Place) -> None:
    flood = [submission("", report(installation=None, count=n), at=NOW) for n in range(2010)]
    with Store.for_writing(place, NOW) as store:
        verdicts = store.commit(flood)
    assert [one.held.state for one in verdicts].count(State.QUARANTINED) == 10
    assert verdicts[-1].reason.startswith("flood: ")


def large_attempt(window: int, number: int) -> Submission:
    """As `attempt`, with more counters than any engine has."""
    tree = json.loads(report(installation=f"large {window}", start=START))
    tree["product"]["internals"]["metrics"] = {f"m-{number}-{n}": {"count": 1} for n in range(2000)}
    return submission("", json.dumps(tree).encode())


def engines(window: int, count: int) -> Submission:
    """As engines write theirs, of a window of its own."""
    tree = json.loads(captured("7.17.0", 2)) | {"installation": f"engine {window}"}
    tree["product"]["internals"]["metrics"]["process-instances"] = {"count": count}
    tree["product"]["internals"]["data-collection-start-date"] = START
    return submission("", json.dumps(tree).encode())


def test_of_many_windows_no_more_is_read_than_a_share_and_engines_are_still_told_apart(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    windows = 40
    with Store.for_writing(place, NOW) as store:
        for window in range(windows):
            store.commit([large_attempt(window, number) for number in range(judging.COMPARED)])
        earlier = store.commit([engines(window, 1) for window in range(300)])
        node = store.commit([engines(window, 0) for window in range(299, 300)])
        read = 0
        with monkeypatch.context() as listening:
            really = store._database.read

            def counting(statement: str, values: Sequence[object] = ()) -> Sequence[tuple[object, ...]]:
                nonlocal read
                rows = really(statement, values)
                read += sum(len(bytes(one)) for row in rows for one in row if isinstance(one, bytes | memoryview))
                return rows

            listening.setattr(store._database, "read", counting)
            tiny = [submission("", report(installation=f"large {window}", start=START)) for window in range(windows)]
            verdicts = store.commit([*tiny, *(engines(window, 2) for window in range(300))])
    assert [one.held.state for one in node] == [State.SUPERSEDED]
    assert 0 < read <= EVIDENCE_BYTES
    assert FEW * BODY_LIMIT <= EVIDENCE_BYTES
    assert [one.ruling for one in verdicts[:windows]] == [Ruling.STORED] * windows
    superseded = [one.supersedes.number for one in verdicts[windows:] if one.supersedes is not None]
    assert superseded == [one.held.number for one in earlier]


def test_of_a_window_with_many_nodes_all_that_are_compared_are_read_however_large_others_are(place: Place) -> None:
    def nodes(number: int, count: int) -> Submission:
        return replace(attempt(number, installation="nodes"), counts={f"metrics.m-{number:04d}": count})

    with Store.for_writing(place, NOW) as store:
        for window in range(40):
            store.commit([large_attempt(window, number) for number in range(judging.COMPARED)])
        first = store.commit([attempt(number, installation="nodes") for number in range(judging.COMPARED)])
        tiny = [submission("", report(installation=f"large {window}", start=START)) for window in range(40)]
        (second, *_) = store.commit([nodes(0, 2), *tiny])
    assert second.supersedes is not None
    assert second.supersedes.number == first[0].held.number
