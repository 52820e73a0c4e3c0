"""`telemetry send --final`: what an engine's stop runs; it is quick and never fails the stop."""

from __future__ import annotations

import fcntl
import time

import pytest

from tests.support.ports import free_port
from tests.support.program import Program
from tests.support.raw_server import Peer, RawServer
from tests.support.receiver import Receiver
from tests.support.simulated_engine import SimulatedEngine


def test_it_sends_what_came_since_the_last_report_and_says_nothing(
    configured: Program, simulated: SimulatedEngine, receiver: Receiver
) -> None:
    configured("enable", "--yes")
    configured("send")
    simulated.start_process(4)
    done = configured("send", "--final")
    assert (done.status, done.stdout, done.stderr) == (0, b"", b"")
    assert b'"root-process-instance-start":{"count":4}' in receiver.received[2].body
    assert [report["trigger"] for report in configured("history", "--json").data["reports"]] == ["final", "due", "due"]


def test_without_consent_it_is_silent_and_asks_nobody(
    configured: Program, simulated: SimulatedEngine, receiver: Receiver
) -> None:
    done = configured("send", "--final")
    assert (done.status, done.stdout, done.stderr) == (0, b"", b"")
    assert (simulated.requests, receiver.received) == ([], [])


def test_an_engine_and_a_receiver_that_are_gone_are_said_and_fail_nothing(
    configured: Program, simulated: SimulatedEngine
) -> None:
    configured("enable", "--yes")
    configured("send")
    dead = f"http://127.0.0.1:{free_port()}"
    gone = configured("send", "--final", variables={"TELEMETRY_ENGINES__ORDERS__REST": f"{dead}/engine-rest"})
    assert (gone.status, gone.errors.count("\n")) == (0, 1)
    assert "gives no answer: connection refused" in gone.errors
    configured.variables["TELEMETRY_ENDPOINT"] = f"{dead}/pings"
    configured("enable", "--yes")
    simulated.start_process()
    lost = configured("send", "--final")
    assert (lost.status, lost.errors.count("\n")) == (0, 1)
    assert "was not delivered" in lost.errors
    shown = configured("send", "--final", "--json")
    assert (shown.status, shown.json["ok"]) == (0, True)
    assert [one["code"] for one in shown.data["failed"]] == ["delivery-failed"]


def test_an_engine_and_a_receiver_that_hang_hold_the_stop_up_for_seconds_at_most(
    configured: Program, simulated: SimulatedEngine
) -> None:
    configured("enable", "--yes")
    configured("send")
    simulated.start_process(2)
    with RawServer(Peer.hang) as black_hole:
        configured.variables["TELEMETRY_ENDPOINT"] = f"http://127.0.0.1:{black_hole.port}/pings"
        configured("enable", "--yes")
        hanging = f"http://127.0.0.1:{black_hole.port}/engine-rest"
        configured.variables["TELEMETRY_ENGINES__ORDERS__NODES"] = ",".join(f"{hanging}{node}" for node in range(8))
        configured.config.write_text(f'endpoint = "{configured.variables["TELEMETRY_ENDPOINT"]}"\n', encoding="utf-8")
        begun = time.monotonic()
        done = configured("send", "--final", variables={"TELEMETRY_REPORTER__FINAL_DEADLINE": "2s"})
        took = time.monotonic() - begun
    assert done.status == 0
    assert took < 12, "their own limits are 15 s for the engine and 60 s for the receiver"


@pytest.mark.parametrize(
    ("harm", "said"), [("locked", b""), ("garbage", b"was damaged"), ("directory", b"Is a directory")]
)
def test_a_store_that_cannot_be_used_or_is_in_use_fails_nothing(harm: str, said: bytes, configured: Program) -> None:
    if harm == "directory":
        configured.store.mkdir(parents=True)
    else:
        configured("enable", "--yes")
    if harm == "garbage":
        configured.store.write_bytes(b"this is no database" * 1000)
    with (configured.store.parent / "telemetry.db.lock").open("w") as lock:
        if harm == "locked":
            fcntl.flock(lock, fcntl.LOCK_EX)
        done = configured("send", "--final")
    assert done.status == 0
    assert said in done.stderr
    assert done.stderr.count(b"\n") == (1 if said else 0)


@pytest.mark.parametrize("other", ["--initial", "--force", "--dry-run"])
def test_it_goes_with_no_other_way_of_sending(other: str, configured: Program) -> None:
    done = configured("send", "--final", other)
    assert done.status == 2
    assert "Leave --initial, --force, --dry-run out." in done.errors


def test_a_wrong_configuration_is_said_as_always(program: Program) -> None:
    program.configure('[reporter]\nfinal-deadline = "0s"\n')
    done = program("send", "--final")
    assert done.status == 3
    assert "reporter.final-deadline is not a length of time" in done.errors
