"""A store that is damaged or gone, as an administrator meets it: reading says 8, deciding and sending go on.

DESIGN §6: never a new installation, never a second initial report, never telemetry switched on by a loss.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.program import Program
from tests.support.receiver import Receiver
from tests.support.simulated_engine import SimulatedEngine

READING = (["status"], ["history", "--verify"], ["preview"], ["environment"])


@pytest.fixture
def reporting(configured: Program, receiver: Receiver) -> Program:
    """A program that has sent its two reports."""
    assert configured("enable", "--yes").status == 0
    assert configured("send").status == 0
    assert len(receiver.received) == 2
    return configured


def damage(program: Program) -> None:
    content = bytearray(program.store.read_bytes())
    at = content.rindex(b'"state":"enabled"')
    content[at : at + 17] = b'"state":"enbaled"'
    program.store.write_bytes(content)


def garble(program: Program) -> None:
    program.store.write_bytes(b"garbage")


def lose(program: Program) -> None:
    program.store.unlink()


def empty(program: Program) -> None:
    program.store.write_bytes(b"")


LOSSES = pytest.mark.parametrize("happen", [damage, garble, lose, empty])
DAMAGES = pytest.mark.parametrize("happen", [damage, garble])


def kept(program: Program) -> list[Path]:
    return sorted(program.store.parent.glob("telemetry.db.damaged-*"))


def content(program: Program) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in program.store.parent.iterdir()}


@DAMAGES
@pytest.mark.parametrize("command", READING)
def test_commands_that_read_say_it_and_touch_nothing(
    command: list[str], happen: Callable[[Program], None], reporting: Program
) -> None:
    happen(reporting)
    before = content(reporting)
    done = reporting(*command)
    assert (done.status, done.stdout) == (8, b"")
    assert "damaged" in done.errors
    assert content(reporting) == before


@DAMAGES
@pytest.mark.parametrize("command", [["preview", "--keep"], ["license", "remove"]])
def test_commands_that_only_change_something_say_it_and_touch_nothing(
    command: list[str], happen: Callable[[Program], None], reporting: Program
) -> None:
    happen(reporting)
    before = content(reporting)
    assert reporting(*command).status in (0, 8)  # what they do not read they do not find damaged
    assert content(reporting) == before


@DAMAGES
@pytest.mark.parametrize("command", [["send"], ["enable", "--yes"], ["disable"]])
def test_commands_that_must_go_on_keep_what_is_damaged(
    command: list[str], happen: Callable[[Program], None], reporting: Program
) -> None:
    happen(reporting)
    before = reporting.store.read_bytes()
    done = reporting(*command)
    assert [path.read_bytes() for path in kept(reporting)] == [before]
    assert "telemetry.db was damaged and is kept as " in done.errors
    assert done.errors.count("\n") == 1
    assert done.status == (8 if command == ["send"] else 0)


@LOSSES
def test_after_a_loss_nothing_leaves_by_itself_and_send_says_it_once(
    happen: Callable[[Program], None], reporting: Program, simulated: SimulatedEngine, receiver: Receiver
) -> None:
    reporting.variables["TELEMETRY_INITIALIZE_TELEMETRY"] = "true"
    happen(reporting)
    asked = len(simulated.requests)
    first, second = reporting("send"), reporting("send")
    assert (first.status, first.stdout) == (8, b"")
    assert "a new one is in its place, and telemetry is not configured." in first.errors
    assert (second.status, second.stdout, second.stderr) == (0, b"", b"")
    assert len(receiver.received) == 2
    assert len(simulated.requests) == asked
    (said,) = reporting("status", "--json").data["engines"]
    assert said["state"] == "not-configured"
    assert said["initial-obstacle"].startswith("The store was lost: the initial report counts as sent until ")


@pytest.mark.parametrize("happen", [lose, empty])
def test_status_knows_of_the_loss_before_anything_is_written(
    happen: Callable[[Program], None], reporting: Program
) -> None:
    reporting.variables["TELEMETRY_INITIALIZE_TELEMETRY"] = "true"
    happen(reporting)
    before = content(reporting)
    done = reporting("status")
    assert done.status == 0
    assert "The store was lost" in " ".join(done.text.split())
    assert "enabled (initialize-telemetry)" not in done.text
    assert content(reporting) == before


@LOSSES
def test_what_is_decided_after_a_loss_holds_and_the_initial_report_has_the_id_it_had(
    happen: Callable[[Program], None], reporting: Program, simulated: SimulatedEngine, receiver: Receiver
) -> None:
    happen(reporting)
    reporting("send")
    assert reporting("send", "--initial").status == 4
    assert reporting("enable", "--yes").status == 0
    simulated.start_process(4)
    assert reporting("send").status == 0
    assert receiver.keys[2] == receiver.keys[0]  # a receiver that honours keys has one initial report
    internals = json.loads(receiver.received[3].body)["product"]["internals"]
    assert internals["metrics"]["root-process-instance-start"]["count"] == 4  # and nothing of before the loss


@LOSSES
def test_disabling_after_a_loss_is_all_that_it_takes_to_be_off(
    happen: Callable[[Program], None], reporting: Program, receiver: Receiver
) -> None:
    happen(reporting)
    assert reporting("disable", "--no-requests").status == 0
    assert reporting("send").status == 0
    assert len(receiver.received) == 2
    assert reporting("status", "--json").data["engines"][0]["state"] == "disabled"


def test_a_lost_store_is_said_by_whatever_command_comes_first(reporting: Program) -> None:
    lose(reporting)
    done = reporting("enable", "--yes", "--json")
    assert done.json["ok"]
    assert done.errors.startswith("telemetry: The store ")
    assert "is gone; a new one is in its place" in done.errors


def test_a_store_of_a_newer_release_is_never_set_aside(reporting: Program) -> None:
    with sqlite3.connect(reporting.store) as connection:
        connection.execute("INSERT INTO migration (version, applied_at) VALUES (1000, 0)")
    connection.close()
    before = content(reporting)
    for command in (["send"], ["enable", "--yes"], ["disable"], ["status"]):
        assert reporting(*command).status == 8
    assert content(reporting) == before


def test_another_programs_file_is_never_set_aside(configured: Program) -> None:
    configured.store.parent.mkdir()
    configured.store.write_bytes(b"Dear aunt,")
    for command in (["send"], ["enable", "--yes"], ["disable"], ["status"]):
        done = configured(*command)
        assert done.status == 8
        assert "damaged" in done.errors
    assert content(configured) == {"telemetry.db": b"Dear aunt,"}
