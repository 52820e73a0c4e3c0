"""`telemetry_core.store.rows`: frozen types as text and back, and the digest of a row."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry_core.errors import StoreDamaged
from telemetry_core.model import Attempt, Contact, Counts, Decision, Ledger, Outcome, Product, Report, State
from telemetry_core.store import rows
from tests.support.clock import START
from tests.support.delivering import LEDGER, initial, periodic
from tests.support.dose import dose

DECISION = Decision(
    engine="orders",
    state=State.ENABLED,
    requests=True,
    decided_at=START,
    decided_by="admin",
    how="command",
    fields=("installation", "jdk"),
    endpoint="https://telemetry.example:443",
)


@dataclass(frozen=True)
class Small:
    b: int
    a: str


@pytest.mark.parametrize(
    "value",
    [
        DECISION,
        LEDGER,
        periodic(),
        initial(),
        Attempt(2, START, START + 5, Outcome.UNKNOWN, 503, "answered 503"),
        Attempt(1, START),
        Contact("orders", START, START - 1, "id", Product("Camunda", "7.24.0", "community"), own_reporter=True),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_is_written_is_what_is_read(value: object) -> None:
    assert rows.from_text(rows.to_text(value), type(value), "it") == value


def test_keys_are_sorted_so_that_the_same_value_gives_the_same_text() -> None:
    assert rows.to_text(Small(b=1, a="ü")) == '{"a":"ü","b":1}'


def test_unknown_counts_and_no_counts_are_told_apart() -> None:
    unknown = replace(LEDGER, accumulated=Counts(None, {}))
    assert rows.from_text(rows.to_text(unknown), Ledger, "it").accumulated == Counts(None, {})


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"a":"x"}', '{"a":1,"b":1}', '{"a":"x","b":"1"}', b"x", None])
def test_a_text_that_does_not_fit_its_type_is_damage(text: object) -> None:
    with pytest.raises(StoreDamaged, match="The store is damaged: the row is not as it was written"):
        rows.from_text(text, Small, "the row")


def test_a_word_that_no_state_has_is_damage() -> None:
    text = rows.to_text(periodic()).replace('"pending"', '"lost"')
    with pytest.raises(StoreDamaged):
        rows.from_text(text, Report, "the report")


def test_the_digest_of_a_row_stays_the_same_from_release_to_release() -> None:
    assert rows.digest() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    # SHA-256 of: NoneType:4:None int:1:1 str:3:'a' bytes:1:b, without the spaces
    assert rows.digest(None, 1, "a", b"b") == "80f655ccc76d57b48ed184f3b450514cc88728e566ec85f5a0613db946bdd62b"


def test_the_digest_tells_kinds_and_borders_of_values_apart() -> None:
    alike: list[tuple[object, ...]] = [
        ("1", "2"),
        ("12",),
        ("12", ""),
        ("", "12"),
        (12,),
        (b"12",),
        (1, 2),
        (None,),
        ("None",),
        (b"None",),
        ("'1''2'",),
        (),
        ("",),
        (b"",),
        (True,),
        (1,),
    ]
    assert len({rows.digest(*parts) for parts in alike}) == len(alike)


@given(st.lists(st.none() | st.integers() | st.text() | st.binary()), st.integers(min_value=0))
@dose(100)
def test_a_row_that_lost_or_changed_a_value_is_damage(parts: list[object], position: int) -> None:
    expected = rows.digest(*parts)
    rows.check(expected, "it", *parts)
    changed = [*parts[: position % (len(parts) + 1)], "another", *parts[position % (len(parts) + 1) + 1 :]]
    if changed != parts:
        with pytest.raises(StoreDamaged):
            rows.check(expected, "it", *changed)
