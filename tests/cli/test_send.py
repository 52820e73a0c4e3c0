"""`telemetry send`: one report a slot, the initial one once, silence otherwise, an exit status for the rest."""

from __future__ import annotations

import fcntl
import time

import pytest

from tests.support.ports import free_port
from tests.support.program import Program
from tests.support.receiver import Received, Receiver, Reply
from tests.support.simulated_engine import SimulatedEngine


def states(program: Program) -> list[tuple[str, str]]:
    return [(report["kind"], report["state"]) for report in program("history", "--json").data["reports"]]


def test_without_consent_it_is_silent_and_opens_nothing_towards_the_endpoint(
    configured: Program, receiver: Receiver
) -> None:
    done = configured("send")
    assert (done.status, done.stdout, done.stderr) == (0, b"", b"")
    assert receiver.received == []


def test_without_endpoint_and_consent_it_is_silent_and_asks_nobody(
    program: Program, simulated: SimulatedEngine
) -> None:
    program.configure(f'[engines.orders]\nrest = "{simulated.rest}"\n')
    done = program("send")
    assert (done.status, done.stdout, done.stderr) == (0, b"", b"")
    assert simulated.requests == []


def test_one_report_a_slot_however_often_it_is_called(
    configured: Program, simulated: SimulatedEngine, receiver: Receiver
) -> None:
    configured("enable", "--yes")
    for _ in range(4):
        assert configured("send").status == 0
    assert len(receiver.received) == 2
    asked = len(simulated.requests)
    configured("send")
    assert len(simulated.requests) == asked


def test_the_next_slot_brings_the_next_report(
    configured: Program, simulated: SimulatedEngine, receiver: Receiver
) -> None:
    configured.variables["TELEMETRY_REPORTER__PERIOD"] = "2s"
    configured("enable", "--yes")
    configured("send")
    simulated.start_process(3)
    time.sleep(2)
    configured("send")
    assert len(receiver.received) == 3
    assert len(set(receiver.keys)) == 3
    assert b'"root-process-instance-start":{"count":3}' in receiver.received[2].body


def test_force_ignores_the_slot_and_reports_what_came_since(
    configured: Program, simulated: SimulatedEngine, receiver: Receiver
) -> None:
    configured("enable", "--yes")
    configured("send")
    simulated.start_process(4)
    assert configured("send", "--force").status == 0
    assert b'"root-process-instance-start":{"count":4}' in receiver.received[2].body
    triggers = [report["trigger"] for report in configured("history", "--json").data["reports"]]
    assert triggers == ["forced", "due", "due"]


@pytest.mark.parametrize(
    ("setting", "status"),
    [("telemetry-reporter-activate = false", 4), ('withhold = ["license-key"]', 0)],
)
def test_the_reporter_switch_forbids_every_request(
    setting: str, status: int, program: Program, simulated: SimulatedEngine, receiver: Receiver
) -> None:
    program.configure(f'{setting}\nendpoint = "{receiver.url}"\n[engines.orders]\nrest = "{simulated.rest}"\n')
    assert program("enable", "--yes").status == 0
    assert program("send").status == 0
    assert program("send", "--initial").status == status
    assert program("send", "--force").status == status
    assert bool(receiver.received) == (status == 0)
    assert program("preview").status == 0
    assert program("environment").status == 0


@pytest.mark.parametrize(("value", "veto"), [("1", True), ("yes", True), ("0", False), ("false", False), ("", False)])
def test_do_not_track_is_a_veto_for_this_process(
    value: str, veto: bool, configured: Program, receiver: Receiver
) -> None:
    configured("enable", "--yes")
    assert configured("send", variables={"DO_NOT_TRACK": value}).status == 0
    assert len(receiver.received) == (0 if veto else 2)
    assert configured("send", "--force", variables={"DO_NOT_TRACK": value}).status == (4 if veto else 0)


def test_explicit_without_consent_is_not_permitted(configured: Program, receiver: Receiver) -> None:
    done = configured("send", "--force")
    assert done.status == 4
    assert done.errors.count("\n") == 1
    assert "telemetry enable" in done.errors
    assert receiver.received == []


def test_initial_alone_goes_at_once_when_asked_for(configured: Program, receiver: Receiver) -> None:
    assert configured("send", "--initial").status == 0
    assert configured("send", "--initial").status == 0
    assert len(receiver.received) == 1
    assert b'"internals":{"telemetry-enabled":null}' in receiver.received[0].body


