"""Our REST API beside the engine's own: the same requests to both, and each difference with its reason."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any

import pytest

from tests.engines import Engine
from tests.engines.launch import PASSWORD, USER
from tests.support.program import Program
from tests.support.receiver import Receiver
from tests.support.web_server import CONFIGURATION, DATA, JSON, Answered, Caller, WebServer
from tests.system.conftest import USERS

ON, OFF = b'{"enableTelemetry":true}', b'{"enableTelemetry":false}'
NAMED = "/engine-rest/engine/default/telemetry/configuration"
UNKNOWN = "/engine-rest/engine/nope/telemetry/configuration"

#: Why we answer something else than the engine does; the user's documentation has the same list.
REASONS = {
    "code": "errors have the key `code`, as those of engines from 7.18 on",
    "clear": "a body that says nothing is 400 with a message: the engine answers 500 for a null pointer, or 400 without"
    " a message, or as text, which changes from one start to the next",
    "strict": "consent is true or false: a text or a number for it is refused",
    "unknown": "an unknown engine is 404, as from engines that ask for a password, not 500 for a null pointer",
    "accept": "JSON is the only form of an answer, whatever is asked for",
    "wadl": "there is no WADL",
    "counts": "without consent nothing is collected and counts are null, and so is the start date, which 7.17 has not",
}


@dataclass(frozen=True)
class Both:
    """One request to both, and the reasons for which the answers may differ."""

    method: str
    path: str
    body: bytes | None = None
    reasons: tuple[str, ...] = ()
    kind: str = JSON
    accept: str = ""

    def ask(self, caller: Caller) -> Answered:
        more = {"Accept": self.accept} if self.accept else {}
        return caller.ask(self.method, self.path, body=self.body, kind=self.kind, **more)


REQUESTS = (
    Both("GET", CONFIGURATION),
    Both("GET", DATA, reasons=("counts",)),
    Both("POST", CONFIGURATION, OFF),
    Both("GET", CONFIGURATION),
    Both("GET", NAMED),
    Both("POST", NAMED, ON),
    Both("GET", CONFIGURATION),
    Both("GET", CONFIGURATION + "/"),
    Both("HEAD", CONFIGURATION),
    Both("GET", DATA, reasons=("counts",)),
    Both("POST", CONFIGURATION, b'{"enableTelemetry":false,"further":1}'),
    Both("POST", CONFIGURATION, OFF, kind="application/json; charset=UTF-8"),
    Both("GET", CONFIGURATION),
    Both("POST", CONFIGURATION, OFF, ("code",), kind="text/plain"),
    Both("POST", CONFIGURATION, OFF, ("code",), kind="application/x-www-form-urlencoded"),
    Both("PUT", CONFIGURATION, OFF, ("code",)),
    Both("DELETE", CONFIGURATION, reasons=("code",)),
    Both("POST", DATA, b"{}", ("code",)),
    Both("GET", "/engine-rest/telemetry", reasons=("code",)),
    Both("POST", CONFIGURATION, b'{"enableTelemetry":', ("code", "clear")),
    Both("POST", CONFIGURATION, b"\xff", ("code", "clear")),
    Both("POST", CONFIGURATION, b"[]", ("code", "clear")),
    Both("POST", CONFIGURATION, b'{"enableTelemetry":{}}', ("code", "clear")),
    Both("POST", CONFIGURATION, b'{"enableTelemetry":"yes"}', ("code", "clear")),
    Both("POST", CONFIGURATION, b"", ("code", "clear")),
    Both("POST", CONFIGURATION, b"{}", ("code", "clear")),
    Both("POST", CONFIGURATION, b"null", ("code", "clear")),
    Both("POST", CONFIGURATION, b'{"enableTelemetry":null}', ("code", "clear")),
    Both("POST", CONFIGURATION, b'{"enableTelemetry":"false"}', ("strict",)),
    Both("POST", CONFIGURATION, b'{"enableTelemetry":0}', ("strict",)),
    Both("GET", UNKNOWN, reasons=("code", "unknown")),
    Both("POST", UNKNOWN, ON, ("code", "unknown")),
    Both("GET", CONFIGURATION, reasons=("accept",), accept="text/html"),
    Both("OPTIONS", CONFIGURATION, reasons=("wadl",)),
    Both("GET", CONFIGURATION),
)


def said(answer: Answered) -> dict[str, Any]:
    """What of an answer a client goes by."""
    shown: dict[str, Any] = {"status": answer.status, "kind": answer.kind, "body": answer.body.decode("utf-8")}
    if answer.kind == JSON and answer.body:
        shown["body"] = answer.json
    return shown


#: Where the two answer with different statuses.
STATUSES = {"strict": (204, 400), "unknown": (500, 404), "accept": (406, 200), "wadl": (200, 405)}


def difference(both: Both, theirs: Answered, ours: Answered) -> str:
    """What of two answers differs without a reason; empty where nothing does."""
    left, right = said(theirs), said(ours)
    for reason in both.reasons:
        if reason == "code":
            right["body"].pop("code")
        elif reason == "clear":
            assert left["status"] in (400, 500)
            assert right["body"].pop("message")
            left = right | {"body": {"type": "InvalidRequestException"}, "status": 400}
        elif reason == "counts":
            left["body"], right["body"] = comparable(left["body"]), comparable(right["body"])
        elif (left["status"], right["status"]) == STATUSES[reason]:
            return ""
    return "" if left == right else f"{left} {right}"


def comparable(data: Mapping[str, Any]) -> dict[str, Any]:
    """The data without counts and without what one of the two has as null."""
    internals = dict(data["product"]["internals"])
    counted = {name: sorted(internals.pop(name) or ()) for name in ("metrics", "commands")}
    assert counted["metrics"] in ([], sorted(METRICS))
    internals = {name: value for name, value in internals.items() if value is not None}
    return {**data, "product": {**data["product"], "internals": internals}}


METRICS = ("process-instances", "flow-node-instances", "decision-instances", "executed-decision-elements")


def configure(program: Program, receiver: Receiver, engine: Engine, *lines: str) -> None:
    file = program.directory / "password"
    file.write_text(f"{PASSWORD}\n", encoding="utf-8")
    file.chmod(0o600)
    table = [f'endpoint = "{receiver.url}"', "[engines.default]", f'rest = "{engine.rest}"', *lines]
    program.configure("\n".join(table) + "\n")


@pytest.mark.engine
@pytest.mark.family
def test_every_request_is_answered_as_by_a_real_7_17_or_differs_for_a_reason(
    program: Program, receiver: Receiver
) -> None:
    with ExitStack() as stack:
        engine = stack.enter_context(Engine.start("camunda-7.17.0"))
        configure(program, receiver, engine, 'own-reporter = "off"')
        server = stack.enter_context(WebServer(program))
        theirs, ours = Caller(engine.port), server.as_user(USER, PASSWORD)
        for both in REQUESTS:
            assert difference(both, both.ask(theirs), both.ask(ours)) == "", both
        assert {reason for both in REQUESTS for reason in both.reasons} == set(REASONS)
        counts_are_alike(engine, theirs, ours)


def counts_are_alike(engine: Engine, theirs: Caller, ours: Caller) -> None:
    """Enabled at both at once, both count the same work; what is counted beside it is of our own reading."""
    for caller in (theirs, ours):
        assert caller.switch(enabled=True).status == 204
    engine.start_process(3)
    engine.evaluate_decision(2)
    left, right = (caller.get(DATA).json["product"]["internals"] for caller in (theirs, ours))
    assert left["metrics"] == right["metrics"]
    assert left["metrics"]["process-instances"] == {"count": 3}
    work = {name: count for name, count in left["commands"].items() if name in right["commands"]}
    assert work["StartProcessInstanceCmd"] == right["commands"]["StartProcessInstanceCmd"] == {"count": 3}


@pytest.mark.engine
@pytest.mark.parametrize(
    "guarded", ["camunda-7.24.0", pytest.param("operaton-1.0.3", marks=pytest.mark.family)], indirect=True
)
def test_an_administrator_switches_and_another_user_gets_the_engines_own_refusal(
    guarded: Engine, program: Program, receiver: Receiver
) -> None:
    configure(program, receiver, guarded, f'username = "{USER}"', 'password-file = "password"')
    with WebServer(program) as server:
        demo = server.as_user(USER, PASSWORD)
        assert (demo.switch(enabled=True).status, demo.get(CONFIGURATION).json) == (204, {"enableTelemetry": True})
        guarded.start_process(2)
        internals = demo.get(DATA).json["product"]["internals"]
        assert internals["metrics"]["process-instances"] == {"count": 2}
        mary = server.as_user("mary", "s3cret-of-mary")
        own = Caller(guarded.port, mary.authorization).get(DATA)
        assert own.status == 403
        assert said(mary.get(DATA)) == said(mary.get(CONFIGURATION)) == said(own)
        refused = mary.switch(enabled=False)
        assert (refused.status, refused.json) == (
            403,
            own.json | {"message": own.json["message"].replace("READ", "SET")},
        )
        assert demo.get(CONFIGURATION).json == {"enableTelemetry": True}
        rita, susi = (server.as_user(user, f"s3cret-of-{user}") for user in ("rita", "susi"))
        assert (rita.get(CONFIGURATION).status, rita.switch(enabled=False).status) == (200, 403)
        assert (susi.get(CONFIGURATION).status, susi.switch(enabled=False).status) == (403, 204)
        for caller in (Caller(guarded.port), server.as_nobody(), server.as_user("mary", "wrong")):
            nobody = caller.get(DATA)
            assert (nobody.status, nobody.body) == (401, b"")
            assert nobody.headers["www-authenticate"] == 'Basic realm="default"'
    decided = [(one["decided-by"], one["state"]) for one in program("consent", "--json").data["decisions"]]
    assert decided == [(USER, "enabled"), ("susi", "disabled")]
    assert receiver.received == []


@pytest.mark.engine
@pytest.mark.family
@pytest.mark.parametrize("guarded", ["camunda-7.17.0"], indirect=True)
def test_who_may_do_what_is_as_in_a_real_7_17_with_authorization(
    guarded: Engine, program: Program, receiver: Receiver
) -> None:
    configure(program, receiver, guarded, f'username = "{USER}"', 'password-file = "password"')
    asked = (
        Both("GET", CONFIGURATION),
        Both("GET", DATA, reasons=("counts",)),
        Both("POST", CONFIGURATION, OFF),
        Both("GET", CONFIGURATION),
    )
    refused: list[tuple[str, str]] = []
    with WebServer(program) as server:
        for user in (USER, *USERS):
            ours = server.as_user(user, PASSWORD if user == USER else f"s3cret-of-{user}")
            for both in asked:
                theirs, answer = both.ask(Caller(guarded.port, ours.authorization)), both.ask(ours)
                if theirs.status == 403:
                    both = replace(both, reasons=("code",))
                    refused.append((user, both.method))
                assert difference(both, theirs, answer) == "", (user, both)
    assert set(refused) == {("mary", "GET"), ("mary", "POST"), ("rita", "POST"), ("susi", "GET")}


@pytest.mark.engine
@pytest.mark.family
@pytest.mark.parametrize("guarded", ["camunda-7.14.0"], indirect=True)
def test_on_7_14_only_administrators_may(guarded: Engine, program: Program, receiver: Receiver) -> None:
    installation = 'installation = "0c39daee-56d5-4cbb-96f5-3e226fa3eb87"'
    configure(program, receiver, guarded, f'username = "{USER}"', 'password-file = "password"', installation)
    with WebServer(program) as server:
        demo = server.as_user(USER, PASSWORD)
        assert demo.switch(enabled=True).status == 204
        guarded.start_process(2)
        data = demo.get(DATA).json
        assert data["product"]["version"] == "7.14.0"
        assert data["product"]["internals"]["metrics"]["process-instances"] == {"count": 2}
        for user in USERS:
            caller = server.as_user(user, f"s3cret-of-{user}")
            assert {caller.get(CONFIGURATION).status, caller.switch(enabled=False).status} == {403}
