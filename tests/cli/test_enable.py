"""`telemetry enable`: who decided, what was shown, what follows from it, and what prevents it."""

from __future__ import annotations

from tests.support.ports import free_port
from tests.support.program import Program
from tests.support.receiver import Receiver
from tests.support.simulated_engine import Answer, SimulatedEngine


def test_without_a_terminal_the_missing_answer_is_an_error_that_names_the_option(configured: Program) -> None:
    done = configured("enable")
    assert done.status == 2
    assert done.errors == "telemetry: There is no terminal to ask on. Add --yes to enable without being asked.\n"
    assert configured("status", "--json").data["engines"][0]["state"] == "not-configured"


def test_legal_note_fields_endpoint_and_undo_are_shown_before_anything_is_recorded(
    configured: Program, receiver: Receiver
) -> None:
    text = configured("enable", "--yes").text
    positions = [
        text.index(part)
        for part in ("Legal note.", receiver.url, "24h", "product.internals.metrics", "telemetry disable", "is enabled")
    ]
    assert positions == sorted(positions)


def test_the_decision_records_who_decided_on_whose_authority_and_why(configured: Program, receiver: Receiver) -> None:
    done = configured("enable", "--yes", "--authorized-by", "Ada", "--reason", "ticket 7", "--json").data
    decision = done["engines"][0]
    assert decision["changed"] is True
    assert decision["state"] == "enabled"
    assert decision["authorized-by"] == "Ada"
    assert decision["reason"] == "ticket 7"
    assert decision["how"] == "command"
    assert decision["endpoint"] == f"http://127.0.0.1:{receiver.port}"
    assert decision["decided-by"]


def test_enabling_again_changes_neither_decision_nor_base(configured: Program, simulated: SimulatedEngine) -> None:
    first = configured("enable", "--yes", "--json").data["engines"][0]
    simulated.start_process(3)
    second = configured("enable", "--yes", "--json").data["engines"][0]
    assert second["changed"] is False
    assert second["decided-at"] == first["decided-at"]
    body = configured("preview", "--raw").text
    assert '"root-process-instance-start":{"count":3}' in body


def test_an_engine_that_does_not_answer_is_not_enabled(program: Program, receiver: Receiver) -> None:
    program.configure(
        f'endpoint = "{receiver.url}"\n[engines.orders]\nrest = "http://127.0.0.1:{free_port()}/engine-rest"\n'
    )
    done = program("enable", "--yes")
    assert done.status == 5
    assert "connection refused" in done.errors
    assert program("status", "--json").data["engines"][0]["state"] == "not-configured"


def test_without_an_endpoint_there_is_nothing_to_consent_to(program: Program, simulated: SimulatedEngine) -> None:
    program.configure(f'[engines.orders]\nrest = "{simulated.rest}"\n')
    done = program("enable", "--yes")
    assert done.status == 3
    assert "TELEMETRY_ENDPOINT" in done.errors


def test_another_endpoint_needs_consent_again_and_moves_no_base(
    configured: Program, simulated: SimulatedEngine, receiver: Receiver
) -> None:
    configured("enable", "--yes")
    simulated.start_process(2)
    with Receiver() as other:
        moved = {"TELEMETRY_ENDPOINT": other.url}
        assert configured("send", variables=moved).status == 0
        assert configured("send", "--force", variables=moved).status == 4
        assert other.received == receiver.received == []
        assert configured("enable", "--yes", variables=moved).status == 0
        assert configured("send", variables=moved).status == 0
        assert len(other.received) == 2
    assert b'"root-process-instance-start":{"count":2}' in other.received[1].body


def test_one_of_several_engines_can_be_enabled_alone(program: Program, receiver: Receiver) -> None:
    with SimulatedEngine() as one, SimulatedEngine("operaton-1.0.3") as two:
        program.configure(
            f'endpoint = "{receiver.url}"\n[engines.one]\nrest = "{one.rest}"\n[engines.two]\nrest = "{two.rest}"\n'
        )
        assert program("enable", "--engine", "t*", "--yes").status == 0
        states = {engine["name"]: engine["state"] for engine in program("status", "--json").data["engines"]}
    assert states == {"one": "not-configured", "two": "enabled"}
    assert one.requests == []


def test_a_name_that_no_engine_has_is_a_usage_error_with_the_names_there_are(configured: Program) -> None:
    done = configured("enable", "--engine", "bestellungen", "--yes")
    assert done.status == 2
    assert "Configured are: orders." in done.errors


def test_who_disables_meanwhile_is_not_overridden(configured: Program, simulated: SimulatedEngine) -> None:
    def answer() -> Answer:
        del simulated.override["/telemetry/data"]
        assert configured("disable").status == 0
        return simulated.answer("/engine-rest/telemetry/data")

    simulated.override["/telemetry/data"] = answer
    result = configured("enable", "--yes")
    assert result.status == 4
    assert "Somebody else has decided for orders meanwhile; nothing was changed." in result.errors
    assert "telemetry consent --engine orders" in result.errors
    assert configured("status", "--json").data["engines"][0]["state"] == "disabled"
