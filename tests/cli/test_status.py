"""What `status` and others say of what will happen: before the first run, in trouble, when something forbids it."""

from __future__ import annotations

from tests.support.ports import free_port
from tests.support.program import Program
from tests.support.receiver import Receiver, Reply
from tests.support.simulated_engine import SimulatedEngine

FIRST_RUN = {"TELEMETRY_INITIALIZE_TELEMETRY": "true"}


def test_before_the_first_run_everything_says_what_it_will_send(configured: Program, receiver: Receiver) -> None:
    said = configured("status", variables=FIRST_RUN).text
    assert "telemetry will be enabled (initialize-telemetry)" in said
    assert "due at the next send" in said, "the initial report"
    shown = configured("preview", "--json", variables=FIRST_RUN).data["reports"][0]
    assert shown["would-be-sent"] is True
    assert shown["initial-first"] is True
    planned = configured("send", "--dry-run", "--json", variables=FIRST_RUN).data["planned"]
    assert planned[0]["kinds"] == ["initial", "periodic"]
    assert configured("status", "--json", variables=FIRST_RUN).data["engines"][0]["state"] == "not-configured"
    assert receiver.received == []
    configured("send", variables=FIRST_RUN)
    assert len(receiver.received) == 2


def test_status_says_why_a_report_does_not_arrive_and_when_it_is_tried_again(configured: Program) -> None:
    dead = {"TELEMETRY_ENDPOINT": f"http://127.0.0.1:{free_port()}/pings", "TELEMETRY_REPORTER__RETRIES": "0"}
    configured("enable", "--yes", variables=dead)
    configured("send", variables=dead)
    text = configured("status", variables=dead).text
    assert "is not delivered after 1 attempts: connection refused" in text
    assert ", next attempt 20" in text
    assert "next attempt is at" in configured("preview", variables=dead).text


def test_status_says_that_the_counts_of_a_conflict_are_not_known_to_have_arrived(
    program: Program, simulated: SimulatedEngine
) -> None:
    with Receiver(lambda _: Reply(409)) as receiver:
        program.configure(f'endpoint = "{receiver.url}"\n[engines.orders]\nrest = "{simulated.rest}"\n')
        program("enable", "--yes")
        assert program("send").status == 6
    assert [report["state"] for report in program("history", "--json").data["reports"]] == ["conflict", "accepted"]
    assert "not known to have arrived" in program("status").text


def test_status_says_what_an_engine_failed_at_last(configured: Program, simulated: SimulatedEngine) -> None:
    configured("enable", "--yes")
    simulated.override["/telemetry/data"] = (500, "text/plain", b"")
    configured("send")
    assert "answers 500. (less than a minute ago)" in configured("status").text
    del simulated.override["/telemetry/data"]
    configured("send")
    assert configured("status", "--json").data["engines"][0]["trouble"] is None


def test_disable_says_truly_what_becomes_of_the_initial_report(configured: Program) -> None:
    off = {"TELEMETRY_REPORTER_ACTIVATE": "false"}
    assert "not sent: The reporter is switched off" in configured("disable", variables=off).text
    configured("send")
    assert "Initial report: accepted 20" in configured("disable").text


def test_enable_says_what_keeps_anything_from_being_sent_and_what_it_lifts(configured: Program) -> None:
    configured("disable", "--no-requests")
    text = configured("enable", "--yes", variables={"DO_NOT_TRACK": "1"}).text
    assert "what `telemetry disable --no-requests` forbade for orders" in text
    assert "But nothing is sent for now: DO_NOT_TRACK is set" in text


def test_a_variable_that_is_nearly_a_settings_is_refused_and_others_are_not(configured: Program) -> None:
    done = configured("status", variables={"TELEMETRY_REPORTR__PERIOD": "1h"})
    assert done.status == 3
    assert "The nearest variable is TELEMETRY_REPORTER__PERIOD." in done.errors
    others = {"TELEMETRY_SERVICE_HOST": "10.0.0.1", "TELEMETRY_PORT_80_TCP": "x", "TELEMETRY_ENDPOINT": ""}
    assert configured("status", variables=others).status == 0


def test_unset_of_what_is_not_set_there_changes_nothing_and_says_so(configured: Program) -> None:
    assert "Nothing to change" in configured("config", "unset", "endpoint").text
    assert not (configured.directory / "telemetry.d" / "90-cli.toml").exists()


def test_entries_of_one_installation_that_name_different_databases_are_reported_without_asking_any(
    program: Program, receiver: Receiver, simulated: SimulatedEngine
) -> None:
    entries = "".join(f'[engines.{name}]\nrest = "{simulated.rest}"\n' for name in ("orders", "copy"))
    program.configure(f'endpoint = "{receiver.url}"\n{entries}')
    assert program("disable").status == 0
    assert program("send").status == 0
    assert [one["copies"] for one in program("status", "--json").data["engines"]] == [None, None]
    databases = {
        f"TELEMETRY_ENGINES__{name.upper()}__DATABASE": f"postgresql://reader@127.0.0.1:9/{name}"
        for name in ("orders", "copy")
    }
    for engine in program("status", "--json", variables=databases).data["engines"]:
        assert engine["copies"].startswith("Entries copy, orders show one installation and name different databases")
