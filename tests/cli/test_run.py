"""`telemetry run`: signals, systemd, the end of another process; nothing of it needs a terminal."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from tests.support.manager import Manager
from tests.support.ports import free_port
from tests.support.program import Program, Running
from tests.support.raw_server import Peer, RawServer
from tests.support.receiver import Receiver
from tests.support.simulated_engine import SimulatedEngine
from tests.support.waiting import until

SOON = {"TELEMETRY_REPORTER__INITIAL_DELAY": "1s"}


def reports(receiver: Receiver, count: int) -> None:
    """Wait for so many requests."""
    until(lambda: len(receiver.received) >= count, f"{count} reports")


def triggers(program: Program) -> list[str]:
    return [report["trigger"] for report in program("history", "--json").data["reports"]]


@pytest.fixture
def enabled(configured: Program) -> Program:
    assert configured("enable", "--yes").status == 0
    configured.variables.update(SOON)
    return configured


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_to_end_gives_one_final_report_and_then_0(
    number: signal.Signals, enabled: Program, simulated: SimulatedEngine, receiver: Receiver
) -> None:
    with enabled.running("run") as running:
        reports(receiver, 2)
        simulated.start_process(4)
        done = running.end(number)
    assert (done.status, done.stdout, done.stderr) == (0, b"", b"")
    assert len(receiver.received) == 3
    assert b'"root-process-instance-start":{"count":4}' in receiver.received[2].body
    assert triggers(enabled) == ["final", "due", "due"]


def test_it_is_told_to_end_while_it_waits_and_does_so_at_once(configured: Program, receiver: Receiver) -> None:
    assert configured("enable", "--yes").status == 0
    with Manager.at(configured.directory) as manager:
        with configured.running("run", variables={"NOTIFY_SOCKET": manager.address}) as running:
            manager.await_word("READY=1")
            assert running.end(signal.SIGTERM, timeout=30).status == 0, "it waits five minutes for its first check"
        assert manager.listen() == ["READY=1", "STOPPING=1"]
    assert len(receiver.received) == 1, "the final report, and no initial one"


def test_reports_go_every_period_and_a_summary_ends_it(
    enabled: Program, simulated: SimulatedEngine, receiver: Receiver
) -> None:
    enabled.variables["TELEMETRY_REPORTER__PERIOD"] = "2s"
    with enabled.running("run", "--json") as running:
        reports(receiver, 4)
        done = running.end(signal.SIGTERM)
    assert done.json["ok"]
    assert done.data["ended-by"] == "SIGTERM"
    assert done.data["accepted"] == len(receiver.received)
    assert (done.data["failures"], done.data["ended-in-time"]) == (0, True)
    assert triggers(enabled)[1:] == ["due"] * (len(receiver.received) - 1)


def test_hup_reads_the_configuration_anew_and_a_wrong_one_is_said_and_left_alone(
    enabled: Program, simulated: SimulatedEngine, receiver: Receiver
) -> None:
    good = enabled.config.read_text(encoding="utf-8")
    with (
        Manager.at(enabled.directory) as manager,
        enabled.running("run", variables={"NOTIFY_SOCKET": manager.address}) as running,
    ):
        reports(receiver, 2)
        enabled.configure("endpiont = 1\n")
        _signal(running, signal.SIGHUP)
        manager.await_word("READY=1", 2)
        enabled.configure(good.replace("[engines", '[reporter]\nperiod = "2s"\n[engines'))
        _signal(running, signal.SIGHUP)
        manager.await_word("READY=1", 3)
        reports(receiver, 4)
        done = running.end(signal.SIGTERM)
    assert done.status == 0
    assert done.errors.count("\n") == 1
    assert "there is no setting endpiont" in done.errors
    told = [one for one in manager.told if not one.startswith("WATCHDOG")]
    assert [one.partition("\n")[0] for one in told[:5]] == [
        "READY=1",
        "RELOADING=1",
        "READY=1",
        "RELOADING=1",
        "READY=1",
    ]
    assert int(told[1].partition("MONOTONIC_USEC=")[2]) < int(told[3].partition("MONOTONIC_USEC=")[2])


def test_no_signal_is_lost_that_came_while_the_process_stood_still(configured: Program) -> None:
    with (
        Manager.at(configured.directory) as manager,
        configured.running("run", variables={"NOTIFY_SOCKET": manager.address}) as running,
    ):
        manager.await_word("READY=1")
        for times in range(2, 22):  # as it goes on, the kernel may give it to any thread that wants it
            for number in (signal.SIGSTOP, signal.SIGHUP, signal.SIGCONT):
                _signal(running, number)
            manager.await_word("READY=1", times)
        assert running.end(signal.SIGTERM).status == 0


def test_systemd_gets_a_sign_of_life_twice_as_often_as_it_wants_one(configured: Program) -> None:
    watched = {"WATCHDOG_USEC": "200000"}
    with Manager("@telemetry-test-" + configured.directory.name) as manager:
        with configured.running("run", variables={**watched, "NOTIFY_SOCKET": manager.address}) as running:
            manager.await_word("WATCHDOG=1", 3)
            running.end(signal.SIGTERM)
        assert manager.told[0] == "READY=1"
        before = len(manager.listen())
        others = {**watched, "WATCHDOG_PID": "1", "NOTIFY_SOCKET": manager.address}
        with configured.running("run", variables=others) as running:
            manager.await_word("READY=1", 2)
            running.end(signal.SIGTERM)
        assert manager.listen()[before:] == ["READY=1", "STOPPING=1"], "it is for another process"


def test_it_ends_with_the_process_that_it_is_to_end_with(
    enabled: Program, simulated: SimulatedEngine, receiver: Receiver
) -> None:
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]) as other:
        try:
            with enabled.running("run", "--with", str(other.pid), "--json") as running:
                reports(receiver, 2)
                simulated.start_process(3)
                assert running.is_there
                other.kill()
                other.wait()
                done = running.end()
        finally:
            other.kill()
    assert (done.status, done.data["ended-by"]) == (0, "process")
    assert b'"root-process-instance-start":{"count":3}' in receiver.received[2].body
    assert triggers(enabled) == ["final", "due", "due"]


def test_no_failure_ends_it_and_each_is_said_once(enabled: Program, receiver: Receiver) -> None:
    enabled.variables["TELEMETRY_REPORTER__PERIOD"] = "1h"
    dead = {"TELEMETRY_ENGINES__ORDERS__REST": f"http://127.0.0.1:{free_port()}/engine-rest"}
    with Manager.at(enabled.directory) as manager:
        beats = {"NOTIFY_SOCKET": manager.address, "WATCHDOG_USEC": "1000000"}
        with enabled.running("run", variables={**dead, **beats}) as running:
            manager.await_word("WATCHDOG=1", 10)
            assert running.is_there
            _signal(running, signal.SIGHUP)
            manager.await_word("WATCHDOG=1", 14)
            done = running.end(signal.SIGTERM)
    assert done.status == 0
    said = done.errors.splitlines()
    assert len(said) <= 2, "one of the checks, one of the final report"
    assert all("gives no answer: connection refused" in one for one in said)


def test_a_store_that_cannot_be_used_is_said_and_ends_nothing(enabled: Program) -> None:
    with Manager.at(enabled.directory) as manager:
        blocked = {"TELEMETRY_STORE": "/dev/null/telemetry.db", "NOTIFY_SOCKET": manager.address}
        with enabled.running("run", variables=blocked) as running:
            manager.await_word("READY=1")
            _signal(running, signal.SIGHUP)
            manager.await_word("READY=1", 2)
            done = running.end(signal.SIGTERM)
    assert done.status == 0
    assert done.errors.count("\n") == 1
    assert "cannot be used" in done.errors


def test_an_end_is_not_held_up_by_an_endpoint_that_hangs(enabled: Program, simulated: SimulatedEngine) -> None:
    with RawServer(Peer.hang) as black_hole:
        enabled.variables["TELEMETRY_ENDPOINT"] = f"http://127.0.0.1:{black_hole.port}/pings"
        assert enabled("enable", "--yes").status == 0
        with enabled.running("run", "--json") as running:
            until(lambda: black_hole.peers, "a report on its way")
            done = running.end(signal.SIGTERM, timeout=40)
    assert done.status == 0
    assert done.data["ended-in-time"] is False
    assert enabled("status", "--json").data["engines"][0]["pending"]


def test_who_asks_a_second_time_does_not_wait_for_the_final_report(enabled: Program) -> None:
    with Manager.at(enabled.directory) as manager, RawServer(Peer.hang) as black_hole:
        enabled.variables["TELEMETRY_ENDPOINT"] = f"http://127.0.0.1:{black_hole.port}/pings"
        assert enabled("enable", "--yes").status == 0
        with enabled.running("run", variables={"NOTIFY_SOCKET": manager.address}) as running:
            until(lambda: black_hole.peers, "a report on its way")
            _signal(running, signal.SIGTERM)
            manager.await_word("STOPPING=1")
            time.sleep(1.2)  # what comes at once is the same request
            done = running.end(signal.SIGTERM, timeout=30)
    assert done.status in (143, -signal.SIGTERM)


def test_with_a_process_that_is_not_there_it_does_not_begin(configured: Program) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as other:
        other.wait()
    done = configured("run", "--with", str(other.pid))
    assert done.status == 2
    assert f"There is no process {other.pid}." in done.errors


def test_without_an_engine_or_with_one_that_is_not_configured_it_does_not_begin(
    program: Program, simulated: SimulatedEngine
) -> None:
    program.configure("")
    assert program("run").status == 3
    program.configure(f'[engines.orders]\nrest = "{simulated.rest}"\n')
    assert program("run", "--engine", "claims").status == 2


def _signal(running: Running, number: signal.Signals) -> None:
    os.kill(running.pid, number)


def test_a_damaged_store_is_set_aside_said_once_and_ends_nothing(enabled: Program, receiver: Receiver) -> None:
    content = bytearray(enabled.store.read_bytes())
    at = content.rindex(b'"state":"enabled"')
    content[at : at + 17] = b'"state":"enbaled"'
    enabled.store.write_bytes(content)
    with enabled.running("run") as running:
        until(lambda: list(enabled.store.parent.glob("telemetry.db.damaged-*")) != [], "the damaged store")
        until(enabled.store.exists, "another store")
        done = running.end(signal.SIGTERM)
    assert done.status == 0
    assert done.errors.count("\n") == 1
    assert "telemetry.db was damaged and is kept as " in done.errors
    assert receiver.received == []


def test_two_signals_at_once_are_one_request(enabled: Program, simulated: SimulatedEngine, receiver: Receiver) -> None:
    """As `timeout` of GNU sends them: to the process, and then to its group."""
    with enabled.running("run") as running:
        reports(receiver, 2)
        simulated.start_process(4)
        os.kill(running.pid, signal.SIGTERM)
        done = running.end(signal.SIGTERM)
    assert (done.status, done.stderr) == (0, b"")
    assert len(receiver.received) == 3
