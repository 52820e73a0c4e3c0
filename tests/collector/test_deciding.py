"""`collector list`, `release` and `drop` as the shell calls them, beside a running service; on both databases."""

from __future__ import annotations

import os
import pwd
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tests.cli.test_json import valid
from tests.support.collecting import Collector, exported, report
from tests.support.program import Program
from tests.test_completions import bash


def listed(program: Program, *arguments: str) -> list[dict[str, Any]]:
    done = program("collector", "list", "--json", *arguments)
    assert (done.status, done.errors) == (0, "")
    valid("collector list", done.json)
    reports: list[dict[str, Any]] = done.data["reports"]
    return reports


def decided(program: Program, what: str, *arguments: str) -> list[tuple[str, str, bool]]:
    done = program("collector", what, "--json", *arguments)
    assert (done.status, done.errors) == (0, "")
    valid(f"collector {what}", done.json)
    return [(one["id"], one["state"], one["changed"]) for one in done.data["reports"]]


def test_decisions_are_made_beside_a_running_service_and_twice_changes_nothing(ready: Program) -> None:
    with Collector(ready) as collector:
        for number in range(4):
            collector.send(report(installation="mine", version="7.99.0"), f"bad-{number}")
        collector.send(report(installation="mine"), "good")
        assert decided(ready, "release", "bad-0", "bad-1") == [
            ("bad-0", "counted", True),
            ("bad-1", "counted", True),
        ]
        assert decided(ready, "release", "bad-0") == [("bad-0", "counted", False)]
        assert decided(ready, "drop", "bad-2") == [("bad-2", "dropped", True)]
        assert decided(ready, "drop", "bad-2") == [("bad-2", "dropped", False)]
        assert decided(ready, "release", "bad-2") == [("bad-2", "counted", True)], "a mistake can be undone"
        assert decided(ready, "drop", "--installation", "mine") == [("bad-3", "dropped", True)]
        states = {one["id"]: one["quarantined"] for one in exported(ready)}
        assert states == {"bad-0": False, "bad-1": False, "bad-2": False, "bad-3": True, "good": False}
        again = collector.send(report(installation="mine", version="7.99.0"), "bad-3")
        assert (again.status, again.json["duplicate"]) == (202, True)
        other = collector.send(report(installation="mine", version="7.99.0", count=2), "bad-3")
        assert other.status == 409
        dropped = next(one for one in listed(ready) if one["id"] == "bad-3")
        user = pwd.getpwuid(os.geteuid()).pw_name
        assert (dropped["state"], dropped["reason"], dropped["decided-by"]) == ("dropped", "release-impossible", user)
        assert dropped["decided-at"] is not None
        assert collector.end() == 0
    assert collector.errors == b""


def test_reports_are_received_while_others_are_decided_about(ready: Program) -> None:
    with Collector(ready) as collector, ThreadPoolExecutor(4) as pool:
        for number in range(30):
            collector.send(report(installation="mine", version="7.99.0"), f"bad-{number}")
        sent = [pool.submit(collector.send, report(installation=f"of-{n}"), f"good-{n}") for n in range(200)]
        assert len(decided(ready, "release", "--installation", "mine")) == 30
        assert {one.result().status for one in sent} == {202}
    assert not any(one["quarantined"] for one in exported(ready))
    assert len(exported(ready)) == 230


def test_what_cannot_be_decided_says_the_next_step(program: Program) -> None:
    program.config.touch()
    nothing = program("collector", "drop", "x")
    assert (nothing.status, "`telemetry collector serve` makes it" in nothing.errors) == (8, True)
    assert listed(program) == []
    with Collector(program) as collector:
        collector.send(report(), "good")
        collector.send(report(version="7.99.0"), "bad")
    for words, status, said in (
        (("release",), 2, "Name their ids, as `telemetry collector list --quarantined` shows them."),
        (("release", "nope"), 2, "No stored report has the id 'nope'."),
        (("release", "good"), 2, "Report good is not in quarantine."),
        (("drop", "good", "bad"), 2, "Report good is not in quarantine."),
        (("list", "--last", "0"), 2, "--last"),
    ):
        done = program("collector", *words)
        assert (done.status, said in done.errors) == (status, True), (words, done.errors)
    assert [one["state"] for one in listed(program)] == ["dropped", "counted"], "the other one was done"
    half = program("collector", "release", "bad", "nope", "--json")
    assert (half.status, half.json["error"]["code"], half.data["reports"][0]["changed"]) == (2, "unknown-report", True)


def test_the_list_is_for_people_too_and_says_where_there_is_more(program: Program) -> None:
    program.config.touch()
    with Collector(program) as collector:
        for number in range(3):
            collector.send(report(installation="mine", version=f"7.9{number}.0"), f"bad-{number}")
    shown = program("collector", "list", "--last", "2")
    assert shown.status == 0
    assert "release-impossible" in shown.text
    assert "There is no release 7.92.0 of Camunda BPM Runtime." in shown.text
    assert "More than these 2" in shown.text
    assert program("collector", "list", "--last", "2", "--json").data["more"] is True
    assert program("collector", "list", "--installation", "other").text == "No report.\n"
    assert "Report bad-0 is dropped." in program("collector", "drop", "bad-0").text
    assert "Report bad-0 was already dropped." in program("collector", "drop", "bad-0").text


def test_ids_of_quarantined_reports_complete(program: Program) -> None:
    program.config.touch()
    with Collector(program) as collector:
        collector.send(report(version="7.99.0"), "bad-one")
        collector.send(report(), "good-one")
    assert bash(program, "telemetry collector release b") == {"bad-one"}
    assert bash(program, "telemetry collector drop g") == set()


def test_a_byte_that_is_no_utf_8_is_found_nowhere_and_said(ready: Program) -> None:
    with Collector(ready) as collector:
        collector.send(report(version="7.99.0"), "a?b")
    for words in (
        ("list", "--installation", "a\udcffb"),
        ("release", "--installation", "a\udcffb"),
        ("drop", "--installation", "a\udcffb"),
        ("release", "a\udcffb"),
        ("drop", "a?b", "a\udcffb"),
    ):
        done = ready("collector", *words)
        assert (done.status, done.errors.count("\n")) == (2, 1)
        assert "'a\\udcffb' is no text in UTF-8." in done.errors
    assert [one["state"] for one in listed(ready)] == ["quarantined"], "nothing is decided about the others then"
