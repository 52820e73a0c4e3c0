"""What was counted while a counter was withheld never leaves, also where no report was sent meanwhile."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from telemetry_core import administration
from telemetry_core.administration import Choice
from tests.support.desk import AUTHOR
from tests.support.stage import Stage

METRIC = "root-process-instance-start"


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    made = Stage(tmp_path)
    with made.engine, made.receiver:
        yield made


def choose(stage: Stage, **choice: tuple[str, ...]) -> None:
    with stage.desk.session() as session:
        administration.enable(session, session.config.engines[0], AUTHOR, Choice(**choice))


def last(stage: Stage) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(stage.receiver.received[-1].body)["product"]["internals"]
    return found


def test_agreeing_again_begins_to_count_anew_and_leaves_other_counters_as_they_are(stage: Stage) -> None:
    choose(stage)
    stage.work(4)
    choose(stage, without=("metrics",))
    stage.work(5)
    choose(stage, with_=("metrics",))
    stage.work(2)
    stage.desk.send(force=True)
    assert last(stage)["metrics"][METRIC] == {"count": 2}
    assert last(stage)["commands"]["StartProcessInstanceCmd"] == {"count": 11}


def test_a_single_counter_that_was_withheld_begins_anew_by_whatever_name_it_leaves(stage: Stage) -> None:
    names = (f"metrics.{METRIC}", "metrics.process-instances", "commands.StartProcessInstanceCmd")
    choose(stage, without=names)
    stage.work(5)
    choose(stage, with_=names)
    stage.work(2)
    stage.desk.send(force=True)
    assert last(stage)["metrics"][METRIC] == last(stage)["metrics"]["process-instances"] == {"count": 2}
    assert last(stage)["commands"]["StartProcessInstanceCmd"] == {"count": 2}
    assert last(stage)["metrics"]["activity-instance-start"] == {"count": 14}


def test_a_counter_that_left_by_its_other_name_meanwhile_loses_nothing(stage: Stage) -> None:
    choose(stage, without=("metrics.process-instances",))
    stage.work(5)
    choose(stage, with_=("metrics.process-instances",))
    stage.desk.send(force=True)
    assert last(stage)["metrics"][METRIC] == last(stage)["metrics"]["process-instances"] == {"count": 5}


def test_what_the_configuration_withheld_is_dropped_by_each_reading(stage: Stage) -> None:
    choose(stage)
    stage.work(5)
    stage.desk.send(TELEMETRY_WITHHOLD="metrics", force=True)
    stage.work(3)
    stage.status = 503
    stage.desk.send(TELEMETRY_WITHHOLD="metrics", force=True)
    stage.status = 202
    stage.work(2)
    stage.desk.send(force=True)
    stage.desk.send(force=True)
    counted = [
        json.loads(one.body)["product"]["internals"].get("metrics", {}).get(METRIC) for one in stage.receiver.received
    ]
    assert [one["count"] for one in counted if one] == [2, 0]


def test_a_report_that_was_prepared_before_and_is_sent_after_takes_nothing_from_what_is_counted_since(
    stage: Stage,
) -> None:
    choose(stage)
    stage.work(4)
    stage.desk.keep()
    choose(stage, without=("metrics",))
    choose(stage, with_=("metrics",))
    stage.work(6)
    stage.desk.send()
    assert last(stage)["metrics"][METRIC] == {"count": 4}, "it was agreed to when it was prepared, and is again"
    stage.desk.send(force=True)
    assert last(stage)["metrics"][METRIC] == {"count": 6}
