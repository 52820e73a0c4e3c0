"""Texts from outside: names that an engine reports, answers of a receiver, users and licences, with markup in them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest

from tests.support.guarded_engine import GuardedEngine, User
from tests.support.page import Visitor, words
from tests.support.program import Program
from tests.support.receiver import Receiver, Reply
from tests.support.web_server import WebServer

ORDERS = "/engine/orders"
MARKUP = """<script>alert(1)</script>"'><img src=x onerror=alert(1)>{{7*7}}</title></pre></td>`<b>b</b>`"""
CONTROL = "a\u202eb\u2066c\u200fd\u0007e\u009bf\u2028g\x1b[31mh\ufeffi"
EVIL = MARKUP + CONTROL
PARTS = ("", "/preview", "/preview?kind=initial", "/sources", "/history", "/usage", "/consent", "/license", "/enable")


@pytest.fixture
def evil(guarded: GuardedEngine) -> GuardedEngine:
    """An engine of which every name is an attack."""
    guarded.data["product"]["name"] = EVIL
    internals = guarded.data["product"]["internals"]
    for part in ("database", "jdk", "application-server"):
        internals[part] = {"vendor": f"{part}{EVIL}", "version": EVIL}
    internals["webapps"] = [EVIL]
    internals["camunda-integration"] = [EVIL]
    guarded.commands[f"Cmd{EVIL}"] += 10_000
    guarded.users[f"eve{MARKUP}"] = User("eve-pw", groups=("camunda-admin",))
    return guarded


@pytest.fixture
def eve(server: WebServer, evil: GuardedEngine) -> Iterator[Visitor]:  # the engine is there first
    """An administrator whose name is an attack."""
    with Visitor(server) as visitor:
        assert visitor.sign_in(f"eve{MARKUP}", "eve-pw").status_code == 303
        yield visitor


def assert_harmless(page: str) -> None:
    """Nothing that came from outside is markup, and nothing turns the direction of a line or is not printable."""
    assert not re.search(r"<(script|img|b|pre[^ >])\b", page.replace("<pre tabindex", ""))
    assert page.count("<title>") <= 1 + page.count("<rect")
    found = sorted({hex(ord(one)) for one in page if not (one.isprintable() or one in "\n\t\xa0")})
    assert found == []
    assert "49</" not in page, "a template within a text is none"


def test_names_that_an_engine_reports_are_text_on_every_page(
    eve: Visitor, ready: Program, evil: GuardedEngine, receiver: Receiver
) -> None:
    receiver.answer = lambda _: Reply(202, body=EVIL.encode())
    assert eve.submit(f"{ORDERS}/enable", authorized_by=EVIL, reason=EVIL).status_code == 303
    for _ in range(2):
        evil.commands[f"Cmd{EVIL}"] += 10_000
        evil.start_process(1)
        assert ready("send", "--force").status == 0
    reports = [one["id"] for one in ready("history", "--json").data["reports"]]
    seen = ""
    for path in ("/", *(ORDERS + part for part in PARTS), *(f"{ORDERS}/history/{one}" for one in reports)):
        page = eve.page(path)
        assert_harmless(page)
        seen += words(page)
    for shown in ("eve<script>alert(1)", "database<script>", "Cmd<script>", "a\ufffdb\ufffdc", "{{7*7}}"):
        assert shown in seen, "it is shown, as text"
    body = json.loads(receiver.received[-1].body)
    assert body["product"]["internals"]["jdk"]["version"] == EVIL, "the bytes are as the engine said them"
    assert json.loads(eve.get(f"{ORDERS}/history/{reports[0]}/body").content) == body


def test_what_a_receiver_answers_is_text(server: WebServer, ready: Program, receiver: Receiver) -> None:
    receiver.answer = lambda _: Reply(400, body=EVIL.encode(), headers={"Content-Type": "text/html"})
    ready("enable", "--yes")
    assert ready("send").status != 0
    with Visitor(server) as ada:
        ada.sign_in("ada", "ada-pw")
        for report in ready("history", "--json").data["reports"]:
            page = ada.page(f"{ORDERS}/history/{report['id']}")
            assert_harmless(page)
            assert "alert(1)" in page


def test_an_engine_that_answers_with_markup_is_quoted_as_text(server: WebServer, guarded: GuardedEngine) -> None:
    with Visitor(server) as ada:
        ada.sign_in("ada", "ada-pw")
        for kind in ("text/html", "application/json"):
            error = json.dumps({"type": EVIL, "message": EVIL}).encode()
            guarded.override["/telemetry/data"] = (500, kind, error if kind.endswith("json") else EVIL.encode())
            for part in ("/preview", "/sources"):
                answer = ada.get(ORDERS + part)
                assert answer.status_code in (200, 503)
                assert_harmless(answer.text)


@pytest.mark.parametrize("text", ['"\\ud800"', '"\\u0000"', '"\\u202e"', '"\\udfff\\ud800"'])
def test_a_text_that_cannot_be_written_is_no_bug(text: str, server: WebServer, guarded: GuardedEngine) -> None:
    whole = json.dumps(guarded.data).replace('"H2"', text)
    guarded.override["/telemetry/data"] = (200, "application/json", whole.encode())
    with Visitor(server) as ada:
        ada.sign_in("ada", "ada-pw")
        for part in ("/preview", "/sources"):
            answer = ada.get(ORDERS + part)
            assert answer.status_code in (200, 503)
            assert "Something unexpected" not in answer.text
            assert_harmless(answer.text)


@pytest.mark.parametrize("language", ["en", "de"])
def test_what_was_typed_at_the_sign_in_comes_back_as_text_and_the_password_not_at_all(
    language: str, server: WebServer
) -> None:
    with Visitor(server, language=language) as visitor:
        answer = visitor.sign_in(EVIL, "canary-pw")
        assert answer.status_code == 403
        assert_harmless(answer.text)
        assert "canary-pw" not in answer.text
        looked = visitor.client.get("/sign-in", params={"engine": EVIL, "user": EVIL, "notice": "evil-notice"})
        assert_harmless(looked.text)
        assert "evil-notice" not in looked.text


def test_a_licence_is_text(eve: Visitor) -> None:
    key = f"MEUCIQDlicencesignature1111111111;customer={MARKUP.replace(';', '')};expiryDate=2030-12-31;x=true"
    answer = eve.post(f"{ORDERS}/license/set", {"key": key})
    assert_harmless(answer.text)
    assert_harmless(eve.page(f"{ORDERS}/license"))


def test_a_path_that_is_none_comes_back_in_no_page(server: WebServer) -> None:
    for path in ("/%3Cscript%3E", "/engine/%3Cscript%3E/%E2%80%AE", "/engine/orders/%3Cscript%3E"):
        answer = server.as_nobody().get(path)
        assert_harmless(answer.body.decode())
        assert "script" not in answer.body.decode() + str(answer.headers)
