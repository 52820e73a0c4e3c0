"""Real clients of the receiving service: engines with their own reporter, and `telemetry`, behind whatever meddles.

An engine reports what it has counted: initially (7.14), periodically and at its shutdown. What was stored and counts
is measured by the process instances that were started on it.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.engines import Engine, missing_tools
from tests.support.collecting import Collector, exported
from tests.support.meddling import Meddling, MeddlingProxy, Passage, Plan, always, in_turn
from tests.support.program import Program
from tests.support.waiting import until

pytestmark = pytest.mark.engine

RELEASES = [
    pytest.param("camunda-7.14.0", marks=pytest.mark.family),
    pytest.param("camunda-7.17.0", marks=pytest.mark.family),
    "camunda-7.21.0",
]
LATER = 10
"""Seconds after an engine's start at which it reports first; they stand for 5 minutes."""

TIMEOUT = 2.0
"""Seconds that engines wait for an answer; they stand for 15."""

LONG = 3600

#: Where answers are late: how many reports count twice, and how many process instances. The first attempt of the
#: periodic report had 3, or 4 where an initial one went before; the second had 1 more. Both attempts at the shutdown
#: had 2: the same bytes, but from 7.14, which executes a command of its own for each attempt, and counts it.
TWICE = {"camunda-7.14.0": (2, 4 + 2), "camunda-7.17.0": (1, 3), "camunda-7.21.0": (0, 0)}

ANSWERED = {Meddling.PASSED: [202], Meddling.REPEATED: [202, 202], Meddling.CUT: [], Meddling.SHORTENED: [400]}
"""What the service says to what a proxy makes of a report."""

Engines = Callable[[str], Engine]


@dataclass
class Fleet:
    """An engine that reports by itself, and where it reports to."""

    engine: Engine
    proxy: MeddlingProxy
    program: Program
    started: list[str] = field(default_factory=list)

    def start_process(self, times: int) -> None:
        self.started += self.engine.start_process(times)

    def wait_until_reported(self) -> None:
        """Until it has reported what it counts, and knows that it has."""

        def reported() -> bool:
            return any(counted(json.loads(one.body)) is not None and knows(one) for one in list(self.proxy.passages))

        until(reported, "a periodic report")
        time.sleep(1)

    def stop(self) -> None:
        """It stops, and reports."""
        assert self.engine.stop()

    def counting(self) -> list[int | None]:
        """The process instances of every report that is stored and counts, None for an initial one."""
        return [counted(one["report"]) for one in exported(self.program) if not one["duplicate"]]


@pytest.fixture(autouse=True)
def tools() -> None:
    """Java and Maven, where tests may be skipped without them."""
    reason = missing_tools()
    if reason is not None and not os.environ.get("TELEMETRY_TESTS_SKIP_NOTHING"):
        pytest.skip(reason)


@contextmanager
def reporting(release: str, program: Program, plan: Plan, *, period: int = LONG) -> Iterator[Fleet]:
    """An engine reports to the service by way of a proxy; 3 process instances are started before its first report."""
    program.config.touch()
    with Collector(program) as collector, MeddlingProxy(collector.port, plan, delay=TIMEOUT + 1) as proxy:
        properties = {
            "telemetry-endpoint": proxy.url,
            "telemetry-request-timeout": int(TIMEOUT * 1000),
            "telemetry-reporting-period": period,
            "initialize-telemetry": True,
            "engine.first-report-seconds": LATER,
        }
        with Engine.start(release, properties=properties) as engine:
            fleet = Fleet(engine, proxy, program)
            fleet.start_process(3)
            yield fleet
    assert collector.errors == b""


def counted(report: dict[str, Any]) -> int | None:
    """The process instances of a report; None for an initial one, which counts nothing."""
    metrics = report["product"]["internals"].get("metrics")
    return None if metrics is None else int(metrics["root-process-instance-start"]["count"])


