"""What a submission is beside what is held, in facts that no request is needed for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry_collector.judging import Known, covers, judge, judge_all
from telemetry_collector.model import SAME_WITHIN, Hash, Held, Ruling, State, Submission
from telemetry_collector.report import window
from tests.support.dose import dose

NOW = 1_764_000_000_000


def engines_own(sha256: str = "a", *, at: int = 0, hashes: tuple[str, ...] = ("here",), start: str = "") -> Submission:
    return Submission("", sha256, "x", start, {}, b"", NOW + at, tuple(Hash(0, value) for value in hashes))


def earlier(
    number: int, *, address: str = "", counts: dict[str, int] | None = None, state: State = State.COUNTED
) -> Held:
    return Held(
        number=number,
        id=str(number),
        keyed=False,
        sha256=f"sha of {number}",
        installation="x",
        window="w",
        received_at=NOW,
        state=state,
        hash=address,
        counts=counts,
    )


@pytest.mark.parametrize(
    ("later", "hashes", "ruling"),
    [
        (0, ("here",), Ruling.DUPLICATE),
        (SAME_WITHIN, ("here",), Ruling.DUPLICATE),
        (SAME_WITHIN + 1, ("here",), Ruling.STORED),
        (-5, ("here",), Ruling.DUPLICATE),  # another collector's clock
        (0, ("elsewhere",), Ruling.STORED),
        (0, ("new key", "here"), Ruling.DUPLICATE),  # the key was changed within the minute
        (0, (), Ruling.STORED),
    ],
)
def test_without_a_key_bytes_address_and_minute_make_a_duplicate(
    later: int, hashes: tuple[str, ...], ruling: Ruling
) -> None:
    first, again = judge_all([engines_own(), engines_own(at=later, hashes=hashes)], Known([], 1))
    assert first.ruling is Ruling.STORED
    assert again.ruling is ruling


def test_numbers_follow_each_other_and_duplicates_take_none() -> None:
    submissions = [engines_own(sha256) for sha256 in ("a", "a", "b", "c", "b")]
    verdicts = judge_all(submissions, Known([], 41))
    assert [one.held.number for one in verdicts] == [41, 41, 42, 43, 42]


def test_what_was_dropped_counts_no_more_and_is_superseded_by_nothing() -> None:
    held = earlier(1, state=State.DROPPED)
    verdict = judge(engines_own(start="w"), Known([held], 2))
    assert (verdict.ruling, verdict.supersedes) == (Ruling.STORED, None)


def test_of_two_earlier_ones_that_of_the_same_address_is_superseded() -> None:
    here = earlier(1, address="here", counts={"a": 1})
    elsewhere = earlier(2, address="elsewhere", counts={"b": 1})
    better = Submission("", "d", "x", "w", {"a": 2, "b": 2}, b"", NOW, (Hash(0, "here"),))
    assert judge(better, Known([here, elsewhere], 3)).supersedes == here


@given(st.lists(st.integers(0, 9), min_size=1, max_size=8))
@dose(100)
def test_whatever_the_order_of_attempts_the_largest_counts_once(counts: list[int]) -> None:
    attempts = [
        Submission("", str(position), "x", "w", {"a": count}, b"", NOW, ()) for position, count in enumerate(counts)
    ]
    verdicts = judge_all(attempts, Known([], 1))
    superseded = {one.supersedes.number for one in verdicts if one.supersedes is not None}
    counted = [
        submission.counts["a"]
        for submission, verdict in zip(attempts, verdicts, strict=True)
        if verdict.held.state is State.COUNTED and verdict.held.number not in superseded
    ]
    assert counted == [max(counts)]


@pytest.mark.parametrize(("counters", "is_compared"), [(1000, True), (1001, False)])
def test_a_report_with_more_counters_than_any_engine_has_is_compared_with_none(
    counters: int, is_compared: bool
) -> None:
    first, second = (
        Submission("", f"{count}", "x", "w", {f"{n}": count for n in range(counters)} | {"none": 0}, b"", NOW, ())
        for count in (1, 2)
    )
    verdicts = judge_all([first, second], Known([], 1))
    assert [one.ruling for one in verdicts] == [Ruling.STORED] * 2
    assert (verdicts[1].supersedes is not None) == is_compared


def test_a_counter_that_is_missing_is_0() -> None:
    assert covers({}, {"a": 0})
    assert not covers({}, {"a": 1})
    assert covers({"a": 1, "b": 1}, {"a": 1})


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        ("2026-11-23T23:00:08.920+0000", "2026-11-23T23:00:08.920Z"),
        ("2026-11-23T23:00:08.920+00:00", "2026-11-23T23:00:08.920Z"),
        ("2026-11-24T00:00:08.920+0100", "2026-11-23T23:00:08.920Z"),
        ("2026-11-23T23:00:08Z", "2026-11-23T23:00:08.000Z"),
        ("2026-11-23T23:00:08.9Z", "2026-11-23T23:00:08.900Z"),
        ("Nov 23, 2026, 11:00:08 PM", "2026-11-23T23:00:08"),
        ("Nov 23, 2026 11:00:08 PM", "2026-11-23T23:00:08"),
        ("Nov 3, 2026, 12:00:08\u202fAM", "2026-11-03T00:00:08"),
        ("Nov 3, 2026, 12:00:08 PM", "2026-11-03T12:00:08"),
        ("Foo 3, 2026, 12:00:08 PM", None),
        ("Feb 30, 2026, 12:00:08 PM", None),
        ("Nov 6, 0898, 1:00:08 PM", "0898-11-06T13:00:08"),
        ("0898-11-06T13:00:08Z", "0898-11-06T13:00:08.000Z"),
        ("2026-11-23", None),
        ("0001-01-01T00:00:00+2359", None),
        ("", None),
    ],
)
def test_a_start_has_one_spelling(start: str, expected: str | None) -> None:
    assert window(start) == expected