def test_a_dry_run_says_what_would_be_sent_and_sends_and_keeps_nothing(configured: Program, receiver: Receiver) -> None:
    configured("enable", "--yes")
    assert configured("send", "--dry-run", "--json").data["planned"] == [
        {"name": "orders", "kinds": ["initial", "periodic"], "reason": None}
    ]
    assert receiver.received == []
    assert configured("history", "--json").data["reports"] == []
    configured("send")
    assert configured("send", "--dry-run", "--json").data["planned"][0]["kinds"] == []


def test_a_dead_endpoint_keeps_both_reports_and_says_so_once(
    configured: Program, receiver: Receiver, simulated: SimulatedEngine
) -> None:
    dead = {"TELEMETRY_ENDPOINT": f"http://127.0.0.1:{free_port()}/pings", "TELEMETRY_REPORTER__RETRIES": "0"}
    assert configured("enable", "--yes", variables=dead).status == 0
    first = configured("send", variables=dead)
    assert first.status == 6
    assert first.errors.count("\n") == 1
    assert "connection refused" in first.errors
    assert states(configured) == [("periodic", "pending"), ("initial", "pending")]
    again = configured("send", variables=dead)
    assert (again.status, again.stderr) == (0, b"")  # the next attempt is a minute away
    forced = configured("send", "--force", variables=dead)
    assert forced.status == 6


def test_a_lost_answer_sends_the_same_bytes_under_the_same_key_again(
    program: Program, simulated: SimulatedEngine
) -> None:
    seen: dict[str, int] = {}

    def lose_the_first(request: Received) -> Reply:
        seen[request.key] = seen.get(request.key, 0) + 1
        return Reply(status=None if seen[request.key] == 1 else 202)

    with Receiver(lose_the_first) as receiver:
        program.configure(f'endpoint = "{receiver.url}"\n[engines.orders]\nrest = "{simulated.rest}"\n')
        program("enable", "--yes")
        assert program("send").status == 0
    assert len(receiver.received) == 4
    bodies: dict[str, set[bytes]] = {request.key: set() for request in receiver.received}
    for request in receiver.received:
        bodies[request.key].add(request.body)
    assert [len(different) for different in bodies.values()] == [1, 1]
    assert states(program) == [("periodic", "accepted"), ("initial", "accepted")]


def test_an_engine_that_is_down_when_a_report_is_due_is_said_once_and_counted_later(
    configured: Program, simulated: SimulatedEngine, receiver: Receiver
) -> None:
    configured.variables["TELEMETRY_REPORTER__PERIOD"] = "1h"
    configured("enable", "--yes")
    simulated.start_process(2)
    simulated.override["/telemetry/data"] = (500, "text/plain", b"down")
    first, second = configured("send"), configured("send")
    assert (first.status, second.status) == (5, 5)
    assert first.errors.count("\n") == 1
    assert second.stderr == b""
    del simulated.override["/telemetry/data"]
    assert configured("send").status == 0
    assert b'"root-process-instance-start":{"count":2}' in receiver.received[-1].body


def test_while_another_process_sends_it_ends_with_7_and_says_nothing(configured: Program) -> None:
    configured("enable", "--yes")
    with (configured.store.parent / "telemetry.db.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = configured("send")
    assert (done.status, done.stdout, done.stderr) == (7, b"", b"")


def test_an_engine_that_reports_by_itself_is_left_out(program: Program, receiver: Receiver) -> None:
    with SimulatedEngine("camunda-7.17.0") as engine:
        engine.own_reporter = True
        program.configure(f'endpoint = "{receiver.url}"\n[engines.orders]\nrest = "{engine.rest}"\n')
        assert "reports by itself" in program("enable", "--yes").text
        assert program("send").status == 0
        assert program("send", "--force").status == 4
        assert receiver.received == []
        assert "reports by itself" in program("status").text
        program.variables["TELEMETRY_ENGINES__ORDERS__OWN_REPORTER"] = "off"
        assert program("send").status == 0
    assert len(receiver.received) == 2


def test_initialize_telemetry_counts_at_the_first_run_and_never_again(configured: Program, receiver: Receiver) -> None:
    on = {"TELEMETRY_INITIALIZE_TELEMETRY": "true"}
    assert configured("send", variables=on).status == 0
    assert len(receiver.received) == 2
    configured("disable")
    assert configured("send", variables=on).status == 0
    assert configured("status", "--json", variables=on).data["engines"][0]["state"] == "disabled"


def test_initialize_telemetry_after_the_first_run_has_no_effect(configured: Program, receiver: Receiver) -> None:
    assert configured("send").status == 0
    assert configured("send", variables={"TELEMETRY_INITIALIZE_TELEMETRY": "true"}).status == 0
    assert receiver.received == []
