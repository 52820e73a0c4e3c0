"""The collector's page over HTTP: who comes in, what it shows, decisions, and what an attacker would try."""

from __future__ import annotations

import hashlib
import json
import re
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.collecting import Collector, captured, exported, report
from tests.support.page import Seen, Visitor
from tests.support.program import Program

TOKEN = "token-of-grace-0123456789abcdef"
PATHS = ("/", "/installation?id=a", "/quarantine", "/sign-in", "/nothing")


def let_in(program: Program, *lines: str, more: str = "") -> None:
    """A configuration with tokens: lines as they stand in the file."""
    file = program.directory / "tokens"
    file.write_text("\n".join(lines or (line(),)) + "\n", encoding="utf-8")
    file.chmod(0o600)
    program.configure(f'[collector]\ntoken-file = "tokens"\n{more}')


def line(name: str = "grace", token: str = TOKEN, *entries: str) -> str:
    return " ".join([f"{name}: {hashlib.sha256(token.encode()).hexdigest()}", *entries])


@contextmanager
def visiting(collector: Collector, token: str = TOKEN, language: str = "en") -> Iterator[Visitor]:
    with Visitor(collector, language=language) as visitor:
        visitor.client.post("/sign-in", data={"token": token})
        yield visitor


@pytest.fixture
def collector(ready: Program) -> Iterator[Collector]:
    """With three reports of an installation, one of another, and some in quarantine."""
    let_in(ready)
    with Collector(ready) as running:
        for number in range(3):
            running.send(report(installation="a", count=number + 40), f"a-{number}")
        running.send(captured("7.17.0", 1))
        running.send(report(installation="a", version="7.99.0"), "bad-release")
        running.send(report(installation="<b>c", count=2**63 - 1), "bad-count")
        yield running
        assert running.end() == 0
        assert running.errors == b"", "nothing that a request did is an error of the service"


def fleet(visitor: Visitor, *, lines: int) -> Seen:
    """The first page, once the fleet has so many installations: it is followed every second."""
    wait_until(lambda: visitor.look("/").html.count('<th scope="row">') >= lines)
    return visitor.look("/")


def wait_until(is_so: Callable[[], bool]) -> None:
    limit = time.monotonic() + 20
    while not is_so():
        assert time.monotonic() < limit
        time.sleep(0.2)


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
        assert "123 in 3 reports, at most 42 in one" in seen.text
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


def test_nobody_gets_into_the_collector_without_a_token_of_its_file(ready: Program) -> None:
    let_in(ready, "# tokens", line(), line("other", "limited", "orders"), line("own", "for-it", "collector"))
    with Collector(ready) as collector:
        for token, status in ((TOKEN, 303), ("for-it", 303), ("limited", 403), ("wrong", 403), ("", 403), ("\0", 403)):
            with Visitor(collector) as visitor:
                assert visitor.client.post("/sign-in", data={"token": token}).status_code == status, token
                assert visitor.get("/").status_code == (200 if status == 303 else 303)
                assert token == "" or token not in visitor.look("/sign-in").html
        with Visitor(collector) as visitor:
            for path in ("/", "/installation?id=a", "/quarantine"):
                assert (visitor.get(path).status_code, visitor.get(path).headers["location"]) == (303, "/sign-in")
            assert visitor.client.post("/quarantine/decide", data={"id": "x", "decision": "drop"}).status_code == 403


def test_after_five_wrong_tokens_an_address_waits_and_no_other(ready: Program) -> None:
    let_in(ready)

    def attempt(token: str, source: str = "127.0.0.1") -> tuple[int, str | None]:
        answer = running.ask(
            "POST",
            "/sign-in",
            body=f"token={token}".encode(),
            source=source,
            Content_Type="application/x-www-form-urlencoded",
            Sec_Fetch_Site="same-origin",
        )
        return answer.status, answer.headers.get("retry-after")

    with Collector(ready) as running:
        assert [attempt("wrong")[0] for _ in range(5)] == [403] * 5
        status, wait = attempt(TOKEN)
        assert (status, 0 < int(wait or 0) <= 60) == (429, True)
        assert attempt(TOKEN, "127.0.0.2")[0] == 303
        assert running.send(report()).status == 202


def test_a_token_that_is_taken_out_of_the_file_ends_its_sessions_at_once(ready: Program) -> None:
    let_in(ready, line(), line("second", "second"))
    with Collector(ready) as collector, visiting(collector) as visitor, visiting(collector, "second") as second:
        assert (visitor.get("/").status_code, second.get("/").status_code) == (200, 200)
        let_in(ready, line("second", "second"))
        assert (visitor.get("/").status_code, second.get("/").status_code) == (303, 200)
        let_in(ready, line(), line("second", "second"))
        assert visitor.get("/").status_code == 303, "and it does not come back"


def test_a_form_of_another_site_or_without_the_sessions_token_decides_nothing(collector: Collector) -> None:
    form = {"id": "bad-count", "decision": "release"}
    with visiting(collector) as visitor, visiting(collector) as other:
        own = visitor.look("/quarantine").fields["form-token"]
        foreign = other.look("/quarantine").fields["form-token"]
        for sent in (form, {**form, "form-token": foreign}, {**form, "form-token": ""}):
            assert visitor.client.post("/quarantine/decide", data=sent).status_code == 403
        for site in ("cross-site", "same-site", "none"):
            answer = visitor.client.post(
                "/quarantine/decide", data={**form, "form-token": own}, headers={"Sec-Fetch-Site": site}
            )
            assert answer.status_code == 403
        assert visitor.get(f"/quarantine/decide?id=bad-count&decision=release&form-token={own}").status_code == 405
        assert visitor.client.post("/sign-out", data={"x": "y"}).status_code == 403
        assert visitor.client.post("/sign-out", data={"form-token": own}).headers["location"] == "/sign-in"
        assert visitor.get("/").status_code == 303
    listed = collector.program("collector", "list", "--quarantined", "--json").data["reports"]
    assert {one["id"] for one in listed} == {"bad-count", "bad-release"}


