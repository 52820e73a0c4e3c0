"""Clusters of real engines on a real PostgreSQL, read over REST alone: nodes that end, balancers, mixed releases."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.engines import Engine
from tests.support.clock import ShiftedClock
from tests.support.desk import Desk, counted
from tests.support.postgresql import PostgreSQL
from tests.support.receiver import Receiver
from tests.support.round_robin import RoundRobin

pytestmark = pytest.mark.engine
MINUTE = 60_000


class Site:
    """Nodes on one database, and an administrator whose clock a test moves."""

    def __init__(self, directory: Path, receiver: Receiver, nodes: Sequence[Engine], addresses: Sequence[str]) -> None:
        self.receiver = receiver
        self.nodes = nodes
        self.clock = ShiftedClock()
        more = {"TELEMETRY_ENGINES__ORDERS__NODES": ",".join(addresses)}
        self.desk = Desk(directory, self.clock, {}, receiver.url, **more)

    def enable_and_begin(self) -> None:
        """Consent 20 minutes ago; everything from then to now is flushed, and the base of the metrics is taken."""
        self.clock.behind = 20 * MINUTE
        self.desk.enable()
        self.clock.behind = 0
        self.flush()
        self.report()
        self.receiver.received.clear()

    def flush(self) -> None:
        for node in self.nodes:
            node.flush()

    def report(self) -> None:
        assert self.desk.send(force=True).failed == []

    def commands(self) -> list[int | None]:
        """Process instances started, as each report's commands say it; None where it has none."""
        bodies: list[dict[str, Any]] = [json.loads(one.body)["product"]["internals"] for one in self.receiver.received]
        none = {"count": 0}
        return [
            body["commands"].get("StartProcessInstanceCmd", none)["count"] if "commands" in body else None
            for body in bodies
        ]


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as running:
        yield running


@pytest.fixture
def shared(postgresql: PostgreSQL) -> str:
    return postgresql.url(postgresql.database())


def test_two_nodes_over_rest_count_metrics_once_and_commands_together(
    tmp_path: Path, receiver: Receiver, stack: ExitStack, shared: str
) -> None:
    """Then one restarts, one is killed with work in its memory, and the meter table is purged between two reports."""
    one, two = (stack.enter_context(Engine.start("camunda-7.24.0", database=shared)) for _ in range(2))
    site = Site(tmp_path, receiver, (one, two), (one.rest, two.rest))
    one.start_process(3)
    site.enable_and_begin()

    one.start_process(4)
    two.start_process(5)
    site.report()
    two.flush()
    site.report()

    two.start_process(2)
    two.restart()
    two.start_process(3)
    two.flush()
    site.report()

    two.start_process(2)
    two.kill()
    one.start_process(1)
    site.report()
    two.restart()

    one.purge()
    site.clock.behind = -17 * MINUTE
    site.report()
    one.start_process(6)
    site.report()
    assert counted(receiver) == [4, 5, 5, 1, 0, 6], "the asked node's memory at once, the other's when it is flushed"
    assert site.commands() == [9, 0, 3, 1, 0, 6], "commands that no reading saw end with their node"


def balanced(stack: ExitStack, directory: Path, receiver: Receiver, release: str, database: str) -> Site:
    nodes = [stack.enter_context(Engine.start(release, database=database)) for _ in range(2)]
    nodes[0].start_process(3)
    for node in nodes:
        node.flush()
    balancer = stack.enter_context(RoundRobin([node.port for node in nodes]))
    return Site(directory, receiver, nodes, [f"http://127.0.0.1:{balancer.port}/engine-rest"])


def work_behind_it(site: Site) -> None:
    """Nine instances on each node, and reports in between."""
    for times in (4, 5):
        site.nodes[0].start_process(times)
        site.nodes[1].start_process(times)
        for _ in range(2):
            site.report()
        site.flush()
    for _ in range(2):
        site.report()


@pytest.mark.family
def test_behind_a_load_balancer_start_dates_tell_nodes_apart_and_all_is_counted(
    tmp_path: Path, receiver: Receiver, stack: ExitStack, shared: str
) -> None:
    """The first reading of a node that began before the consent, and did not answer then, is only a base."""
    site = balanced(stack, tmp_path, receiver, "camunda-7.24.0", shared)
    site.enable_and_begin()
    work_behind_it(site)
    assert sum(counted(receiver)) == 18
    assert sum(number or 0 for number in site.commands()) == 18
    assert None not in site.commands()


@pytest.mark.family
def test_behind_a_load_balancer_7_17_gives_metrics_and_no_commands_with_that_reason(
    tmp_path: Path, receiver: Receiver, stack: ExitStack, shared: str
) -> None:
    site = balanced(stack, tmp_path, receiver, "camunda-7.17.0", shared)
    site.enable_and_begin()
    work_behind_it(site)
    assert sum(counted(receiver)) == 18
    assert sum(number or 0 for number in site.commands()) <= 18
    assert site.commands()[-1] is None
    assert "load balancer" in site.desk.reports()[0].missing["commands"]


@pytest.mark.family
def test_nodes_of_two_releases_during_a_rolling_upgrade_are_one_installation(
    tmp_path: Path, receiver: Receiver, stack: ExitStack, shared: str
) -> None:
    """As the engine's manual has it: the schema is the new one's first, and the old nodes go on with it."""
    new, old = (stack.enter_context(Engine.start(f"camunda-7.{n}.0", database=shared)) for n in (24, 22))
    site = Site(tmp_path, receiver, (old, new), (old.rest, new.rest))
    site.enable_and_begin()
    old.start_process(4)
    new.start_process(5)
    site.flush()
    site.report()
    old.start_process(2)
    old.flush()
    old.stop()
    site.desk.variables["TELEMETRY_ENGINES__ORDERS__NODES"] = new.rest
    new.start_process(3)
    site.report()
    assert counted(receiver) == [9, 5]
    assert site.commands() == [9, 3], "what the old node executed after the last reading ended with it"
    assert [json.loads(one.body)["product"]["version"] for one in receiver.received] == ["7.22.0", "7.24.0"]


@pytest.mark.family
@pytest.mark.parametrize("release", ["camunda-7.17.0", "camunda-7.21.0"])
def test_while_an_engine_reports_by_itself_its_counts_are_its_own_and_afterwards_ours_again(
    release: str, tmp_path: Path, receiver: Receiver, stack: ExitStack, shared: str
) -> None:
    engine = stack.enter_context(Engine.start(release, database=shared))
    site = Site(tmp_path, receiver, (engine,), (engine.rest,))
    site.enable_and_begin()
    engine.start_process(3)
    site.report()
    engine.call("POST", "/engine-rest/telemetry/configuration", body={"enableTelemetry": True})
    engine.start_process(2)
    site.clock.behind = -25 * 60 * MINUTE
    assert "reports by itself" in site.desk.send().idle["orders"]
    engine.call("POST", "/engine-rest/telemetry/configuration", body={"enableTelemetry": False})
    engine.start_process(4)
    for _ in range(2):
        site.report()
    assert sum(counted(receiver)) == 3 + 4
    assert sum(number or 0 for number in site.commands()) == 3 + 4
