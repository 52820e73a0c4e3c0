"""Who may do what: forged forms, fields that nobody asked for, other engines' pages, and engines read at will."""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from telemetry_web import readings
from telemetry_web.passwords import WRONG
from tests.support.guarded_engine import GuardedEngine, User
from tests.support.page import Visitor, fields, words
from tests.support.program import Program
from tests.support.receiver import Receiver
from tests.support.waiting import until
from tests.support.web_server import DATA, WebServer
from tests.web.conftest import USERS

ORDERS = "/engine/orders"
CHANGES = (
    f"{ORDERS}/preview/keep",
    f"{ORDERS}/enable",
    f"{ORDERS}/disable",
    f"{ORDERS}/license/set",
    f"{ORDERS}/license/remove",
)
READING = (f"{ORDERS}/preview", f"{ORDERS}/preview/body", f"{ORDERS}/sources", f"{ORDERS}/preview?kind=initial")


@pytest.fixture
def rita(server: WebServer) -> Iterator[Visitor]:
    """Somebody who may look and is signed in."""
    with Visitor(server) as visitor:
        visitor.sign_in("rita", "rita-pw")
        yield visitor


def decisions(program: Program) -> list[dict[str, object]]:
    found: list[dict[str, object]] = program("consent", "--json").data["decisions"]
    return found


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Sec-Fetch-Site": ""},
        {"Sec-Fetch-Site": "cross-site", "Origin": "http://{host}"},
        {"Origin": "https://evil.example"},
        {"Origin": "http://{host}.evil.example"},
        {"Origin": "http://evil.example@{host}"},
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": "null"},
        {},
    ],
)
def test_a_form_of_another_site_changes_nothing_though_it_had_the_token(
    headers: dict[str, str], ada: Visitor, server: WebServer, ready: Program
) -> None:
    form = fields(ada.page(f"{ORDERS}/disable"))
    host = f"127.0.0.1:{server.port}"
    del ada.client.headers["sec-fetch-site"]
    sent = {name: value.format(host=host) for name, value in headers.items()}
    for path, given in (
        (f"{ORDERS}/disable", form),
        ("/sign-out", form),
        ("/sign-in", {"user": "ada", "password": "ada-pw"}),
    ):
        answer = ada.client.post(path, data=given, headers=sent)
        assert answer.status_code == 403
        assert "set-cookie" not in answer.headers
    assert decisions(ready) == []
    assert ada.client.post(f"{ORDERS}/disable", data=form, headers={"Origin": f"http://{host}"}).status_code == 303


def test_a_form_without_the_token_of_this_very_session_changes_nothing(
    ada: Visitor, rita: Visitor, ready: Program
) -> None:
    token = re.findall(r'form-token" value="([^"]+)"', rita.page("/"))[0]
    own = re.findall(r'form-token" value="([^"]+)"', ada.page("/"))[0]
    for wrong in ("", "x", token, own[:-1], own + "x", own.upper()):
        for path in CHANGES:
            assert ada.client.post(path, data={"form-token": wrong, "key": "x"}).status_code == 403
    ada.sign_in("ada", "ada-pw")
    assert ada.client.post(f"{ORDERS}/disable", data={"form-token": own}).status_code == 403, "of the session before"
    assert decisions(ready) == []


def test_nothing_is_changed_by_looking(ada: Visitor, ready: Program, guarded: GuardedEngine) -> None:
    token = re.findall(r'form-token" value="([^"]+)"', ada.page("/"))[0]
    for path in CHANGES:
        ada.client.get(path, params={"form-token": token, "key": "x", "no-requests": "yes"})
    assert decisions(ready) == []
    assert "Remove it" not in words(ada.page(f"{ORDERS}/license"))


def test_who_may_only_look_changes_nothing_with_a_form_of_ones_own(rita: Visitor, ready: Program) -> None:
    for path in CHANGES:
        answer = rita.post(path, {"shown": "x", "license": "yes", "key": "x", "may_switch": "true", "user": "ada"})
        assert answer.status_code == 403
        assert "Only an administrator of the engine may do this" in words(answer.text)
        assert rita.client.head(path).status_code in (403, 405)
    assert decisions(ready) == []


