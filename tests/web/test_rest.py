"""The REST API: what a switch does to the store, what is answered, and what of a request is refused and how."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pytest

from telemetry_web.readings import AT_ONCE
from tests.support.guarded_engine import GuardedEngine
from tests.support.program import Program
from tests.support.receiver import Receiver
from tests.support.web_server import CONFIGURATION, DATA, JSON, Caller, WebServer

NOT_FOUND = {"type": "NotFoundException", "message": "HTTP 404 Not Found", "code": None}
NOT_ALLOWED = {"type": "NotAllowedException", "message": "HTTP 405 Method Not Allowed", "code": None}
NOT_SUPPORTED = {"type": "NotSupportedException", "message": "HTTP 415 Unsupported Media Type", "code": None}
INVALID = {
    "type": "InvalidRequestException",
    "message": 'The body must be {"enableTelemetry": true} or {"enableTelemetry": false}.',
    "code": None,
}


def unknown(name: str) -> dict[str, object]:
    return {"type": "InvalidRequestException", "message": f"Process engine {name} not available", "code": None}


@pytest.fixture
def ada(server: WebServer) -> Caller:
    """An administrator of the engine."""
    return server.as_user("ada", "ada-pw")


def test_a_switch_is_seen_over_rest_and_by_every_command(ada: Caller, ready: Program) -> None:
    assert ada.get(CONFIGURATION).json == {"enableTelemetry": None}
    for wanted in (True, True, False, True):
        switched = ada.switch(wanted)
        assert (switched.status, switched.body) == (204, b"")
        assert ada.get(CONFIGURATION).json == {"enableTelemetry": wanted}
        state = ready("status", "--json").data["engines"][0]["state"]
        assert state == ("enabled" if wanted else "disabled")
    assert ready("disable").status == 0
    assert ada.get(CONFIGURATION).json == {"enableTelemetry": False}


def test_the_consent_is_recorded_as_decided_over_rest_by_the_engines_user_who_was_not_shown_the_note(
    ada: Caller, ready: Program, receiver: Receiver
) -> None:
    ada.switch(enabled=True)
    (decision,) = ready("consent", "--json").data["decisions"]
    assert (decision["decided-by"], decision["how"], decision["legal-note-shown"]) == ("ada", "REST", False)
    assert decision["endpoint"] == receiver.url.removesuffix("/pings")
    assert decision["legal-note-sha256"]


def test_what_was_counted_before_the_switch_is_never_reported(
    ada: Caller, ready: Program, guarded: GuardedEngine, receiver: Receiver
) -> None:
    guarded.start_process(7)
    ada.switch(enabled=True)
    guarded.start_process(3)
    assert ada.get(DATA).json["product"]["internals"]["metrics"]["process-instances"] == {"count": 3}
    assert receiver.received == [], "nothing leaves by itself"
    assert ready("send").status == 0
    report = json.loads(receiver.received[-1].body)
    assert report["product"]["internals"]["metrics"]["process-instances"] == {"count": 3}
    assert ada.get(DATA).json["product"]["internals"]["metrics"]["process-instances"] == {"count": 0}


def test_the_data_are_the_engines_own_and_have_counts_only_with_consent(ada: Caller, guarded: GuardedEngine) -> None:
    said, own = ada.get(DATA).json, guarded.data
    assert list(said) == list(own)
    assert said["installation"] == own["installation"]
    counted = ("commands", "metrics", "data-collection-start-date")
    internals, theirs = said["product"].pop("internals"), dict(own["product"]["internals"])
    assert said["product"] == {name: own["product"][name] for name in ("name", "version", "edition")}
    assert [internals.pop(name) for name in counted] == [None, None, None]
    assert internals == {name: value for name, value in theirs.items() if name not in counted}
    ada.switch(enabled=True)
    guarded.start_process()
    internals = ada.get(DATA).json["product"]["internals"]
    assert list(internals["metrics"]) == [
        "decision-instances", "executed-decision-elements", "flow-node-instances", "process-instances",
    ]  # fmt: skip
    assert internals["commands"]["StartProcessInstanceCmd"] == {"count": 1}
    assert internals["data-collection-start-date"].endswith("+0000")
    assert "telemetry-enabled" not in internals


def test_asking_changes_nothing(ada: Caller, ready: Program, guarded: GuardedEngine) -> None:
    ada.switch(enabled=True)
    guarded.start_process(2)
    content = ready.store.read_bytes()
    assert (
        ada.get(DATA).json["product"]
        == ada.get(DATA).json["product"] | {"internals": ada.get(DATA).json["product"]["internals"]}
        or ada.get(DATA).status == 200
    )
    assert ready.store.read_bytes() == content


def test_what_is_withheld_is_not_shown(server: WebServer, ready: Program) -> None:
    ready.configure('withhold = ["jdk", "database.version"]\n' + ready.config.read_text())
    internals = server.as_user("ada", "ada-pw").get(DATA).json["product"]["internals"]
    assert internals["jdk"] is None
    assert internals["database"] == {"vendor": "H2", "version": None}


@dataclass(frozen=True)
class Wrong:
    """A request that is refused, and how."""

    method: str
    path: str
    body: bytes | None
    status: int
    answer: object
    kind: str = JSON


WRONG = [
    *(Wrong("POST", CONFIGURATION, body, 400, INVALID)
      for body in (b"", b'{"enableTelemetry":', b"\xff", b"[" * 60_000, b'{"x":' + b"[" * 60_000, b"{}", b"null",
                   b"[]", b'{"enableTelemetry":null}', b'{"enableTelemetry":"true"}', b'{"enableTelemetry":1}')),
    *(Wrong("POST", CONFIGURATION, b'{"enableTelemetry":false}', 415, NOT_SUPPORTED, kind)
      for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "")),
    Wrong("POST", DATA, b"{}", 405, NOT_ALLOWED),
    Wrong("PUT", CONFIGURATION, b"{}", 405, NOT_ALLOWED),
    Wrong("DELETE", DATA, None, 405, NOT_ALLOWED),
    Wrong("OPTIONS", CONFIGURATION, None, 405, NOT_ALLOWED),
    Wrong("GET", "/engine-rest/telemetry", None, 404, NOT_FOUND),
    Wrong("GET", "/engine-rest/version", None, 404, NOT_FOUND),
    *(Wrong("GET", f"/engine-rest/engine/{name}/telemetry/data", None, 404, unknown(said))
      for name, said in (("nope", "nope"), ("%2e%2e", ".."), ("Orders", "Orders"), ("orders%00", "orders\0"))),
]  # fmt: skip


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: f"{wrong.method} {wrong.status} {wrong.body!r:.30}")
def test_a_wrong_request_is_refused_in_the_engines_words_and_switches_nothing(wrong: Wrong, lasting: WebServer) -> None:
    ada = lasting.as_user("ada", "ada-pw")
    refused = ada.ask(wrong.method, wrong.path, body=wrong.body, kind=wrong.kind)
    assert (refused.status, refused.kind, refused.json) == (wrong.status, JSON, wrong.answer)
    assert ada.get(CONFIGURATION).json == {"enableTelemetry": None}


def test_a_request_that_is_too_long_is_not_read(ada: Caller) -> None:
    body = b'{"enableTelemetry":true,"x":"' + b"x" * 70_000 + b'"}'
    refused = ada.ask("POST", CONFIGURATION, body=body)
    assert (refused.status, refused.kind) == (413, "text/plain")
    assert ada.get(CONFIGURATION).json == {"enableTelemetry": None}


def test_what_the_engine_takes_too_is_taken(ada: Caller) -> None:
    body = b'{"enableTelemetry":true,"further":["keys"]}'
    assert ada.ask("POST", CONFIGURATION, body=body, kind="Application/JSON; charset=UTF-8").status == 204
    for path in (CONFIGURATION + "/", "/engine-rest/engine/orders/telemetry/configuration"):
        assert ada.get(path).json == {"enableTelemetry": True}
    head = ada.ask("HEAD", CONFIGURATION)
    assert (head.status, head.body, head.headers["content-length"]) == (200, b"", "24")


def test_no_answer_is_kept_by_anybody(ada: Caller) -> None:
    for answer in (ada.get(CONFIGURATION), ada.get(DATA), ada.switch("yes"), ada.get("/nothing")):
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "server" not in answer.headers


def test_without_an_endpoint_enabling_says_what_is_missing_and_disabling_works(
    server: WebServer, ready: Program
) -> None:
    ada = server.as_user("ada", "ada-pw")
    ready.configure(ready.config.read_text().partition("\n")[2])
    refused = ada.switch(enabled=True)
    assert (refused.status, refused.json["type"]) == (500, "EndpointMissing")
    assert "none is configured" in refused.json["message"]
    assert ada.get(CONFIGURATION).json == {"enableTelemetry": None}
    assert ada.switch(enabled=False).status == 204


def test_an_engine_that_does_not_let_us_read_it_is_said_to_whom_it_knows(server: WebServer, ready: Program) -> None:
    (ready.directory / "password").write_text("wrong\n")
    ada = server.as_user("ada", "ada-pw")
    for refused in (ada.get(DATA), ada.switch(enabled=True)):
        assert (refused.status, refused.json["type"]) == (503, "EngineRefused")
        assert "engines.orders.password-file" in refused.json["message"]
    assert ada.get(CONFIGURATION).json == {"enableTelemetry": None}, "that asks nobody but the store"


def test_a_configuration_that_breaks_is_no_strangers_business_and_counts_again_once_it_is_repaired(
    server: WebServer, ready: Program, guarded: GuardedEngine
) -> None:
    ada, good = server.as_user("ada", "ada-pw"), ready.config.read_text()
    ready.configure(good + "nonsense = 1\n")
    refused = ada.get(CONFIGURATION)
    assert (refused.status, refused.json["type"]) == (500, "ConfigurationError")
    assert str(ready.directory) not in refused.body.decode()
    ready.configure(good + f'[engines.claims]\nrest = "{guarded.rest}"\n')
    assert ada.get("/engine-rest/engine/claims/telemetry/configuration").json == {"enableTelemetry": None}


def test_of_several_engines_the_one_called_default_is_meant(
    server: WebServer, ready: Program, guarded: GuardedEngine
) -> None:
    ada, good = server.as_user("ada", "ada-pw"), ready.config.read_text()
    ready.configure(good + f'[engines.claims]\nrest = "{guarded.rest}"\n')
    unsaid = ada.get(CONFIGURATION)
    assert (unsaid.status, unsaid.json["message"]) == (404, "Process engine default not available")
    ready.configure(good + f'[engines.default]\nrest = "{guarded.rest}"\n')
    assert ada.switch(enabled=False).status == 204
    states = {one["name"]: one["state"] for one in ready("status", "--json").data["engines"]}
    assert states == {"orders": "not-configured", "default": "disabled"}


def test_a_damaged_store_is_set_aside_by_a_switch_and_said_where_the_server_runs(ready: Program) -> None:
    with WebServer(ready) as server:
        ada = server.as_user("ada", "ada-pw")
        ada.switch(enabled=True)
        ready.store.write_bytes(b"\0" * 4096)
        refused = ada.get(CONFIGURATION)
        assert (refused.status, refused.json["type"]) == (500, "StoreDamaged")
        assert ada.switch(enabled=False).status == 204
        assert ada.get(CONFIGURATION).json == {"enableTelemetry": False}
        server.end()
    assert server.errors.decode().count("\n") == 1
    assert "was damaged and is kept as" in server.errors.decode()


def test_many_at_once_are_all_answered_and_no_decision_is_lost(ada: Caller, ready: Program) -> None:
    with ThreadPoolExecutor(AT_ONCE) as crowd:  # more readings at once are refused
        switched = [crowd.submit(ada.switch, number % 2 == 0) for number in range(24)]
        asked = [crowd.submit(ada.get, (CONFIGURATION, DATA)[number % 2]) for number in range(24)]
    answers = [one.result().status for one in switched]
    assert {status for status, wanted in zip(answers, [True, False] * 12, strict=True) if not wanted} == {204}
    assert set(answers) <= {204, 409}, "whom somebody else has disabled meanwhile is told so"
    assert {one.result().status for one in asked} == {200}
    done = ready("history", "--verify", "--json")
    assert done.status == 0
    states = [one["state"] for one in ready("consent", "--json").data["decisions"]]
    assert len(states) == done.data["decisions"]
    assert all(one != after for one, after in pairwise(states)), "one after the other"


def test_a_store_that_is_not_there_is_not_made_by_asking(ada: Caller, ready: Program) -> None:
    assert ada.get(CONFIGURATION).json == {"enableTelemetry": None}
    assert ada.get(DATA).status == 200
    assert not Path(ready.store).exists()