def knows(passage: Passage) -> bool:
    """Whether the sender has the answer, and it was 202."""
    return passage.meddling in (Meddling.PASSED, Meddling.REPEATED) and passage.answers[:1] == [202]


def expected(release: str) -> list[int | None]:
    """What an engine reports, where all of it is stored once."""
    return [None, 3, 2] if release == "camunda-7.14.0" else [3, 2]


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize(
    "plan",
    [
        pytest.param(always(Meddling.PASSED), id="nobody meddles"),
        pytest.param(always(Meddling.REPEATED), id="a proxy repeats each request"),
        pytest.param(in_turn(Meddling.CUT, Meddling.SHORTENED, Meddling.PASSED), id="a proxy truncates two of three"),
    ],
)
def test_initial_periodic_and_shutdown_report_of_an_engine_are_stored_once_each(
    plan: Plan, release: str, program: Program
) -> None:
    with reporting(release, program, plan) as fleet:
        fleet.wait_until_reported()
        fleet.start_process(2)
        fleet.stop()
        stored = exported(program)
        assert fleet.counting() == expected(release)
        assert len(stored) == len(expected(release)), "a repeated report is not stored, a truncated one neither"
        known = [json.loads(one.body) for one in fleet.proxy.passages if knows(one)]
        assert [one["report"] for one in stored] == known, "each is what the engine knows to have arrived"
        assert all(one.answers == ANSWERED[one.meddling] for one in fleet.proxy.passages)


@pytest.mark.parametrize("release", RELEASES)
def test_where_answers_are_late_7_21_counts_once_by_its_start_date_and_older_ones_count_again(
    release: str, program: Program
) -> None:
    """Each first attempt is stored and its answer comes too late; work is done before the second, but at shutdown."""
    with reporting(release, program, in_turn(Meddling.DELAYED, Meddling.PASSED)) as fleet:
        fleet.proxy.meanwhile = lambda: fleet.start_process(1)
        fleet.wait_until_reported()
        fleet.proxy.meanwhile = lambda: None
        fleet.start_process(2)
        fleet.stop()
        counting = fleet.counting()
    reports, instances = TWICE[release]
    assert len(counting) == len(expected(release)) + reports
    assert sum(one or 0 for one in counting) == len(fleet.started) + instances


@pytest.mark.family
@pytest.mark.parametrize(
    ("release", "counting"),
    [
        ("camunda-7.14.0", [None, 3, 4, 5, 6, 2]),
        ("camunda-7.17.0", [3, 4, 5, 6, 2]),
        ("camunda-7.21.0", [6, 2]),
    ],
)
def test_where_every_answer_is_late_7_21_counts_what_its_next_period_says_and_older_ones_every_attempt(
    release: str, counting: list[int | None], program: Program
) -> None:
    """The engine gives up after three attempts, and a period later it reports all of it again."""
    initial = len(expected(release)) - 2

    def plan(number: int) -> Meddling:
        return Meddling.DELAYED if initial <= number < initial + 3 else Meddling.PASSED

    with reporting(release, program, plan, period=15) as fleet:
        fleet.proxy.meanwhile = lambda: fleet.start_process(1)
        fleet.wait_until_reported()
        fleet.start_process(2)
        fleet.stop()
        assert fleet.counting() == counting
    assert len(fleet.started) == 3 + 3 + 2


