"""The collector's page over HTTP: the fleet, an installation, the quarantine and decisions about it."""

from __future__ import annotations

import json
import re

from tests.support.collecting import Collector, captured, exported
from tests.support.collector_page import PATHS, fleet, visiting, wait_until
from tests.support.page import Seen
from tests.support.program import Program


def test_without_a_token_file_there_is_no_page_and_a_hint(program: Program) -> None:
    program.config.touch()
    with Collector(program) as collector:
        answer = collector.ask("GET", "/")
        assert (answer.status, answer.headers["content-type"]) == (404, "application/problem+json")
        assert "set collector.token-file" in answer.json["detail"]
        assert [collector.ask("GET", path).status for path in ("/sign-in", "/quarantine", "/page/x/style.css")] == [
            404
        ] * 3
        assert collector.ask("POST", "/quarantine/decide", body=b"x").status == 404


def test_who_has_a_token_sees_the_fleet_with_the_last_counts_and_reports_over_time(collector: Collector) -> None:
    with visiting(collector) as visitor:
        fleet(visitor, lines=2)
        wait_until(lambda: "6 in the last 60 days (UTC), at most " in visitor.look("/").text)
        seen = visitor.look("/")
        rows = [" ".join(row.split()) for row in re.findall(r"<tr>(.*?)</tr>", seen.html, re.S)]
        mine = next(row for row in rows if 'id=a"' in row)
        assert re.sub(r"<[^>]+>", " ", mine).split()[-5:] == ["3", "42", "–", "–", "1"]
        assert "Camunda BPM Runtime 7.21.0" in mine
        assert "Reports that wait in quarantine for a decision: 2" in seen.text
        assert "set apart when they came: 2" in seen.text
        assert "<svg" in seen.html
        assert 'href="/installation?id=%3Cb' not in seen.html, "what is set apart makes no member of the fleet"
        for word in ("What cannot be told apart", "7.14 to 7.18", "started in the same second", "know no installation"):
            assert word in seen.text


def test_an_installation_is_shown_with_its_counts_and_how_each_report_is_known_again(collector: Collector) -> None:
    own = json.loads(captured("7.17.0", 1))["installation"]
    with visiting(collector) as visitor:
        fleet(visitor, lines=2)
        seen = visitor.look("/installation?id=a")
        assert "123 in all, at most 42 in one; reports: 3" in seen.text
        assert seen.text.count("its key") == 4
        assert "There is no release 7.99.0 of Camunda BPM Runtime." in seen.text
        assert "it may have been counted twice" in visitor.look(f"/installation?id={own}").text
        assert (none := visitor.look("/installation?id=nobody")).status == 400
        assert "No report of this installation was received." in none.text


def test_reports_in_quarantine_are_released_and_dropped_and_the_command_line_sees_it(collector: Collector) -> None:
    with visiting(collector) as visitor:
        seen = visitor.look("/quarantine")
        assert "Reports that wait for a decision: 2" in seen.text
        assert "process-instances counts 9223372036854775807, more than an engine can." in seen.text
        released = visitor.send("/quarantine/decide", "/quarantine", id="bad-release", decision="release")
        assert "The report bad-release counts now" in released.text
        dropped = visitor.send("/quarantine/decide", "/quarantine", id="bad-count", decision="drop")
        assert "The report bad-count is dropped: it never counts." in dropped.text
        assert "Nothing waits for a decision." in dropped.text
        again = visitor.post("/quarantine/decide", {"id": "bad-count", "decision": "drop"})
        assert again.status_code == 303
        assert "Nothing changed." in visitor.look("/quarantine").text
    states = {one["id"]: one["quarantined"] for one in exported(collector.program)}
    assert (states["bad-release"], states["bad-count"]) == (False, True)
    listed = collector.program("collector", "list", "--json").data["reports"]
    assert {one["id"]: one["decided-by"] for one in listed if one["reason"]} == {
        "bad-release": "token grace",
        "bad-count": "token grace",
    }


def test_a_decision_that_cannot_be_made_is_no_bug_and_says_why(collector: Collector) -> None:
    with visiting(collector) as visitor:
        for form, said in (
            ({"id": "a-0", "decision": "drop"}, "Report a-0 is not in quarantine."),
            ({"id": "nope", "decision": "release"}, "No stored report has the id 'nope'."),
            ({"id": "bad-count", "decision": "burn"}, "This is no form of this page."),
            ({"id": "a\x00b", "decision": "drop"}, "This is no form of this page."),
            ({}, "This is no form of this page."),
        ):
            answer = Seen(visitor.post("/quarantine/decide", form))
            assert (answer.status, said in answer.text) == (400, True), form
        assert "Reports that wait for a decision: 2" in visitor.look("/quarantine").text


def test_every_page_of_the_collector_is_german_where_the_browser_wants_it(collector: Collector) -> None:
    own = json.loads(captured("7.17.0", 1))["installation"]
    with visiting(collector, language="de") as visitor:
        fleet(visitor, lines=2)
        pages = [visitor.look(path) for path in (*PATHS, f"/installation?id={own}", "/installation?id=x")]
        pages.append(visitor.send("/quarantine/decide", "/quarantine", id="bad-release", decision="release"))
        pages.append(Seen(visitor.post("/quarantine/decide", {"id": "a-0", "decision": "drop"})))
        pages.append(Seen(visitor.client.post("/sign-in", data={"token": "wrong"})))
        for seen in pages:
            assert '<html lang="de">' in seen.html
            assert not seen.english, seen.english
    assert "wartet auf eine Entscheidung" not in pages[0].text
    assert "Berichte, die in der Quarantäne auf eine Entscheidung warten: 2" in pages[0].text
