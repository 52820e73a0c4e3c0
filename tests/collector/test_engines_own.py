"""Reports without a key, as engines send them: accepted, told apart as far as that can be done; on both databases."""

from __future__ import annotations

import json
from collections.abc import Callable

from tests.support.collecting import Collector, captured, report

New = Callable[[], str]

LIKE_JAVA = {
    "Connection": "Keep-Alive",
    "User_Agent": "Apache-HttpClient/4.5.13 (Java/17.0.15)",
    "Accept_Encoding": "gzip,deflate",
}


def as_sent_by(release: str, number: int, installation: str) -> bytes:
    """What a real engine sent, of another installation."""
    body = captured(release, number)
    return body.replace(json.loads(body)["installation"].encode(), installation.encode())


def test_what_real_engines_sent_is_stored_once_each_and_unchanged(lasting: Collector, installation: New) -> None:
    for release, numbers in (("7.14.0", (1, 2, 3)), ("7.17.0", (1, 2))):
        mine = installation()
        bodies = [as_sent_by(release, number, mine) for number in numbers]
        answers = [lasting.send(body, **LIKE_JAVA) for body in bodies]
        assert [(one.status, one.json["duplicate"]) for one in answers] == [(202, False)] * len(numbers)
        assert [one["report"] for one in lasting.of(mine)] == [json.loads(body) for body in bodies]
        assert not any(one["duplicate"] for one in lasting.of(mine))


def test_the_same_bytes_from_the_same_address_within_a_minute_are_one(lasting: Collector, installation: New) -> None:
    mine = installation()
    body = as_sent_by("7.17.0", 1, mine)
    first, again = lasting.send(body), lasting.send(body)
    assert again.json == {**first.json, "duplicate": True}
    assert len(lasting.of(mine)) == 1


def test_the_same_bytes_from_another_address_are_another_report(lasting: Collector, installation: New) -> None:
    mine = installation()
    body = as_sent_by("7.17.0", 1, mine)
    assert lasting.send(body).json["duplicate"] is False
    assert lasting.send(body, source="127.0.0.2").json["duplicate"] is False
    assert len(lasting.of(mine)) == 2


def test_forty_engines_behind_one_address_all_get_through(lasting: Collector, installation: New) -> None:
    for mine in [installation() for _ in range(40)]:
        assert lasting.send(as_sent_by("7.17.0", 2, mine)).json["duplicate"] is False
        assert len(lasting.of(mine)) == 1


def test_an_engine_without_installation_is_accepted(lasting: Collector) -> None:
    body = captured("7.14.0", 1).replace(b'"0c39daee-56d5-4cbb-96f5-3e226fa3eb87"', b"null")
    assert lasting.send(body).status == 202


def test_from_7_19_on_no_smaller_counts_of_the_same_start_supersede_the_earlier_ones(
    lasting: Collector, installation: New
) -> None:
    mine = installation()
    for count in (5, 7, 7):
        start = "Nov 23, 2026, 11:00:08 PM"
        answer = lasting.send(report(installation=mine, start=start, count=count) + b" " * (count % 7))
        assert answer.status == 202
    stored = lasting.of(mine)
    counts = [one["report"]["product"]["internals"]["metrics"]["process-instances"]["count"] for one in stored]
    assert [(count, one["duplicate"]) for count, one in zip(counts, stored, strict=True)] == [(5, True), (7, False)]


def test_java_8_and_java_20_write_the_same_start_in_their_ways(lasting: Collector, installation: New) -> None:
    mine = installation()
    starts = ("Nov 23, 2026 11:00:08 PM", "Nov 23, 2026, 11:00:08\u202fPM", "Nov 23, 2026, 11:00:08 PM")
    for count, start in enumerate(starts, 1):
        assert lasting.send(report(installation=mine, start=start, count=count)).status == 202
    assert [one["duplicate"] for one in lasting.of(mine)] == [True, True, False]


def test_an_attempt_that_arrives_late_counts_no_more(lasting: Collector, installation: New) -> None:
    mine = installation()
    for count in (7, 5):
        lasting.send(report(installation=mine, start="Nov 23, 2026, 11:00:08 PM", count=count))
    assert [one["duplicate"] for one in lasting.of(mine)] == [False, True]


def test_two_nodes_with_the_same_start_stay_two_while_their_counts_tell_them_apart(
    lasting: Collector, installation: New
) -> None:
    mine = installation()
    tree = json.loads(report(installation=mine, start="Nov 23, 2026, 11:00:08 PM"))
    for commands in ({"A": {"count": 1}}, {"B": {"count": 1}}):
        tree["product"]["internals"]["commands"] = commands
        assert lasting.send(json.dumps(tree).encode()).status == 202
    assert [one["duplicate"] for one in lasting.of(mine)] == [False, False]


def test_a_start_in_words_that_nobody_knows_is_a_window_all_the_same(lasting: Collector, installation: New) -> None:
    mine = installation()
    for count in (1, 2):
        assert lasting.send(report(installation=mine, start="23 нояб. 2026 г.", count=count)).status == 202
    assert [one["duplicate"] for one in lasting.of(mine)] == [True, False]


def test_a_report_that_came_with_a_key_is_no_other_one_without_it(lasting: Collector, installation: New) -> None:
    mine = installation()
    body = report(installation=mine, start="2026-11-23T23:00:08.920+0000")
    first = lasting.send(body, mine)
    assert lasting.send(body).json == {**first.json, "duplicate": True}
