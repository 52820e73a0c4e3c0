"""`telemetry run` beside a real engine that is killed, started again and stopped: what it counted arrives once."""

from __future__ import annotations

import json
import os
import signal
import time
from collections import Counter
from pathlib import Path

import pytest

from telemetry_core.model import Kind, Millis, Trigger
from telemetry_core.store import Store
from tests.engines import Engine
from tests.support.program import Program, Running
from tests.support.receiver import Receiver
from tests.support.waiting import until

STARTING = "StartProcessInstanceCmd"
SETTINGS = '[reporter]\nperiod = "5s"\nsample-period = "1s"\ninitial-delay = "1s"\n'


def counted(receiver: Receiver) -> Counter[str]:
    """Process instances in all reports, by the metric and by the command that starts them."""
    total: Counter[str] = Counter()
    for body in receiver.committed.values():
        internals = json.loads(body)["product"]["internals"]
        for point, name in (("metrics", "root-process-instance-start"), ("commands", STARTING)):
            total[point] += internals.get(point, {}).get(name, {"count": 0})["count"]
    return total


def kept(program: Program) -> tuple[Millis, int]:
    """When the engine was last read, and the process instances that are counted and in no report yet."""
    with Store.for_reading(program.store, 0) as store:
        contact = store.contacts.get("orders")
        ledger = None if contact is None else store.ledgers.get(contact.installation)
        pending = None if contact is None else store.reports.pending(contact.installation, Kind.PERIODIC)
    if contact is None or ledger is None:
        return 0, 0
    return contact.at, 0 if pending is not None else (ledger.accumulated.commands or {}).get(STARTING, 0)


def read_by_now(program: Program) -> None:
    """Wait until everything that the engine has counted by now is read."""
    now = time.time_ns() // 1_000_000
    until(lambda: kept(program)[0] > now + 1, "a reading")


def freeze_with_something_left(program: Program, running: Running, engine: Engine) -> int:
    """Work until something was read that is in no report, and stop the reporter there; how much work it was."""
    times = 0
    while True:
        engine.start_process()
        times += 1
        read_by_now(program)
        os.kill(running.pid, signal.SIGSTOP)
        if kept(program)[1]:
            return times
        os.kill(running.pid, signal.SIGCONT)


def triggers(program: Program) -> list[str]:
    return [report["trigger"] for report in program("history", "--json").data["reports"]]


@pytest.mark.engine("camunda-7.24.0")
def test_what_an_engine_counted_in_two_lives_arrives_once_and_what_died_unread_does_not(
    program: Program, receiver: Receiver, tmp_path: Path
) -> None:
    with Engine.start("camunda-7.24.0", database=tmp_path / "engine") as engine:
        program.configure(f'endpoint = "{receiver.url}"\n{SETTINGS}[engines.orders]\nrest = "{engine.rest}"\n')
        engine.start_process(50)
        assert program("enable", "--yes").status == 0
        with program.running("run") as running:
            first = freeze_with_something_left(program, running, engine)
            engine.flush()
            engine.start_process(9)  # it cannot see them any more
            engine.kill()
            os.kill(running.pid, signal.SIGCONT)
            until(lambda: counted(receiver) == {"metrics": first, "commands": first}, "the reports of the first life")
            assert triggers(program)[0] == Trigger.FINAL

            before = len(receiver.received)
            engine.restart()
            assert len(receiver.received) <= before + 1, "no request until it answers again"
            engine.start_process(4)
            both = {"metrics": first + 4, "commands": first + 4}
            until(lambda: counted(receiver) == both, "the reports of the second life")

            engine.start_process(2)
            read_by_now(program)
            assert engine.stop(), "a reporter beside it keeps no engine from stopping"
            every = {name: count + 2 for name, count in both.items()}
            until(lambda: counted(receiver) == every, "what was read before the stop")
            done = running.end(signal.SIGTERM)
    assert (done.status, done.stdout) == (0, b"")
    assert {line.partition(" gives no answer")[0] for line in done.errors.splitlines()} <= {
        f"telemetry: Engine orders at {engine.rest}"
    }
    assert counted(receiver) == every
