"""The collector's page, attacked: who comes in, whose form it is, what is shown of what strangers send."""

from __future__ import annotations

import json
import re
import socket
from pathlib import Path

import pytest

from tests.support.collecting import Collector, report
from tests.support.collector_page import PATHS, TOKEN, fleet, let_in, line, visiting, wait_until
from tests.support.page import Visitor
from tests.support.program import Program


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