def test_the_collectors_cookie_is_its_own_and_no_script_and_no_other_sites_request_has_it(ready: Program) -> None:
    let_in(ready)
    with Collector(ready) as collector, Visitor(collector) as visitor:
        cookie = visitor.client.post("/sign-in", data={"token": TOKEN}).headers["set-cookie"]
        assert re.fullmatch(r"telemetry-collector=[\w-]{43}; HttpOnly; Path=/; SameSite=strict", cookie)
        proxied = visitor.client.post("/sign-in", data={"token": TOKEN}, headers={"X-Forwarded-Proto": "https"})
        assert proxied.headers["set-cookie"].startswith("__Host-telemetry-collector=")
        assert "Secure" in proxied.headers["set-cookie"]


def test_a_session_of_the_collector_is_good_from_the_address_and_in_the_browser_of_the_sign_in_alone(
    ready: Program,
) -> None:
    let_in(ready, more='proxies = ["127.0.0.1"]\n')
    with Collector(ready) as collector, Visitor(collector) as visitor:
        visitor.client.headers["X-Forwarded-For"] = "203.0.113.7"
        visitor.client.post("/sign-in", data={"token": TOKEN})
        assert visitor.get("/").status_code == 200
        assert visitor.client.get("/", headers={"X-Forwarded-For": "203.0.113.8"}).status_code == 303
        assert visitor.client.get("/", headers={"User-Agent": "other"}).status_code == 303
        assert visitor.get("/").status_code == 200


def test_every_answer_of_the_collectors_page_forbids_frames_scripts_other_hosts_and_caches(
    collector: Collector,
) -> None:
    with visiting(collector) as visitor:
        answers = [visitor.get(path) for path in PATHS]
        answers += [visitor.client.put("/"), visitor.client.post("/sign-out", data={"x": "y"})]
        answers += [
            visitor.client.post("/sign-in", content=b"x"),
            visitor.client.post("/sign-in", content=b"x" * 70_000),
        ]
        assert [one.status_code for one in answers] == [200, 200, 200, 200, 404, 405, 403, 400, 413]
        for answer in answers:
            assert "default-src 'none'" in answer.headers["content-security-policy"]
            assert answer.headers["x-frame-options"] == "DENY"
            assert answer.headers["cache-control"] == "no-store"
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert "<script" not in answer.text
            assert not re.findall(r"(?:href|src|action)=\"(?!/|#|\?)", answer.text)


def test_what_a_report_says_is_text_on_every_page_of_the_collector(ready: Program) -> None:
    let_in(ready)
    evil = "<script>alert(1)</script>{{ 7*7 }}\u202e"
    with Collector(ready) as collector, visiting(collector) as visitor:
        tree = json.loads(report(installation="<i>\"'&"))
        collector.send(json.dumps(tree).encode(), "<b>key")
        tree["product"] |= {"name": evil, "version": evil}
        collector.send(json.dumps(tree).encode(), "<b>key-2")
        fleet(visitor, lines=1)
        visitor.send("/quarantine/decide", "/quarantine", id="<b>key-2", decision="release")
        for path in ("/", "/quarantine", "/installation?id=%3Ci%3E%22'%26"):
            seen = visitor.look(path)
            assert seen.status == 200
            assert "<script" not in seen.html
            assert "<b>" not in seen.html
            assert "<i>" not in seen.html
            assert "\u202e" not in seen.html
            assert "49" not in re.findall(r"alert\(1\).{0,40}", seen.text)
        wait_until(lambda: "alert(1)" in visitor.look("/").text)
        assert "<i>\"'&" in visitor.look("/").text


def test_large_and_slow_forms_are_refused(collector: Collector) -> None:
    with socket.create_connection(("127.0.0.1", collector.port)) as connection:
        connection.settimeout(30)
        connection.sendall(b"POST /sign-in HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\ntoken=")
        assert connection.recv(65536).startswith(b"HTTP/1.1 408")
    with Visitor(collector) as visitor:
        chunked = visitor.client.post("/sign-in", content=iter([b"token=" + b"x" * 1024] * 80))
        assert chunked.status_code == 413


@pytest.mark.parametrize(
    ("more", "mode", "status", "said"),
    [
        ('listen = "0.0.0.0"\n', 0o600, 3, "Tokens of the page would come to 0.0.0.0 in plain HTTP."),
        ("", 0o644, 3, "tokens"),
    ],
)
def test_a_page_that_would_tell_its_tokens_is_none(
    more: str, mode: int, status: int, said: str, program: Program
) -> None:
    let_in(program, more=more)
    (program.directory / "tokens").chmod(mode)
    refused = program("collector", "serve", "--port", "1")
    assert (refused.status, said in refused.errors, "hint" in refused.errors) == (status, True, False)


def test_a_token_file_that_breaks_while_it_runs_lets_nobody_in_and_reports_are_received(ready: Program) -> None:
    let_in(ready)
    with Collector(ready) as collector, visiting(collector) as visitor:
        assert visitor.get("/").status_code == 200
        Path(ready.directory / "tokens").write_text("nonsense\n")
        seen = visitor.look("/")
        assert (seen.status, "nonsense" in seen.text, "tokens" in seen.text) == (500, False, False)
        assert visitor.client.post("/sign-in", data={"token": TOKEN}).status_code == 500
        assert collector.send(report()).status == 202
        let_in(ready)
        assert visitor.get("/").status_code == 200
