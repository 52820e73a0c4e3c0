"""`telemetry run` beside a real engine that is killed, started again and stopped: what it counted arrives once."""

from __future__ import annotations

import json
import os
import signal
import time
from collections import Counter
from pathlib import Path

import pytest

from telemetry_core.model import Millis, Trigger
from telemetry_core.store import Store
from tests.engines import Engine
from tests.support.program import Program
from tests.support.receiver import Receiver
from tests.support.waiting import until

STARTING = "StartProcessInstanceCmd"


def configuration(receiver: Receiver, engine: Engine, *, period: str) -> str:
    """Short times: a look at an engine that gives no answer, at least every period."""
    return (
        f'endpoint = "{receiver.url}"\n'
        f'[reporter]\nperiod = "{period}"\nsample-period = "1s"\ninitial-delay = "1s"\n'
        f'[engines.orders]\nrest = "{engine.rest}"\n'
    )


def counted(receiver: Receiver) -> Counter[str]:
    """Process instances in all reports, by the metric and by the command that starts them."""
    total: Counter[str] = Counter()
    for body in receiver.committed.values():
        internals = json.loads(body)["product"]["internals"]
        for point, name in (("metrics", "root-process-instance-start"), ("commands", STARTING)):
            total[point] += internals.get(point, {}).get(name, {"count": 0})["count"]
    return total


def read_by_now(program: Program) -> None:
    """Wait until everything that the engine has counted by now is read."""
    now = time.time_ns() // 1_000_000

    def read_at() -> Millis:
        with Store.for_reading(program.store, now) as store:
            contact = store.contacts.get("orders")
        return 0 if contact is None else contact.at

    until(lambda: read_at() > now + 1, "a reading")


def triggers(program: Program) -> list[str]:
    return [report["trigger"] for report in program("history", "--json").data["reports"]]


@pytest.mark.engine
def test_what_an_engine_counted_in_two_lives_arrives_once_and_what_died_unread_does_not(
    program: Program, receiver: Receiver, tmp_path: Path
) -> None:
    with Engine.start("camunda-7.24.0", database=tmp_path / "engine") as engine:
        program.configure(configuration(receiver, engine, period="10m"))
        engine.start_process(50)
        assert program("enable", "--yes").status == 0
        with program.running("run") as running:
            until(lambda: len(receiver.received) == 2, "the first reports")
            engine.start_process(3)
            engine.flush()
            read_by_now(program)

            os.kill(running.pid, signal.SIGSTOP)
            time.sleep(0.5)  # for what it had asked already
            engine.start_process(9)
            engine.kill()
            program.configure(configuration(receiver, engine, period="5s"))
            os.kill(running.pid, signal.SIGHUP)
            os.kill(running.pid, signal.SIGCONT)
            until(lambda: counted(receiver) == {"metrics": 3, "commands": 3}, "the final report of the first life")
            assert triggers(program) == [Trigger.FINAL, Trigger.DUE, Trigger.DUE]

            engine.restart()
            assert len(receiver.received) <= 4, "no request until it answers again, but perhaps one since then"
            engine.start_process(4)
            until(lambda: counted(receiver) == {"metrics": 7, "commands": 7}, "the reports of the second life")

            engine.start_process(2)
            read_by_now(program)
            assert engine.stop(), "a reporter beside it keeps no engine from stopping"
            until(lambda: counted(receiver) == {"metrics": 9, "commands": 9}, "what was read before the stop")
            done = running.end(signal.SIGTERM)
    assert (done.status, done.stdout) == (0, b"")
    assert {line.partition(" gives no answer")[0] for line in done.errors.splitlines()} <= {
        f"telemetry: Engine orders at {engine.rest}"
    }
    assert counted(receiver) == {"metrics": 9, "commands": 9}
