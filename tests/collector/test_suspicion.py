"""What makes a report suspicious: each rule at both sides of its threshold, and what a normal fleet does."""

from __future__ import annotations

import json

import pytest

from telemetry_collector import report as reports
from telemetry_collector import suspicion
from telemetry_collector.model import Facts, History
from telemetry_collector.report import METRICS
from telemetry_collector.suspicion import COMMANDS, LEAP_FACTOR, MOST, OTHERS, SETTLED, USUAL, USUAL_COMMANDS
from telemetry_core.model import HOUR, MINUTE
from tests.support.collecting import captured, report

NOW = 1_795_000_000_000  # 2026-11-18T11:06:40Z
DAY = 24 * HOUR
CAMUNDA = "Camunda BPM Runtime"


def facts(body: bytes) -> Facts:
    read = reports.DECODER.decode(body)
    return suspicion.facts(read, reports.window(read.start) or "")


def code(about: Facts, history: History = suspicion.NO_HISTORY, *, is_flooding: bool = False) -> str:
    return suspicion.reason(about, NOW, history, is_flooding=is_flooding).partition(":")[0]


def history(number: int = SETTLED, *, days_ago: float = 1, **peaks: float) -> History:
    names = {name.replace("_", "-"): peak for name, peak in peaks.items()}
    return History(number, NOW - int(days_ago * DAY), names)


@pytest.mark.parametrize(
    ("product", "version", "expected"),
    [
        (CAMUNDA, "7.14.0", ""),
        (CAMUNDA, "7.11.19", ""),
        (CAMUNDA, "7.24.5-ee", ""),
        (CAMUNDA, "7.14.0-alpha1", ""),
        (CAMUNDA, "7.21.0-SNAPSHOT", ""),
        (CAMUNDA, "7.30", ""),
        (CAMUNDA, "", ""),  # 7.14 may not know it
        (CAMUNDA, "7.22.0-cibseven", ""),
        (CAMUNDA, "1.1.3", ""),  # CIB seven's
        (CAMUNDA, "7.31.0", "release-impossible"),
        (CAMUNDA, "7.99.0", "release-impossible"),
        (CAMUNDA, "7.140.0", "release-impossible"),
        (CAMUNDA, "7.10.0", "release-impossible"),
        (CAMUNDA, "6.3.0", "release-impossible"),
        (CAMUNDA, "8.5.0", "release-impossible"),
        (CAMUNDA, "=1+1", "release-impossible"),
        ("Operaton BPM Runtime", "1.0.3", ""),
        ("Operaton BPM Runtime", "2.2.0-M3", ""),
        ("Operaton BPM Runtime", "0.1", "release-impossible"),
        ("CIB seven", "2.2.0", ""),
        ("CIB seven", "20.0", "release-impossible"),
        ("camunda bpm runtime", "7.21.0", "product-unknown"),
        ("Zeebe", "8.5.0", "product-unknown"),
        ("", "", "product-unknown"),
    ],
)
def test_a_release_that_there_is_not_is_suspicious(product: str, version: str, expected: str) -> None:
    assert code(Facts(product, version)) == expected


def test_what_somebody_has_released_once_is_believed_of_that_installation() -> None:
    known = History(9, NOW, {}, frozenset({("Eximee", "1.0"), (CAMUNDA, "7.99.0")}))
    assert code(Facts("Eximee", "1.0"), known) == ""
    assert code(Facts(CAMUNDA, "7.99.0"), known) == ""
    assert code(Facts("Eximee", "2.0"), known) == "product-unknown"


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        ("2026-11-18T11:06:40.000Z", ""),
        ("2026-11-18T12:06:40.000Z", ""),  # a clock that is an hour ahead
        ("2026-11-18T12:06:40.001Z", "window-in-future"),
        ("2026-11-18T14:06:40.001+0200", "window-in-future"),
        ("2999-01-01T00:00:00.000Z", "window-in-future"),
        ("1970-01-01T00:00:00.000Z", ""),
        ("Nov 19, 2026, 1:06:40 AM", ""),  # an engine in Kiribati
        ("Nov 19, 2026, 2:06:40 AM", ""),
        ("Nov 19, 2026, 2:06:41 AM", "window-in-future"),
        ("23 нояб. 2999 г.", ""),
        ("9999-12-31T23:59:59.999Z", "window-in-future"),
        ("0001-01-01T00:00:00Z", ""),
    ],
)
def test_a_window_in_the_future_is_suspicious(start: str, expected: str) -> None:
    assert code(facts(report(start=start))) == expected


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        ("9999-12-31T23:59:59-14:00", "window-in-future"),
        ("9999-12-31T23:59:59.999999-00:01", "window-in-future"),
        ("0001-01-01T00:00:00+14:00", ""),
        ("0001-01-01T00:00:00+23:59", ""),
    ],
)
def test_a_window_beyond_the_calendar_is_judged_as_one_at_its_end(start: str, expected: str) -> None:
    assert reports.window(start) is None, "so that what was said stays the window"
    about = suspicion.facts(reports.DECODER.decode(report(start=start)), start)
    assert code(about) == expected


