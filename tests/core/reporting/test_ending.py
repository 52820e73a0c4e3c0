"""At an end: what was counted since the last report leaves, at most once, and nothing else does."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from telemetry_core.errors import EngineUnreachable
from telemetry_core.model import Report, ReportState, Trigger
from telemetry_core.reporting import Request, Sending
from telemetry_core.reporting import send as send_
from tests.support import stage as stages
from tests.support.desk import counted

HOUR = 3600.0
DAY = 24 * HOUR
ADDRESS = "TELEMETRY_ENGINES__ORDERS__REST"


class Stage(stages.Stage):
    """One whose desk is enabled, and whose engine ends."""

    def read(self) -> None:
        """A reading in between."""
        self.clock.advance(6 * HOUR)
        self.desk.send()

    def end(self, *, gone: bool = False) -> Sending:
        with self.desk.session() as session:
            return send_(session, session.engines(()), Request(final=True, gone=gone))

    @property
    def newest(self) -> Report:
        return self.desk.reports()[0]

    @property
    def last_body(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.receiver.received[-1].body)
        return found


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    made = Stage(tmp_path)
    with made.engine, made.receiver:
        made.desk.enable()
        made.desk.send()
        yield made


def test_what_came_since_the_last_report_leaves_without_a_slot_and_the_next_day_has_the_rest(stage: Stage) -> None:
    stage.work(5)
    assert not stage.end().failed
    assert (stage.newest.trigger, stage.newest.slot, stage.newest.state) == (Trigger.FINAL, None, ReportState.ACCEPTED)
    stage.work(3)
    stage.clock.advance(DAY)
    stage.desk.send()
    assert counted(stage.receiver) == [0, 5, 3]
    assert stage.newest.trigger is Trigger.DUE


def test_it_takes_the_slot_where_that_is_free(stage: Stage) -> None:
    stage.clock.advance(DAY)
    stage.work(5)
    stage.end()
    assert stage.newest.trigger is Trigger.FINAL
    assert stage.newest.slot is not None
    assert stage.desk.send().idle == {"orders": "nothing is due"}
    assert counted(stage.receiver) == [0, 5]


def test_of_an_engine_that_answers_no_more_what_was_read_leaves_and_the_rest_is_missing_with_the_reason(
    stage: Stage,
) -> None:
    stage.work(5)
    stage.read()
    read_at = stage.clock.now()
    stage.work(4)
    stage.go()
    failed = stage.end().failed
    assert [type(one.error) for one in failed] == [EngineUnreachable]
    assert counted(stage.receiver) == [0, 5]
    assert stage.last_body["product"]["version"] == "7.24.0"
    assert "jdk" not in stage.last_body["product"]["internals"]
    assert "gives no answer" in stage.newest.missing["jdk"]
    assert stage.newest.sources["product.version"] == "the last contact"
    assert stage.newest.engines == ("orders",)
    assert stage.newest.window_end == read_at

    stage.come_back()
    stage.clock.advance(DAY)
    stage.desk.send()
    assert counted(stage.receiver) == [0, 5, 4]


def test_an_engine_that_is_known_to_be_gone_is_not_asked(stage: Stage) -> None:
    stage.work(5)
    stage.read()
    stage.work(9)
    asked = len(stage.engine.requests)
    assert stage.end(gone=True).failed == []
    assert len(stage.engine.requests) == asked
    assert counted(stage.receiver) == [0, 5]
    assert stage.newest.missing["jdk"] == "the engine is gone"


def test_where_nothing_was_counted_since_the_last_report_none_is_made(stage: Stage) -> None:
    stage.work(5)
    stage.read()
    stage.go()
    stage.end()
    assert stage.end(gone=True).idle == {"orders": "nothing was counted since the last report"}
    stage.clock.advance(2 * DAY)
    assert stage.end(gone=True).delivered == []
    assert counted(stage.receiver) == [0, 5]


def test_what_reading_itself_causes_in_an_engine_makes_no_final_report(stage: Stage) -> None:
    stage.work(2)
    stage.end()
    assert stage.end().idle == {"orders": "nothing was counted since the last report"}
    stage.engine.commands["DeployCmd"] += 1
    stage.clock.advance(60)
    stage.end()
    assert counted(stage.receiver) == [0, 2, 0]
    assert stage.last_body["product"]["internals"]["commands"]["DeployCmd"] == {"count": 1}


def test_zeros_of_an_engine_that_answers_take_a_free_slot_and_make_no_report_otherwise(stage: Stage) -> None:
    stage.engine.override["/telemetry/data"] = (404, "text/plain", b"")
    stage.engine.data["product"]["version"] = "7.16.0"
    stage.desk.variables["TELEMETRY_ENGINES__ORDERS__INSTALLATION"] = stage.engine.installation
    stage.clock.advance(DAY)
    stage.end()
    assert [stage.end().idle, stage.end().idle] == [{"orders": "nothing was counted since the last report"}] * 2
    assert counted(stage.receiver) == [0, 0]


def test_a_pending_report_goes_first_unchanged_and_without_waiting_then_what_came_since(stage: Stage) -> None:
    stage.work(5)
    stage.clock.advance(DAY)
    stage.status = 503
    stage.desk.send()
    stage.work(2)
    stage.status = 202
    stage.end()
    first, again, last = stage.receiver.received[-3:]
    assert (first.key, first.body) == (again.key, again.body)
    assert last.key != again.key
    assert counted(stage.receiver) == [0, 5, 2]


def test_where_the_pending_one_does_not_arrive_the_rest_was_read_and_waits(stage: Stage) -> None:
    stage.work(5)
    stage.clock.advance(DAY)
    stage.status = 503
    stage.desk.send()
    stage.work(2)
    assert [one.error.code for one in stage.end().failed] == ["delivery-failed"]
    stage.engine.restart()
    stage.status = 202
    stage.clock.advance(DAY)
    stage.desk.send()
    assert counted(stage.receiver) == [0, 5, 2]
    assert stage.last_body["product"]["internals"]["commands"]["StartProcessInstanceCmd"]["count"] == 2


def test_without_consent_nothing_leaves_and_nobody_is_asked(stage: Stage) -> None:
    stage.desk.disable()
    asked, sent = len(stage.engine.requests), len(stage.receiver.received)
    assert stage.end().idle == {"orders": "Telemetry is disabled for orders."}
    assert (len(stage.engine.requests), len(stage.receiver.received)) == (asked, sent)


def test_the_initial_report_is_not_begun_at_an_end(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    with stage.engine, stage.receiver:
        stage.desk.enable()
        stage.work(1)
        stage.end()
        assert counted(stage.receiver) == [1]
        stage.desk.send()
        assert len(stage.receiver.received) == 2


def test_an_engine_that_reports_by_itself_has_no_final_report_of_ours(stage: Stage) -> None:
    stage.work(5)
    stage.read()
    stage.desk.variables["TELEMETRY_ENGINES__ORDERS__OWN_REPORTER"] = "on"
    assert "reports by itself" in stage.end().idle["orders"]
    stage.go()
    stage.end()
    assert counted(stage.receiver) == [0]


def test_a_failure_at_an_end_is_not_remembered_as_said(stage: Stage) -> None:
    stage.go()
    stage.end()
    stage.clock.advance(6 * HOUR)
    assert [one.repeated for one in stage.desk.send().failed] == [False]


def test_an_engine_that_reports_by_itself_and_is_gone_is_not_asked_about_a_kept_report(stage: Stage) -> None:
    stage.engine.data["product"]["version"] = "7.21.0"
    stage.work(5)
    stage.desk.keep()
    stage.engine.own_reporter = True
    stage.clock.advance(DAY)
    assert "reports by itself" in stage.desk.send().idle["orders"]
    asked, sent = len(stage.engine.requests), len(stage.receiver.received)
    assert stage.end(gone=True).failed == []
    assert (len(stage.engine.requests), len(stage.receiver.received)) == (asked, sent)
