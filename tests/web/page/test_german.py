"""The page in German, in the states that an engine can really be in: nothing on it stays English."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from tests.support.guarded_engine import GuardedEngine
from tests.support.page import PAGES, Seen, Visitor
from tests.support.program import Program
from tests.support.receiver import Received, Receiver, Reply
from tests.support.web_server import WebServer

AGREED = {"license": "yes", "meta": "yes", "usage": "yes"}


@contextmanager
def ada(program: Program) -> Iterator[Visitor]:
    """An administrator of the engine at the German page."""
    with WebServer(program) as server, Visitor(server, language="de-AT,de;q=0.9,en;q=0.5") as visitor:
        visitor.sign_in("ada", "ada-pw")
        german(visitor.look("/engine/orders"))
        yield visitor
        server.end()
        assert server.errors == b""


def german(seen: Seen, status: int = 200) -> Seen:
    """A page that says everything in German."""
    assert seen.status == status, seen.text
    assert '<html lang="de">' in seen.html
    assert not seen.english, f"marked as English: {seen.english}"
    return seen


def walk(visitor: Visitor, **other: int) -> str:
    """Look at every page; what all of them say. `other` has statuses of pages other than 200, by their last word."""
    text = ""
    for path in PAGES:
        word = re.split(r"[/=]", path)[-1]
        text += german(visitor.look(path), other.get(word, 200)).text
    for report in sorted(set(re.findall(r"/history/[\w-]+", visitor.look("/engine/orders/history").html))):
        text += german(visitor.look(f"/engine/orders{report}")).text
    return text


def test_every_page_is_german_before_and_after_telemetry_is_enabled_and_disabled(ready: Program) -> None:
    with ada(ready) as visitor:
        assert "Telemetrienicht konfiguriert" in walk(visitor)
        first = visitor.send("/engine/orders/enable", "/engine/orders/enable", **AGREED)
        assert "Telemetrie ist eingeschaltet. Das Zählen beginnt jetzt" in german(first).text
        assert "Telemetrieeingeschaltet" in walk(visitor)
        again = visitor.send("/engine/orders/enable", "/engine/orders/enable", **AGREED)
        assert "Telemetrie ist bereits eingeschaltet, für denselben" in german(again).text
        less = visitor.send("/engine/orders/enable", "/engine/orders/enable", usage="yes", reason="Nothing changed.")
        german(less)
        assert "GrundNothing changed." in walk(visitor), "what somebody has written is no text of the catalogue"
        off = visitor.send("/engine/orders/disable", "/engine/orders/disable", authorized_by="none")
        assert "Telemetrie ist ausgeschaltet." in german(off).text
        assert "Telemetrie ist für orders ausgeschaltet." in walk(visitor)
        visitor.send("/engine/orders/disable", "/engine/orders/disable", no_requests="yes")
        assert "Alle Anfragen wurden mit telemetry disable --no-requests verboten." in walk(visitor)
        again = visitor.send("/engine/orders/disable", "/engine/orders/disable", no_requests="yes")
        assert "Telemetrie ist bereits ausgeschaltet." in german(again).text


def answer(status: int | None, _: Received) -> Reply:
    return Reply(status, body=b"Said the receiver.")


@pytest.mark.parametrize(
    ("statuses", "said"),
    [
        ([202, 202], ["angenommen, Antwort 202: Said the receiver.", "Schon einmal gesendet"]),
        ([202, 422], ["abgelehnt, Antwort 422: Said the receiver.", "abgelehnt: telemetry history"]),
        ([202, 409], ["Ob dessen Zählungen angekommen sind, ist nicht bekannt."]),
        (
            [503],
            [
                "Periodischer Bericht, nach 3 Versuchen nicht zugestellt: Antwort 503",
                "Ausstehend seit",
                "nächster Versuch",
            ],
        ),
        ([503, 422], ["Ein Bericht wurde abgelehnt und kann angekommen sein"]),
        ([None], ["unbekannt, die Verbindung endete ohne HTTP-Antwort"]),
    ],
    ids=lambda value: None if isinstance(value[0], str) else "-".join(map(str, value)),
)
def test_what_becomes_of_reports_is_said_in_german(
    ready: Program, receiver: Receiver, statuses: list[int | None], said: list[str]
) -> None:
    with ada(ready) as visitor:
        visitor.send("/engine/orders/enable", "/engine/orders/enable", **AGREED)
        for status in statuses:
            receiver.answer = partial(answer, status)
            ready("send", "--force")
        text = walk(visitor)
        for words in said:
            assert words in text, words
        visitor.send("/engine/orders/disable", "/engine/orders/disable", no_requests="yes")
        walk(visitor)


def test_a_licence_is_german_while_it_lasts_and_when_it_has_ended(ready: Program) -> None:
    with ada(ready) as visitor:
        german(visitor.send("/engine/orders/license/set", "/engine/orders/license", key="-"))
        today = datetime.now(UTC)
        for days, said in ((400, "gültig bis"), (5, "Tagen"), (-5, "abgelaufen")):
            end = today + timedelta(days=days)
            key = f"sig;customer=enabled;expiryDate={end:%Y-%m-%d};none=true"
            kept = german(visitor.send("/engine/orders/license/set", "/engine/orders/license", key=key))
            assert "Die Lizenz ist gespeichert." in kept.text
            text = walk(visitor)
            assert said in text
            assert "Kundeenabled" in text, "what a licence says is no text of the catalogue"
        gone = visitor.send("/engine/orders/license/remove", "/engine/orders/license")
        assert "Die hier gesetzte Lizenz ist gelöscht." in german(gone).text
        empty = visitor.send("/engine/orders/license/set", "/engine/orders/license", key=" ")
        assert "Der Lizenzschlüssel ist leer." in german(empty, 422).text


def test_what_forbids_is_said_in_german(ready: Program) -> None:
    usual = ready.config.read_text()
    ready.variables["DO_NOT_TRACK"] = "1"
    with ada(ready) as visitor:
        assert "In dieser Umgebung ist DO_NOT_TRACK gesetzt" in walk(visitor)
    del ready.variables["DO_NOT_TRACK"]
    with ada(ready) as visitor:
        ready.configure(f"telemetry-reporter-activate = false\n{usual}")
        assert "Der Reporter ist abgeschaltet" in walk(visitor)
        ready.configure(usual.partition("\n")[2])
        assert "Es ist kein Endpunkt konfiguriert." in walk(visitor, enable=500)
        ready.configure(usual)
        visitor.send("/engine/orders/enable", "/engine/orders/enable", **AGREED)
        ready.configure(usual.partition("\n")[2])
        assert "Es ist kein Endpunkt konfiguriert." in walk(visitor, enable=500)
        ready.configure('endpoint = "http://127.0.0.1:9/elsewhere"\n' + usual.partition("\n")[2])
        assert "Die Einwilligung gilt für" in walk(visitor)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ((401, "text/plain", b""), "lässt uns nicht ein (401)"),
        ((403, "text/plain", b""), "weist diesen Benutzer ab (403)"),
        ((404, "text/plain", b""), "gibt es nicht (404)"),
        ((500, "application/json", b'{"message": "Said the engine."}'), "antwortet mit 500: Said the engine."),
        ((200, "text/html", b"<p>hello</p>"), "kein JSON ist"),
        ((200, "application/json", b"[]"), "JSON einer anderen Form"),
    ],
)
def test_an_engine_that_does_not_answer_as_it_should_is_german_too(
    answer: tuple[int, str, bytes], said: str, ready: Program, guarded: GuardedEngine
) -> None:
    with ada(ready) as visitor:
        guarded.override["/telemetry/data"] = answer
        assert said in walk(visitor, preview=503, initial=503, sources=503)


def test_an_engine_that_cannot_be_read_or_is_gone_is_german_too(ready: Program, guarded: GuardedEngine) -> None:
    with ada(ready) as visitor:
        (ready.directory / "password").chmod(0o644)
        assert "enthält ein Geheimnis" in walk(visitor, preview=500, initial=500, sources=500)
        (ready.directory / "password").chmod(0o600)
        guarded.stop()
        text = walk(visitor, preview=503, initial=503, sources=503)
        assert "antwortet nicht: Verbindung abgelehnt." in text


def test_who_is_not_let_in_reads_why_in_german(ready: Program) -> None:
    with WebServer(ready) as server, Visitor(server, language="de") as visitor:
        assert "Benutzer oder Passwort ist falsch." in german(Seen(visitor.sign_in("ada", "wrong")), 403).text
        assert "darf Telemetrie nicht sehen" in german(Seen(visitor.sign_in("mary", "mary-pw")), 403).text
        assert "Diese Seite gibt es nicht." in german(visitor.look("/nothing"), 404).text
        visitor.sign_in("rita", "rita-pw")
        assert "Das darf nur ein Administrator" in german(visitor.look("/engine/orders/enable"), 403).text
        assert "Kein Bericht dieser Engine" in german(visitor.look("/engine/orders/history/x"), 400).text
        assert "Dieses Formular stammt nicht" in german(visitor.send("/sign-out", "/nothing", form_token="x"), 403).text
        ready.configure("endpoint = 1\n")
        assert "Der Server ist nicht richtig konfiguriert" in german(visitor.look("/"), 500).text