def test_the_first_reports_of_an_installation_are_no_leap_and_a_count_that_no_engine_has_is_one_of_any() -> None:
    large = Facts(CAMUNDA, "7.21.0", large={"process-instances": MOST})
    assert code(large) == ""
    assert code(large, history(SETTLED - 1)) == ""
    assert code(large, history(SETTLED)) == "counts-leap"
    assert code(Facts(CAMUNDA, "7.21.0", large={"process-instances": MOST + 1})) == "count-impossible"


@pytest.mark.parametrize(
    ("count", "days_ago", "peak", "expected"),
    [
        (100_000, 1, 0, ""),  # a test engine that goes into production
        (100_001, 1, 0, "counts-leap"),
        (100_001, 0.001, 0, "counts-leap"),
        (210_000, 21, 0, ""),  # three weeks offline
        (2_100_000, 21, 0, ""),
        (2_100_001, 21, 0, "counts-leap"),
        (3_000_000, 300, 0, ""),  # ten months offline
        (3_000_001, 300, 0, "counts-leap"),
        (500_000, 1, 50_000, ""),  # a campaign
        (500_001, 1, 50_000, "counts-leap"),
        (10**9, 1, 10**8, ""),
    ],
)
def test_a_leap_is_judged_by_the_installations_own_days(count: int, days_ago: float, peak: int, expected: str) -> None:
    peaks = {"process-instances": float(peak)} if peak else {}
    before = History(9, NOW - int(days_ago * DAY), peaks)
    assert code(facts(report(count=count)), before) == expected


def test_a_node_that_was_offline_while_another_one_reported_has_its_window_for_a_witness() -> None:
    assert code(facts(report(count=2_000_000)), history(days_ago=0.5)) == "counts-leap"
    offline = facts(report(count=2_000_000, start="2026-10-28T11:06:40.000Z"))
    assert code(offline, history(days_ago=0.5)) == ""
    forged = facts(report(count=3_000_001, start="1970-01-01T00:00:00.000Z"))
    assert code(forged, history(days_ago=0.5)) == "counts-leap", "a window is believed for a month at most"


def test_each_metric_is_compared_with_itself_and_all_commands_and_unknown_metrics_with_theirs() -> None:
    tree = json.loads(report(count=7))
    internals = tree["product"]["internals"]
    internals["metrics"] |= {"new": {"count": 60_000}, "newer": {"count": 60_000}}
    internals["commands"] = {"A": {"count": 600_000}, "B": {"count": 600_000}}
    about = facts(json.dumps(tree).encode())
    assert about.large == {OTHERS: 120_000, COMMANDS: 1_200_000}
    assert suspicion.calls_for_history(about)
    assert code(about, history()) == "counts-leap"
    assert code(about, history(other_metrics=12_000, commands=120_000)) == ""


def test_a_flood_is_suspicious() -> None:
    assert code(Facts(CAMUNDA, "7.21.0"), is_flooding=True) == "flood"


@pytest.mark.parametrize(("release", "count"), [("7.14.0", 3), ("7.17.0", 2)])
def test_what_real_engines_sent_is_not_suspicious_and_needs_no_history(release: str, count: int) -> None:
    for number in range(1, count + 1):
        about = facts(captured(release, number))
        assert code(about, history()) == ""
        assert not suspicion.calls_for_history(about), "so nothing is looked up for nearly all reports"


def test_days_are_those_since_the_begin_or_since_the_last_report_at_least_one_and_a_month_at_most() -> None:
    assert suspicion.days(None, NOW - 5 * MINUTE, NOW) == 1
    assert suspicion.days(None, NOW - 3 * DAY, NOW) == 3
    assert suspicion.days(NOW - 9 * DAY, NOW - 3 * DAY, NOW) == 9
    assert suspicion.days(NOW - 2 * DAY, NOW - 3 * DAY, NOW) == 3
    assert suspicion.days(None, 0, NOW) == suspicion.LONGEST
    assert suspicion.days(None, NOW + DAY, NOW) == 1


def test_a_reason_is_a_word_and_a_printable_sentence_however_long_and_strange_a_name_is() -> None:
    for name in ("x" * 255, "a\u202eb\x00c\nd", "\U0001f600"):
        said = suspicion.reason(Facts(name, ""), NOW, suspicion.NO_HISTORY, is_flooding=False)
        assert said.isprintable()
        assert len(said) < 120
    said = suspicion.fall({"a": 1}, {"a": 2, "b": 0}, "2026-11-23T23:00:08")
    assert said == "counts-fall: a counts 1, less than the 2 of an earlier report since 2026-11-23T23:00:08."


def test_every_threshold_and_every_word_is_in_the_documentation() -> None:
    from pathlib import Path

    text = (Path(__file__).parents[2] / "docs" / "collector.md").read_text(encoding="utf-8")
    for word in ("product-unknown", "release-impossible", "window-in-future", "count-impossible", "counts-leap",
                 "counts-fall", "flood"):  # fmt: skip
        assert f"| `{word}` |" in text
    for number in (suspicion.OLDEST_MINOR, suspicion.NEWEST_MINOR, LEAP_FACTOR, suspicion.LONGEST, SETTLED):
        assert str(number) in text
    for count in (USUAL, USUAL_COMMANDS, suspicion.FLOOD_BURST, int(suspicion.FLOOD_RATE * 3600)):
        assert f"{count:,}" in text
    assert "10¹²" in text
    assert MOST == 10**12
    assert set(METRICS)
