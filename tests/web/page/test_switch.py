"""The switch: everything that it is about stands before the click, and the record says what was seen."""

from __future__ import annotations

import json

import pytest

from telemetry_core.administration import legal_note
from tests.support.guarded_engine import GuardedEngine
from tests.support.page import Visitor, fields, pairs, words
from tests.support.program import Program
from tests.support.receiver import Receiver
from tests.support.simulated_engine import Answer
from tests.support.web_server import WebServer

ENABLE, DISABLE, STATE = "/engine/orders/enable", "/engine/orders/disable", "/engine/orders"


def signed_in(server: WebServer, language: str = "en") -> Visitor:
    visitor = Visitor(server, language=language)
    visitor.sign_in("ada", "ada-pw")
    return visitor


@pytest.mark.parametrize("language", ["en", "de"])
def test_note_fields_endpoint_initial_report_and_undo_stand_before_the_click_and_the_record_says_so(
    language: str, server: WebServer, ready: Program, receiver: Receiver
) -> None:
    with signed_in(server, language) as ada:
        page = words(ada.page(ENABLE))
        assert legal_note.TEXTS[language] in page
        for shown in (receiver.url, "product.internals.jdk", "telemetry preview --initial", "telemetry disable"):
            assert shown in page
        assert ready("consent", "--json").data["decisions"] == [], "to look decides nothing"
        answer = ada.submit(ENABLE, authorized_by="Grace Hopper", reason="audit 7")
        assert (answer.status_code, answer.headers["location"]) == (303, STATE)
        (decided,) = ready("consent", "--json").data["decisions"]
        assert (decided["decided-by"], decided["how"], decided["state"]) == ("ada", "page", "enabled")
        assert (decided["authorized-by"], decided["reason"]) == ("Grace Hopper", "audit 7")
        assert (decided["legal-note-shown"], decided["legal-note-sha256"]) == (True, legal_note.sha256_of(language))
    assert receiver.received == [], "the page sends nothing"


def test_what_was_counted_before_the_click_never_leaves_and_the_next_send_follows_the_switch(
    server: WebServer, ready: Program, guarded: GuardedEngine, receiver: Receiver
) -> None:
    guarded.start_process(7)
    with signed_in(server) as ada:
        ada.submit(ENABLE)
        assert "Telemetry is enabled." in words(ada.page(STATE))
        assert "Telemetry is enabled." not in words(ada.page(STATE)), "said once"
        guarded.start_process(3)
        assert ready("send").status == 0
        report = json.loads(receiver.received[-1].body)
        assert report["product"]["internals"]["metrics"]["process-instances"] == {"count": 3}
        ada.submit(DISABLE)
    sent = len(receiver.received)
    assert ready("send", "--force").status == 4
    assert len(receiver.received) == sent


def test_categories_that_are_not_ticked_are_withheld_until_they_are_and_single_fields_stay_withheld(
    server: WebServer, ready: Program
) -> None:
    assert ready("enable", "--yes", "--without", "jdk.vendor").status == 0
    with signed_in(server) as ada:
        ada.submit(ENABLE, license="")
        engine = ready("status", "--json").data["engines"][0]
        license_key = "product.internals.license-key"
        assert engine["withheld"] == ["product.internals.jdk.vendor", license_key]
        assert '"license" value="yes">' in ada.page(ENABLE), "not ticked any more"
        ada.submit(ENABLE, license="yes")
        assert ready("status", "--json").data["engines"][0]["withheld"] == ["product.internals.jdk.vendor"]
        assert ada.submit(ENABLE).status_code == 303
        assert "Nothing was changed: telemetry is enabled already" in words(ada.page(STATE))


def test_what_has_changed_between_the_form_and_the_click_is_shown_again_and_nothing_is_decided(
    server: WebServer, ready: Program, receiver: Receiver
) -> None:
    with signed_in(server) as ada:
        form = ada.page(ENABLE)
        other = "http://127.0.0.1:9/pings"
        ready.configure(ready.config.read_text().replace(receiver.url, other))
        answer = ada.client.post(ENABLE, data=fields(form))
        assert answer.status_code == 409
        assert "has changed since the page was opened" in words(answer.text)
        assert other in words(answer.text)
        assert ready("consent", "--json").data["decisions"] == []


