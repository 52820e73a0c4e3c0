"""The engine's database as the source of metrics: real clusters on a real PostgreSQL, and what releases keep there."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from telemetry_core.config import Layers, load
from telemetry_core.engines import database
from telemetry_core.model import License, Snapshot
from tests.engines import Engine
from tests.support.clock import RealClock, ShiftedClock
from tests.support.desk import Desk, counted
from tests.support.postgresql import PostgreSQL
from tests.support.receiver import Receiver

MINUTE = 60_000
ROOT = "root-process-instance-start"


def desk_of(directory: Path, receiver: Receiver, url: str, *nodes: Engine) -> tuple[Desk, ShiftedClock]:
    clock = ShiftedClock()
    addresses = ",".join(node.rest for node in nodes)
    more = {"TELEMETRY_ENGINES__ORDERS__NODES": addresses, "TELEMETRY_ENGINES__ORDERS__DATABASE": url}
    return Desk(directory, clock, {}, receiver.url, **more), clock


def enable_long_ago(desk: Desk, clock: ShiftedClock) -> None:
    """Rows of the first 15 minutes are the base's: let them be over."""
    clock.behind = 20 * MINUTE
    desk.enable()
    clock.behind = 0


def commands(receiver: Receiver) -> list[int]:
    bodies = [json.loads(request.body)["product"]["internals"] for request in receiver.received]
    return [body["commands"]["StartProcessInstanceCmd"]["count"] for body in bodies if "commands" in body]


def read(url: str, **settings: str) -> Snapshot:
    variables = {f"TELEMETRY_ENGINES__ORDERS__{name.upper()}": value for name, value in settings.items()}
    config = load(Layers(environment={"TELEMETRY_ENGINES__ORDERS__DATABASE": url, **variables}))
    return database.read(config.engines[0], 0, RealClock(), expected=None)


@pytest.fixture
def shared(postgresql: PostgreSQL) -> str:
    return postgresql.url(postgresql.database())


@pytest.mark.engine
def test_two_nodes_on_one_database_count_metrics_once_and_commands_together(
    tmp_path: Path, receiver: Receiver, shared: str
) -> None:
    """Then one is killed with work in its memory, starts again, and the meter table is purged between two reports."""
    with (
        Engine.start("camunda-7.24.0", database=shared) as one,
        Engine.start("camunda-7.24.0", database=shared) as two,
    ):
        desk, clock = desk_of(tmp_path, receiver, shared, one, two)

        def report() -> None:
            assert desk.send(force=True).failed == []

        one.start_process(3)
        one.flush()
        enable_long_ago(desk, clock)
        one.start_process(4)
        two.start_process(5)
        one.flush()
        two.flush()
        report()

        two.start_process(2)
        two.kill()
        one.start_process(1)
        one.flush()
        report()

        two.restart()
        two.start_process(3)
        two.flush()
        report()

        one.start_process(6)
        one.flush()
        report()
        one.purge()
        one.start_process(2)
        one.flush()
        report()
    assert counted(receiver) == [9, 1, 3, 6, 2], "2 were in the memory of the node that was killed"
    assert commands(receiver) == [9, 1, 3, 6, 2]


@pytest.mark.engine
def test_a_database_that_fails_makes_metrics_missing_until_it_is_back_and_loses_none(
    tmp_path: Path, receiver: Receiver, postgresql: PostgreSQL
) -> None:
    """Nor are they asked for over REST meanwhile: base and count come from one source."""
    name = postgresql.database()
    url = postgresql.url(name)
    with Engine.start("camunda-7.24.0", database=url) as engine:
        desk, clock = desk_of(tmp_path, receiver, url, engine)
        enable_long_ago(desk, clock)
        engine.start_process(4)
        engine.flush()
        postgresql.execute(name, "ALTER TABLE act_ru_meter_log RENAME TO elsewhere")
        assert desk.send(force=True).failed == []
        postgresql.execute(name, "ALTER TABLE elsewhere RENAME TO act_ru_meter_log")
        assert counted(receiver) == []
        assert "there is no table ACT_RU_METER_LOG" in desk.reports()[0].missing["metrics"]
        assert desk.send(force=True).failed == []
        assert counted(receiver) == [4]


