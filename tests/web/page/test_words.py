"""What the pages say is what is so: before the first run, of what is left out, of what waits, of a damaged store."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.page import Visitor, pairs, words
from tests.support.program import Program
from tests.support.receiver import Receiver, Reply
from tests.support.web_server import WebServer

STATE, PREVIEW = "/engine/orders", "/engine/orders/preview"


@pytest.fixture
def german(server: WebServer) -> Iterator[Visitor]:
    """The same in German."""
    with Visitor(server, language="de") as visitor:
        visitor.sign_in("ada", "ada-pw")
        yield visitor


def test_before_the_first_run_all_pages_say_as_the_command_that_nothing_was_decided(
    ada: Visitor, german: Visitor, ready: Program
) -> None:
    ready.configure(f"initialize-telemetry = true\n{ready.config.read_text()}")
    assert ready("status", "--json").data["engines"][0]["state"] == "not-configured"
    planned = "first run: telemetry will be enabled (initialize-telemetry)"
    assert f"orders not configured {planned} reports may leave" in words(ada.page("/"))
    assert ("telemetry", "not configured") in pairs(ada.page(STATE))
    assert "consent enabled initialize-telemetry, at the first run" in words(ada.page(STATE))
    page = german.look(STATE)
    assert "initialize-telemetry, beim ersten Lauf" in page.text
    assert page.english == []
    assert ready("send").status == 0
    assert "orders enabled reports may leave" in words(ada.page("/"))


def test_a_value_that_leaves_the_report_is_shown_as_not_there(ada: Visitor, ready: Program) -> None:
    ready("enable", "--yes")
    assert ready("send").status == 0
    ready.configure(f'withhold = ["jdk"]\n{ready.config.read_text()}')
    shown = words(ada.page(PREVIEW)).partition("Changed since")[2].partition("Where each")[0]
    (vendor,) = (
        one for one in ready("preview", "--diff", "--json").data["reports"][0]["diff"] if "jdk.vendor" in one["path"]
    )
    assert f'product.internals.jdk.vendor "{vendor["before"]}" – yes' in shown
    assert "null" not in shown
    printed = ready("preview", "--diff").text
    assert f'"{vendor["before"]}" -> –' in " ".join(printed.split())
    assert "null" not in printed


def test_keeping_a_report_says_when_it_is_sent_and_of_one_that_has_failed_that_it_waits(
    ada: Visitor, ready: Program, receiver: Receiver
) -> None:
    ready("enable", "--yes")
    kept = ada.send(f"{PREVIEW}/keep", PREVIEW)
    assert "This report is kept. Pending since" in kept.text
    assert "the next telemetry send sends exactly this." in kept.text.partition("This report is kept.")[2]
    receiver.answer = lambda _: Reply(503)
    assert ready("send", variables={"TELEMETRY_REPORTER__RETRIES": "0"}).status == 6
    waits = ready("preview", "--json").data["reports"][0]["next-attempt-at"]
    pressed = ada.send(f"{PREVIEW}/keep", "/engine/orders/disable")  # of a page that was opened before it failed
    assert f"its next attempt is at {waits}, with exactly these bytes." in pressed.text
    assert "the next telemetry send sends" not in pressed.text


def test_keeping_a_report_is_said_in_german(german: Visitor, ready: Program) -> None:
    ready("enable", "--yes")
    kept = german.send(f"{PREVIEW}/keep", PREVIEW)
    assert "Dieser Bericht ist festgehalten. Ausstehend seit" in kept.text
    assert kept.english == []


def test_in_german_a_report_has_its_content_and_a_request_has_its_own(german: Visitor, ready: Program) -> None:
    assert "was es wäre, sobald Telemetrie eingeschaltet ist" in words(german.page(PREVIEW))
    ready("enable", "--yes")
    assert ready("send").status == 0
    report = german.page(f"/engine/orders/history/{ready('history', '--json').data['reports'][0]['id']}")
    assert "Sein Inhalt" in report
    assert "Ihr Inhalt" not in report
    assert "Ihr Inhalt" in german.page(PREVIEW)


def test_where_a_damaged_store_hides_all_engines_each_can_be_disabled_by_its_administrators(ready: Program) -> None:
    with WebServer(ready) as server, Visitor(server) as ada, Visitor(server) as rita:
        ada.sign_in("ada", "ada-pw")
        rita.sign_in("rita", "rita-pw")
        ready("enable", "--yes")
        ready.store.write_bytes(b"\0" * 4096)
        answer = ada.get("/")
        assert (answer.status_code, 'href="/engine/orders/disable"' in answer.text) == (500, True)
        assert "Disable telemetry for orders" in words(answer.text)
        assert "/disable" not in rita.get("/").text
        assert ada.submit("/engine/orders/disable").status_code == 303
        assert "orders disabled" in words(ada.page("/"))