@pytest.mark.parametrize(
    ("plan", "attempts"),
    [
        pytest.param(always(Meddling.REPEATED), 1, id="a proxy repeats each request"),
        pytest.param(in_turn(Meddling.CUT, Meddling.PASSED), 2, id="a proxy truncates every other"),
        pytest.param(in_turn(Meddling.UNANSWERED, Meddling.PASSED), 2, id="answers are lost"),
        pytest.param(in_turn(Meddling.DELAYED, Meddling.PASSED), 2, id="answers are late"),
    ],
)
def test_what_telemetry_sends_is_stored_once_with_the_digest_of_its_preview(
    plan: Plan, attempts: int, engines: Engines, program: Program
) -> None:
    with sending(program, engines("camunda-7.24.0"), plan) as desk:
        assert program("preview", "--keep").status == 0
        previewed = program("preview", "--raw").stdout
        assert desk.send() == (0, ["accepted", "accepted"])
        initial, periodic = exported(program, "--store", desk.store)
        assert [one["duplicate"] for one in (initial, periodic)] == [False, False]
        assert periodic["report"] == json.loads(previewed)
        assert counted(periodic["report"]) == 3
        for one in (initial, periodic):
            (kept,) = program("history", one["id"], "--json").data["reports"]
            assert kept["attempts"] == attempts
            receipt = json.loads(kept["attempt-list"][-1]["answer"])
            assert (receipt["id"], receipt["sha256"]) == (one["id"], kept["sha256"])
            assert receipt["duplicate"] == (attempts == 2 and plan(0) is not Meddling.CUT) or attempts == 1
        assert kept["sha256"] == hashlib.sha256(previewed).hexdigest()


def test_a_report_of_telemetry_that_came_in_half_is_refused_and_its_counts_go_with_the_next(
    engines: Engines, program: Program
) -> None:
    engine = engines("camunda-7.24.0")
    with sending(program, engine, in_turn(Meddling.PASSED, Meddling.SHORTENED, Meddling.PASSED)) as desk:
        assert desk.send() == (6, ["accepted", "refused"])
        engine.start_process(2)
        assert desk.send("--force") == (0, ["accepted"])
        _, periodic = exported(program, "--store", desk.store)
        assert counted(periodic["report"]) == 3 + 2


def test_of_two_copies_of_a_host_the_second_is_told_409_for_its_window(
    engines: Engines, program: Program, tmp_path: Path
) -> None:
    """Both have the same base and the same window, and would count the same work twice."""
    engine = engines("camunda-7.24.0")
    with sending(program, engine, always(Meddling.PASSED)) as desk:
        copy = Program(Path(shutil.copytree(program.directory, tmp_path / "copy")))
        assert desk.send() == (0, ["accepted", "accepted"])
        engine.start_process(1)
        second = copy("send", "--json")
        assert [one["state"] for one in second.data["delivered"]] == ["accepted", "conflict"]
        (held,) = [one for one in exported(program, "--store", desk.store) if counted(one["report"]) is not None]
        assert counted(held["report"]) == 3
        (kept,) = [one for one in copy("history", "--json").data["reports"] if one["state"] == "conflict"]
        (attempt,) = copy("history", kept["id"], "--json").data["reports"][0]["attempt-list"]
        assert attempt["status"] == 409
        assert json.loads(attempt["answer"])["held"]["id"] == held["id"]


@dataclass(frozen=True)
class Sender:
    """`telemetry`, with consent, before a service."""

    program: Program
    store: str

    def send(self, *options: str) -> tuple[int, list[str]]:
        """Exit status, and what became of each report."""
        sent = self.program("send", *options, "--json")
        return sent.status, [one["state"] for one in sent.data["delivered"]]


@contextmanager
def sending(program: Program, engine: Engine, plan: Plan) -> Iterator[Sender]:
    """`telemetry` reports to the service by way of a proxy; 3 process instances were started since it was enabled."""
    store = str(program.directory.parent / f"{program.directory.name}-collector" / "collector.db")
    program.config.touch()
    with (
        Collector(program, "--store", store) as collector,
        MeddlingProxy(collector.port, plan, delay=TIMEOUT + 1) as proxy,
    ):
        settings = f'endpoint = "{proxy.url}"\n[reporter]\ntimeout = "{TIMEOUT:.0f}s"\n'
        program.configure(f'{settings}[engines.orders]\nrest = "{engine.rest}"\n')
        assert program("enable", "--yes").status == 0
        engine.start_process(3)
        yield Sender(program, store)
    assert collector.errors == b""