FAMILY = [
    "camunda-7.24.0",
    "operaton-1.0.3",
    pytest.param("camunda-7.14.0", marks=pytest.mark.family),
    pytest.param("camunda-7.17.0", marks=pytest.mark.family),
]


@pytest.fixture
def on_postgresql(shared: str) -> Iterator[Callable[[str], Engine]]:
    running: list[Engine] = []

    def start(release: str) -> Engine:
        running.append(Engine.start(release, database=shared))
        return running[-1]

    yield start
    for engine in running:
        engine.close()


@pytest.mark.engine
@pytest.mark.parametrize("release", FAMILY)
def test_the_database_of_each_release_says_what_the_engine_says(
    release: str, on_postgresql: Callable[[str], Engine], shared: str, tmp_path: Path, receiver: Receiver
) -> None:
    engine = on_postgresql(release)
    if engine.release.license_key:
        engine.set_license("c2lnbmF0dXJl;ACME;2030-12-31")
    engine.start_process(3)
    engine.evaluate_decision(2)
    engine.flush()
    found = read(shared)
    assert found.problems == {}
    assert found.installation is not None
    assert found.schema_version == ("7.24.0" if release.startswith("operaton") else engine.release.version)
    assert found.license_key == (License(raw="ACME;2030-12-31") if engine.release.license_key else None)
    if engine.release.telemetry_data:
        said = engine.telemetry_data()
        internals = said["product"]["internals"]
        assert found.installation == said["installation"]
        assert found.database is not None
        assert internals["database"] == {"vendor": found.database.vendor, "version": found.database.version}
    assert found.rows is not None
    sums = {name: sum(row.value for row in found.rows.rows if row.name == name) for name in found.rows.names}
    assert sums == {name: engine.metric(name) for name in found.rows.names}
    assert (sums[ROOT], sums["executed-decision-instances"]) == (3, 2)

    desk, clock = desk_of(tmp_path, receiver, shared, engine)
    enable_long_ago(desk, clock)
    engine.start_process(5)
    engine.flush()
    assert desk.send().failed == []
    assert counted(receiver) == [5]


@pytest.mark.engine
@pytest.mark.family
def test_an_initial_report_that_7_14_has_sent_by_itself_is_not_sent_again(
    tmp_path: Path, receiver: Receiver, shared: str
) -> None:
    with Receiver() as camunda:
        endpoint = {"telemetry-endpoint": camunda.url, "engine.first-report-seconds": 2}
        with Engine.start("camunda-7.14.0", database=shared, properties=endpoint) as engine:
            limit = time.monotonic() + 60
            while read(shared).initial_sent is not True and time.monotonic() < limit:
                time.sleep(0.5)
            assert camunda.received, "7.14 sends its own"
            desk, clock = desk_of(tmp_path, receiver, shared, engine)
            enable_long_ago(desk, clock)
            assert desk.send().failed == []
            assert desk.send(initial=True, force=True).failed == []
    kinds: list[Any] = [report.kind for report in desk.reports()]
    assert kinds == ["periodic"]


@pytest.mark.engine
@pytest.mark.family
def test_an_initial_report_that_7_14_could_not_send_is_sent(tmp_path: Path, receiver: Receiver, shared: str) -> None:
    with Engine.start("camunda-7.14.0", database=shared) as engine:
        desk, clock = desk_of(tmp_path, receiver, shared, engine)
        enable_long_ago(desk, clock)
        assert desk.send().failed == []
    assert sorted(str(report.kind) for report in desk.reports()) == ["initial", "periodic"]