def test_fields_that_no_form_has_change_nothing(ada: Visitor, ready: Program) -> None:
    more = {
        "user": "grace", "decided-by": "grace", "how": "command", "state": "enabled", "engine": "other",
        "note-shown": "yes", "language": "de", "may-switch": "true", "endpoint": "http://127.0.0.1:1/",
    }  # fmt: skip
    ada.post(f"{ORDERS}/disable", {"reason": "r" * 5000, **more})
    (decided,) = decisions(ready)
    assert (decided["decided-by"], decided["how"], decided["state"]) == ("ada", "page", "disabled")
    assert (decided["legal-note-shown"], len(str(decided["reason"]))) == (False, 500)
    ada.client.cookies.clear()
    form = {"user": "rita", "password": "rita-pw", "may_switch": "true", "groups": "camunda-admin"}
    assert ada.client.post("/sign-in", data=form).status_code == 303
    assert ada.get(f"{ORDERS}/enable").status_code == 403


def test_who_signed_in_at_one_engine_neither_sees_nor_changes_another_nor_its_reports(
    program: Program, receiver: Receiver
) -> None:
    with GuardedEngine(users=dict(USERS)) as first, GuardedEngine(users={"bob": User("bob-pw")}) as second:
        second.installation = "22222222-2222-2222-2222-222222222222"
        second.data["product"]["name"] = "Secret Product"
        first.filtered = second.filtered = False
        tables = "".join(f'[engines.{name}]\nrest = "{one.rest}"\n' for name, one in (("one", first), ("two", second)))
        program.configure(f'endpoint = "{receiver.url}"\n{tables}')
        assert program("enable", "--yes").status == 0
        assert program("send").status == 0
        reports = program("history", "--json").data["reports"]
        theirs = next(one["id"] for one in reports if one["engines"] == ["two"])
        before = len(decisions(program))
        with WebServer(program) as server, Visitor(server) as ada:
            ada.sign_in("ada", "ada-pw", engine="one")
            asked = len(second.requests)
            for path in ("", "/preview", "/preview/body", "/history", "/usage", "/license", "/consent", "/sources",
                         "/enable", "/disable", f"/history/{theirs}", f"/history/{theirs}/body"):  # fmt: skip
                assert ada.get(f"/engine/two{path}").headers["location"].startswith("/sign-in?engine=two")
                assert ada.get(f"/engine/nothing{path}").status_code == 404
            for path in CHANGES:
                answer = ada.post(path.replace("orders", "two"), {"key": "x"})
                assert answer.status_code == 403
            for path in (f"/engine/one/history/{theirs}", f"/engine/one/history/{theirs}/body"):
                assert ada.get(path).status_code == 400
            for path in ("/", "/engine/one", "/engine/one/history", "/engine/one/consent", "/engine/one/usage"):
                page = ada.page(path)
                assert theirs not in page
                assert second.installation not in page
                assert "Secret Product" not in page
            assert len(second.requests) == asked
        assert len(decisions(program)) == before


@pytest.mark.parametrize("path", READING)
def test_nobody_has_an_engine_read_more_than_thirty_times_a_minute(
    path: str, rita: Visitor, ada: Visitor, server: WebServer, guarded: GuardedEngine
) -> None:
    answers = [rita.get(path) for _ in range(readings.MOST)]
    assert {answer.status_code for answer in answers} == {200}
    guarded.users["RITA"] = guarded.users["rita"]  # as where names are compared without case
    rita.sign_in("RITA", "rita-pw")
    asked = len(guarded.requests)
    for more in (*READING, path):
        refused = rita.get(more)
        assert refused.status_code == 429
        assert 0 < int(refused.headers["retry-after"]) <= 60
        assert "The engine was read too often just now." in words(refused.text)
    assert rita.client.head(path).status_code == 429
    assert len(guarded.requests) == asked
    assert rita.get(ORDERS).status_code == 200, "what reads no engine is there"
    assert ada.get(path).status_code == 200, "another user"
    assert ada.submit(f"{ORDERS}/disable").status_code == 303


def test_enabling_and_licences_count_as_readings_and_disabling_does_not(
    ada: Visitor, guarded: GuardedEngine, ready: Program
) -> None:
    for _ in range(readings.MOST):
        ada.get(f"{ORDERS}/preview/body")
    asked = len(guarded.requests)
    assert ada.get(f"{ORDERS}/enable").status_code == 429
    assert ada.post(f"{ORDERS}/enable", {"shown": "x"}).status_code == 429
    assert ada.post(f"{ORDERS}/license/set", {"key": "x"}).status_code == 429
    assert ada.post(f"{ORDERS}/preview/keep", {"kind": "periodic"}).status_code == 429
    assert len(guarded.requests) == asked
    assert ada.submit(f"{ORDERS}/disable").status_code == 303
    assert [one["state"] for one in decisions(ready)] == ["disabled"]


