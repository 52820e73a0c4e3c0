"""Commands live in each node's memory: a node's life is known by its start, or by its address where it says none."""

from __future__ import annotations

from collections.abc import Mapping

from telemetry_core import counting
from telemetry_core.model import Base, CommandsReading, Snapshot

T = 1_795_000_000_000
MINUTE = 60_000
NODE1, NODE2 = "http://node1:8080/engine-rest", "http://node2:8080/engine-rest"


def node(
    counts: Mapping[str, int], *, at: int = T + MINUTE, start: int | None = None, address: str = NODE1
) -> Snapshot:
    return Snapshot("orders", f"REST {address}", at, commands=CommandsReading(address, counts, start))


def counted(before: Base, *nodes: Snapshot) -> Mapping[str, int] | None:
    return counting.read(before, nodes).counts.commands


def test_a_known_life_goes_on_from_its_base() -> None:
    before = counting.begin([node({"A": 5}, at=T, start=T - 9)], T)
    assert counted(before, node({"A": 8, "B": 2}, start=T - 9)) == {"A": 3, "B": 2}


def test_the_start_date_names_a_life_whatever_address_answered() -> None:
    before = counting.begin([node({"A": 5}, at=T, start=T - 9)], T)
    assert counted(before, node({"A": 8}, start=T - 9, address=NODE2)) == {"A": 3}


def test_a_life_begun_after_the_consent_counts_from_0() -> None:
    before = counting.begin([node({"A": 5}, at=T, start=T - 9)], T)
    assert counted(before, node({"A": 2}, start=T + 1)) == {"A": 2}


def test_a_life_begun_before_the_consent_and_never_seen_is_only_a_base() -> None:
    before = counting.begin([node({"A": 5}, at=T, start=T - 9)], T)
    first = counting.read(before, [node({"A": 700}, start=T - 8, address=NODE2)])
    assert first.counts.commands == {"A": 0}
    assert counted(first.base, node({"A": 701}, at=T + 2 * MINUTE, start=T - 8, address=NODE2)) == {"A": 1}


def test_a_life_begun_in_the_millisecond_of_the_consent_is_only_a_base() -> None:
    assert counted(Base(T, T), node({"A": 4}, start=T)) == {"A": 0}


def test_a_clock_that_is_set_back_does_not_make_a_life_of_before_the_consent_count() -> None:
    before = counting.begin([node({"A": 5}, at=T, start=T - 9)], T)
    back = counting.read(before, [node({"A": 6}, at=T - 60 * MINUTE, start=T - 9)])
    assert back.counts.commands == {"A": 1}
    assert counted(back.base, node({"A": 700}, at=T - 59 * MINUTE, start=T - 8, address=NODE2)) == {"A": 0}


def test_a_clock_that_is_wrong_by_years_does_not_either_where_a_later_life_was_known() -> None:
    before = counting.begin([node({"A": 5}, at=T, start=T - 9)], T)
    reset = counting.read(before, [node({"A": 6}, at=1000, start=T - 9)])
    assert counted(reset.base, node({"A": 700}, start=T - 10, address=NODE2)) == {"A": 0}
    assert counted(reset.base, node({"A": 7}, start=T + 1)) == {"A": 7}


def test_a_consent_that_a_clock_years_ahead_has_dated_does_not_hide_lives_for_years() -> None:
    ahead = counting.begin([node({"A": 5}, at=2 * T, start=T - 9)], 2 * T)
    right = counting.read(ahead, [node({"A": 6}, at=T, start=T - 9)])
    assert counted(right.base, node({"A": 4}, start=T + 1)) == {"A": 4}


def test_the_nodes_of_a_cluster_are_added_up() -> None:
    before = counting.begin([node({"A": 5}, at=T, start=1), node({"A": 50}, at=T, start=2, address=NODE2)], T)
    after = [node({"A": 6}, start=1), node({"A": 53, "B": 1}, start=2, address=NODE2)]
    assert counted(before, *after) == {"A": 4, "B": 1}


def test_a_node_that_does_not_answer_keeps_its_base() -> None:
    before = counting.begin([node({"A": 5}, at=T, start=1), node({"A": 50}, at=T, start=2, address=NODE2)], T)
    without = counting.read(before, [node({"A": 6}, start=1)])
    assert counted(without.base, node({"A": 53}, at=T + 2 * MINUTE, start=2, address=NODE2)) == {"A": 3}


def test_one_node_under_two_addresses_counts_once() -> None:
    before = counting.begin([node({"A": 5}, at=T, start=1), node({"A": 5}, at=T, start=1, address=NODE2)], T)
    assert counted(before, node({"A": 9}, start=1), node({"A": 9}, start=1, address=NODE2)) == {"A": 4}


def test_counts_that_were_away_while_the_engines_own_reporter_tried_to_send_count_once() -> None:
    """7.19 to 7.21 zero them, keep the start date, and add them back when the request failed (facts §2.3)."""
    before = counting.begin([node({"A": 100}, at=T, start=1)], T)
    during = counting.read(before, [node({"A": 0}, start=1)])
    assert during.counts.commands == {"A": 0}
    assert counted(during.base, node({"A": 103}, at=T + 2 * MINUTE, start=1)) == {"A": 3}


def test_the_engines_own_report_begins_a_new_life_where_there_is_a_start_date() -> None:
    before = counting.begin([node({"A": 100}, at=T, start=1)], T)
    assert counted(before, node({"A": 2, "B": 0}, start=T + 5)) == {"A": 2, "B": 0}


def test_without_a_start_date_the_address_goes_on() -> None:
    before = counting.begin([node({"A": 5, "GetTelemetryDataCmd": 1}, at=T)], T)
    assert counted(before, node({"A": 8, "GetTelemetryDataCmd": 2})) == {"A": 3, "GetTelemetryDataCmd": 1}


def test_without_a_start_date_an_address_never_seen_is_only_a_base() -> None:
    before = counting.begin([node({"A": 5, "GetTelemetryDataCmd": 1}, at=T)], T)
    assert counted(before, node({"A": 90, "GetTelemetryDataCmd": 4}, address=NODE2)) == {
        "A": 0,
        "GetTelemetryDataCmd": 0,
    }


def test_commands_that_no_node_gave_are_missing_with_the_reason_and_keep_their_base() -> None:
    before = counting.begin([node({"A": 5}, at=T, start=1)], T)
    reading = counting.read(before, [Snapshot("orders", "REST x", T + MINUTE, problems={"commands": "no date"})])
    assert reading.counts.commands is None
    assert reading.problems["commands"] == "no date"
    assert counted(reading.base, node({"A": 6}, at=T + 2 * MINUTE, start=1)) == {"A": 1}


def test_commands_without_any_reason_are_missing_because_no_node_gave_them() -> None:
    reading = counting.read(Base(T, T), [Snapshot("orders", "REST x", T + MINUTE)])
    assert reading.problems["commands"] == "no node gave them"