def test_without_an_endpoint_the_form_says_what_is_missing(server: WebServer, ready: Program) -> None:
    ready.configure("".join(ready.config.read_text().splitlines(keepends=True)[1:]))
    with signed_in(server) as ada:
        answer = ada.get(ENABLE)
        assert answer.status_code == 500
        assert "Consent is given for an endpoint, and none is configured." in words(answer.text)
        assert "TELEMETRY_ENDPOINT" in words(answer.text)


def test_an_engine_that_does_not_answer_is_not_enabled(
    server: WebServer, ready: Program, guarded: GuardedEngine
) -> None:
    with signed_in(server) as ada:
        guarded.override["/telemetry/data"] = guarded.override["/version"] = (503, "text/plain", b"")
        assert ada.submit(ENABLE).status_code == 503
    assert ready("consent", "--json").data["decisions"] == []


def test_disabling_asks_nobody_and_can_forbid_the_initial_report_too(
    server: WebServer, ready: Program, guarded: GuardedEngine
) -> None:
    with signed_in(server) as ada:
        asked = len(guarded.requests)
        assert "at the next send" in words(ada.page(DISABLE)), "whatever it would have waited for"
        ada.submit(DISABLE, no_requests="yes", reason="no")
        assert len(guarded.requests) == asked
        assert "nothing leaves: requests decides" in words(ada.page(STATE))
        ada.submit(DISABLE, no_requests="yes")
        assert "Telemetry is disabled already." in words(ada.page(STATE))
    (decided,) = ready("consent", "--json").data["decisions"]
    assert (decided["state"], decided["requests"], decided["reason"], decided["how"]) == (
        "disabled", False, "no", "page",
    )  # fmt: skip


def test_the_page_has_the_words_of_the_command_line(server: WebServer, ready: Program) -> None:
    with signed_in(server) as ada:
        for change in (lambda: None, lambda: ada.submit(ENABLE), lambda: ada.submit(DISABLE)):
            change()
            page = pairs(ada.page(STATE))
            printed = [line.strip() for line in ready("status").text.splitlines()[1:]]
            assert [" ".join(pair).split() for pair in page] == [line.replace("`", "").split() for line in printed]


def test_who_disables_while_a_click_reads_the_engine_is_not_overridden_and_the_form_is_shown_again(
    server: WebServer, ready: Program, guarded: GuardedEngine
) -> None:
    def answer() -> Answer:
        del guarded.override["/telemetry/data"]
        assert ready("disable", "--no-requests").status == 0
        return guarded.answer("/engine-rest/telemetry/data")

    with signed_in(server) as ada:
        form = fields(ada.page(ENABLE))
        guarded.override["/telemetry/data"] = answer
        answered = ada.client.post(ENABLE, data=form)
        assert answered.status_code == 409
        assert "has changed since the page was opened" in words(answered.text)
        assert "forbade for orders" in words(answered.text), "what it would lift"
    (decided,) = ready("consent", "--json").data["decisions"]
    assert (decided["state"], decided["how"]) == ("disabled", "command")


@pytest.mark.parametrize("endpoint", [True, False])
def test_a_click_is_no_first_run_and_decides_for_its_engine_alone(
    endpoint: bool, server: WebServer, ready: Program, guarded: GuardedEngine
) -> None:
    lines = ready.config.read_text().splitlines(keepends=True)
    billing = f'[engines.billing]\nrest = "{guarded.rest}"\n'
    ready.configure("".join(["initialize-telemetry = true\n", *(lines if endpoint else lines[1:]), billing]))
    with Visitor(server) as ada:
        ada.sign_in("ada", "ada-pw", engine="orders")
        assert ada.submit(DISABLE).status_code == 303
    decided = ready("consent", "--json").data["decisions"]
    assert [(one["name"], one["state"], one["decided-by"]) for one in decided] == [("orders", "disabled", "ada")]


def test_before_disabling_the_form_says_when_the_initial_report_leaves_then(
    server: WebServer, ready: Program, receiver: Receiver
) -> None:
    assert ready("send").status == 0, "the first contact"
    with signed_in(server) as ada:
        said = dict(pairs(ada.page(DISABLE)))["initial report"]
        assert said.startswith("due at the next send"), said
        assert "due 20" in dict(pairs(ada.page(STATE)))["initial report"]
        ada.submit(DISABLE)
        assert dict(pairs(ada.page(STATE)))["initial report"] == said
    assert ready("send").status == 0
    assert len(receiver.received) == 1