def test_an_engine_that_hangs_is_read_ten_times_at_once_and_other_pages_are_there(
    rita: Visitor, guarded: GuardedEngine
) -> None:
    with ThreadPoolExecutor(25) as crowd:
        with guarded.hanging("/telemetry/data"):
            asking = [crowd.submit(rita.get, f"{ORDERS}/preview") for _ in range(25)]
            others = 25 - readings.AT_ONCE
            until(lambda: sum(one.done() for one in asking) == others, "the others are refused at once", seconds=4)
            assert rita.get(ORDERS).status_code == 200
        statuses = [one.result().status_code for one in asking]
    assert statuses.count(429) == others


def test_the_rest_api_takes_the_same_ten_places_and_an_engine_that_hangs_stops_nobody_who_disables(
    ada: Visitor, rita: Visitor, server: WebServer, ready: Program, guarded: GuardedEngine
) -> None:
    token = "of-a-machine-that-asks-too-often"
    file = ready.directory / "tokens"
    file.touch(mode=0o600)
    file.write_text(f"machine: {hashlib.sha256(token.encode()).hexdigest()}\n")
    ready.configure(ready.config.read_text() + '[serve]\ntoken-file = "tokens"\n')
    machine = server.as_machine(token)
    with ThreadPoolExecutor(60) as crowd:
        with guarded.hanging("/telemetry/data"):
            asking = [crowd.submit(machine.get, DATA) for _ in range(60)]
            others = 60 - readings.AT_ONCE
            until(lambda: sum(one.done() for one in asking) == others, "the others are refused at once", seconds=10)
            enabling = machine.switch(enabled=True)
            assert (enabling.status, enabling.json["type"]) == (429, "TooManyReadings")
            assert rita.get(f"{ORDERS}/preview").status_code == 429, "the places are those of the page"
            begun = time.monotonic()
            assert ada.submit(f"{ORDERS}/disable").status_code == 303
            assert machine.switch(enabled=False).status == 204
            assert time.monotonic() - begun < 2
        answers = [one.result() for one in asking]
    refused = [one for one in answers if one.status == 429]
    assert len(refused) == others
    assert {(one.json["type"], one.headers["retry-after"]) for one in refused} == {("TooManyReadings", "1")}
    assert [one["state"] for one in decisions(ready)] == ["disabled"]


@pytest.mark.parametrize(
    "spellings", [("ada", "ADA", "ada ", " ada", "àda"), ("\uff41da", "Ada", "ad\u0101", "a\u0301da", "A\u0301DA")]
)
def test_names_that_a_directory_may_take_for_one_are_counted_as_one(
    spellings: tuple[str, ...], server: WebServer, guarded: GuardedEngine
) -> None:
    with Visitor(server) as visitor:
        assert len(spellings) == WRONG
        for spelling in spellings:
            assert visitor.sign_in(spelling, "wrong").status_code == 403
        asked = len(guarded.requests)
        assert visitor.sign_in("ada", "ada-pw").status_code == 429
        assert len(guarded.requests) == asked


def test_who_exists_is_not_told(server: WebServer) -> None:
    with Visitor(server) as visitor:
        answers = [visitor.sign_in(user, "wrong") for user in ("ada", "mary", "nobody")]
        pages = {words(answer.text) for answer in answers}
        assert len(pages) == 1
        assert {answer.status_code for answer in answers} == {403}
        for _ in range(WRONG):
            waiting = [visitor.sign_in(user, "wrong") for user in ("ada", "nobody")]
        assert {answer.status_code for answer in waiting} == {429}


def test_what_is_wrong_here_is_not_told_to_strangers(server: WebServer, ready: Program) -> None:
    ready.configure(ready.config.read_text().replace("127.0.0.1:", "127.0.0.1:1/not-"))
    with Visitor(server) as visitor:
        answer = visitor.sign_in("ada", "ada-pw")
        assert answer.status_code == 503
        assert "127.0.0.1" not in answer.text
        for leak in ("Traceback", "telemetry_web", "File ", str(ready.directory)):
            assert leak not in answer.text + json.dumps(dict(answer.headers))
