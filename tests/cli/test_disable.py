"""`telemetry disable`: contacts nothing, and what was not sent by then never leaves."""

from __future__ import annotations

from tests.support.program import Program
from tests.support.receiver import Receiver
from tests.support.simulated_engine import SimulatedEngine


def test_it_contacts_nothing(configured: Program, simulated: SimulatedEngine, receiver: Receiver) -> None:
    configured("enable", "--yes")
    before = len(simulated.requests)
    assert configured("disable").status == 0
    assert len(simulated.requests) == before
    assert receiver.received == []


def test_what_was_not_sent_by_then_never_leaves(
    configured: Program, simulated: SimulatedEngine, receiver: Receiver
) -> None:
    configured("enable", "--yes")
    simulated.start_process(5)
    configured("preview", "--keep")
    configured("disable")
    simulated.start_process(7)
    assert configured("send").status == 0
    configured("enable", "--yes")
    simulated.start_process(2)
    assert configured("send").status == 0
    states = [(report["kind"], report["state"]) for report in configured("history", "--json").data["reports"]]
    assert states == [("periodic", "accepted"), ("initial", "accepted"), ("periodic", "withdrawn")]
    assert b'"telemetry-enabled":false' in receiver.received[0].body
    assert b'"root-process-instance-start":{"count":2}' in receiver.received[1].body
    assert len(receiver.received) == 2


def test_no_requests_forbids_the_initial_report_too_until_enabled_again(
    configured: Program, receiver: Receiver
) -> None:
    said = configured("disable", "--no-requests").text
    assert said.rstrip().endswith("--no-requests`."), "one full stop"
    assert configured("send").status == 0
    assert configured("send", "--initial").status == 4
    configured("disable")
    assert configured("send").status == 0
    assert receiver.received == []
    configured("enable", "--yes")
    assert configured("send").status == 0
    assert len(receiver.received) == 2


def test_disabled_by_decision_the_initial_report_still_goes_once_as_it_did_in_the_engine(
    configured: Program, receiver: Receiver
) -> None:
    configured("disable")
    for _ in range(3):
        assert configured("send").status == 0
    assert len(receiver.received) == 1
    assert b'"internals":{"telemetry-enabled":false}' in receiver.received[0].body
