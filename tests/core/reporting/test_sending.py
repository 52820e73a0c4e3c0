"""Sending: outages, races and vetoes neither lose nor double a count, and nothing decided is undone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from telemetry_core import administration, reporting
from telemetry_core.errors import EndpointMissing, NotPermitted
from telemetry_core.model import Kind, ReportState, Trigger
from telemetry_core.reporting import preparing
from telemetry_core.words import status
from tests.support.desk import counted
from tests.support.receiver import Receiver, Reply
from tests.support.stage import Stage

HOUR = 3600.0
DAY = 24 * HOUR


def test_after_an_outage_over_a_slot_everything_is_counted_once(stage: Stage) -> None:
    stage.desk.enable()
    stage.work(5)
    stage.status = 503
    stage.desk.send()
    stage.work(4)
    stage.clock.advance(DAY)
    stage.status = 202
    stage.desk.send()
    stage.work(2)
    stage.clock.advance(DAY)
    stage.desk.send()
    assert counted(stage.receiver) == [5, 4, 2]


def test_a_report_that_was_accepted_while_another_was_prepared_is_not_counted_again(stage: Stage) -> None:
    stage.desk.enable()
    stage.work(5)
    stage.while_reading(lambda: [stage.desk.send()].clear())
    stage.desk.keep()
    stage.work(3)
    stage.desk.send(force=True)
    assert counted(stage.receiver) == [5, 0, 3]


def test_an_observation_that_something_was_sent_after_makes_no_report(stage: Stage) -> None:
    stage.desk.enable()
    stage.work(5)
    with stage.desk.session() as session:
        engine = session.config.engines[0]
        seen = reporting.observe(session, (engine,), keep=True)
        stage.clock.advance(1)
        stage.desk.send()
        consent = session.consent("orders")
        built = preparing.build_periodic(seen, consent)
        assert consent.endpoint is not None
        opened = preparing.open_periodic(
            session, seen, built, consent.endpoint, trigger=Trigger.FORCED, only_in_slot=False
        )
    assert opened is None
    assert counted(stage.receiver) == [5]


def test_what_is_disabled_while_a_report_is_prepared_stays_disabled_and_unsent(stage: Stage) -> None:
    stage.desk.enable()
    stage.desk.send()
    stage.work(5)
    stage.while_reading(stage.desk.disable)
    assert stage.desk.send(force=True).delivered == []
    stage.work(50)
    stage.desk.enable()
    stage.work(2)
    stage.desk.send(force=True)
    assert counted(stage.receiver) == [0, 2]


def test_a_report_withdrawn_while_it_is_on_its_way_does_not_come_back(stage: Stage) -> None:
    stage.desk.enable()
    stage.desk.send()
    stage.work(5)
    stage.status = 503
    stage.during_delivery = stage.desk.disable
    result = stage.desk.send(force=True)
    assert [one.report.state for one in result.delivered] == [ReportState.WITHDRAWN]
    stage.during_delivery = lambda: None
    stage.status = 202
    stage.desk.enable()
    stage.work(1)
    stage.desk.send(force=True)
    assert counted(stage.receiver) == [0, 5, 1]
    assert stage.desk.reports()[0].state is ReportState.ACCEPTED


def test_a_first_run_does_not_undo_a_decision_that_was_made_meanwhile(stage: Stage) -> None:
    with stage.desk.session(TELEMETRY_INITIALIZE_TELEMETRY="true") as session:

        def decide() -> str:
            with stage.desk.session(TELEMETRY_INITIALIZE_TELEMETRY="true") as other:
                administration.first_run(other, lambda: "bob")
            stage.desk.disable()
            return "ada"

        administration.first_run(session, decide)
        assert session.consent("orders").state == "disabled"


def test_a_veto_of_one_process_leaves_pending_reports_waiting(stage: Stage) -> None:
    stage.desk.enable()
    stage.work(5)
    stage.status = None
    stage.desk.send()
    stage.status = 202
    stage.clock.advance(HOUR)
    stage.desk.send(DO_NOT_TRACK="1")
    stage.desk.send(TELEMETRY_REPORTER_ACTIVATE="false")
    assert {report.state for report in stage.desk.reports()} == {ReportState.PENDING}
    stage.desk.send()
    assert {report.state for report in stage.desk.reports()} == {ReportState.ACCEPTED}
    assert counted(stage.receiver) == [5]


def test_keep_after_another_endpoint_was_agreed_to_keeps_a_new_report(stage: Stage) -> None:
    stage.desk.enable()
    stage.desk.keep()
    stage.work(3)
    with Receiver() as other:
        stage.desk.variables["TELEMETRY_ENDPOINT"] = other.url
        stage.desk.enable()
        stage.desk.keep()
        kept = stage.desk.reports()[0].document
        stage.desk.send()
        assert other.received[-1].body == kept.body
        assert counted(other) == [3]
    assert stage.receiver.received == []


@pytest.fixture
def old(tmp_path: Path) -> Iterator[Stage]:
    """With an engine that has a reporter of its own."""
    made = Stage(tmp_path, "camunda-7.17.0")
    with made.engine, made.receiver:
        yield made


def test_while_the_engine_reports_by_itself_nothing_is_counted(old: Stage) -> None:
    old.desk.enable()
    old.desk.send()
    old.work(2)
    old.engine.own_reporter = True
    old.clock.advance(DAY)
    assert "reports by itself" in old.desk.send().idle["orders"]
    old.work(30)
    old.desk.send()
    assert isinstance(old.desk.send(force=True).failed[0].error, NotPermitted)
    old.engine.own_reporter = False
    old.clock.advance(DAY)
    old.work(1)
    old.desk.send()
    assert sum(counted(old.receiver)) <= 3
    assert counted(old.receiver)[-1] == 1


def test_a_kept_report_waits_while_the_engine_reports_by_itself_and_everything_says_so(old: Stage) -> None:
    old.desk.enable()
    old.desk.send()
    old.work(2)
    old.desk.keep()
    old.engine.own_reporter = True
    with old.desk.session() as session:
        reporting.observe(session, session.config.engines, keep=True)
        (engine,) = session.config.engines
        known = reporting.status(session, engine)
        assert known.pending is not None
        assert known.obstacle == "Engine orders reports by itself."
        assert dict(status.rows(known))["pending"].endswith("kept until it may be sent")
        shown = reporting.preview(session, engine, Kind.PERIODIC)
        assert shown.report_id == known.pending.id
        assert shown.obstacle == "Engine orders reports by itself."
    sent = len(old.receiver.received)
    assert old.desk.send().idle == {"orders": "Engine orders reports by itself."}
    assert isinstance(old.desk.send(force=True).failed[0].error, NotPermitted)
    assert len(old.receiver.received) == sent
    old.engine.own_reporter = False
    assert [one.report.id for one in old.desk.send().delivered] == [known.pending.id]
    assert counted(old.receiver) == [0, 2]


def test_what_is_said_while_the_engine_reports_by_itself_is_what_is_done(old: Stage) -> None:
    old.engine.own_reporter = True
    old.desk.enable()
    with old.desk.session() as session:
        (engine,) = session.config.engines
        assert status.initial(reporting.status(session, engine)) == "not sent: Engine orders reports by itself."
        assert reporting.preview(session, engine, Kind.PERIODIC).initial_first is False
        assert reporting.plan(session, engine, reporting.Request()).kinds == ()
    old.engine.own_reporter = False
    with old.desk.session() as session:
        planned = reporting.plan(session, engine, reporting.Request()).kinds
    assert [one.report.kind for one in old.desk.send().delivered] == list(planned) == [Kind.INITIAL, Kind.PERIODIC]


@pytest.mark.parametrize(("what", "days"), [("endpoint", 1), ("withheld", 1), ("withheld", 0)])
def test_of_a_kept_report_that_no_longer_fits_it_is_said_that_it_is_withdrawn(
    what: str, days: int, stage: Stage
) -> None:
    stage.desk.enable()
    stage.desk.send()
    stage.work(2)
    stage.clock.advance(days * DAY)
    stage.desk.keep()
    if what == "endpoint":
        stage.desk.variables["TELEMETRY_ENDPOINT"] = "http://127.0.0.1:9/pings"
    else:
        stage.desk.variables["TELEMETRY_WITHHOLD"] = "metrics"
    with stage.desk.session() as session:
        (engine,) = session.config.engines
        known = reporting.status(session, engine)
        assert "withdrawn by the next `telemetry send`: It " in dict(status.rows(known))["pending"]
        shown = reporting.preview(session, engine, Kind.PERIODIC)
        planned = reporting.plan(session, engine, reporting.Request()).kinds
    (kept, *_) = stage.desk.reports()
    sent = stage.desk.send().delivered
    assert [one.report.kind for one in sent] == ([Kind.PERIODIC] if (what, days) == ("withheld", 1) else [])
    if what == "withheld":
        assert bool(sent) == (shown.due_at is None) == (known.due_at is not None and known.due_at <= known.at)
        assert tuple(one.report.kind for one in sent) == planned
    assert {one.id: one.state for one in stage.desk.reports()}[kept.id] is ReportState.WITHDRAWN


def test_a_failure_is_said_once_a_period_however_the_runs_in_between_end(stage: Stage) -> None:
    stage.desk.enable()
    stage.desk.send()
    stage.status = 503
    stage.clock.advance(DAY)
    said = []
    for minutes in (0.0, 0.5, 1.1, 1.5, 3.5, 10, 60):
        stage.clock.advance(60 * minutes)
        said += [not failed.repeated for failed in stage.desk.send().failed]
    assert said[0] is True
    assert not any(said[1:])
    stage.clock.advance(DAY)
    assert [not failed.repeated for failed in stage.desk.send().failed] == [True]


def test_consent_without_an_endpoint_is_a_wrong_configuration_and_not_silence(stage: Stage) -> None:
    stage.desk.enable()
    del stage.desk.variables["TELEMETRY_ENDPOINT"]
    assert isinstance(stage.desk.send().failed[0].error, EndpointMissing)


def test_a_dead_endpoint_at_the_initial_report_does_not_hold_up_the_periodic_one(stage: Stage) -> None:
    stage.desk.enable()
    stage.work(4)
    stage.receiver.answer = lambda request: Reply(400 if b"metrics" not in request.body else 202)
    result = stage.desk.send()
    assert [(one.report.kind, one.report.state) for one in result.delivered] == [
        (Kind.INITIAL, ReportState.REFUSED),
        (Kind.PERIODIC, ReportState.ACCEPTED),
    ]
    stage.clock.advance(HOUR)
    assert stage.desk.send().delivered == []
    stage.receiver.answer = lambda _: Reply(202)
    stage.clock.advance(DAY)
    assert [one.report.kind for one in stage.desk.send().delivered] == [Kind.INITIAL, Kind.PERIODIC]


def test_another_installation_keeps_the_consent_and_has_its_own_initial_report_first(stage: Stage) -> None:
    stage.desk.enable()
    stage.desk.send()
    stage.clock.advance(DAY)
    stage.engine.installation = "7c1b4b32-6a35-4a0c-8f8e-5f1f1a0d2b3c"
    stage.work(9)
    kinds = [(one.report.kind, one.report.installation) for one in stage.desk.send().delivered]
    assert kinds == [
        (Kind.INITIAL, "7c1b4b32-6a35-4a0c-8f8e-5f1f1a0d2b3c"),
        (Kind.PERIODIC, "7c1b4b32-6a35-4a0c-8f8e-5f1f1a0d2b3c"),
    ]
    stage.work(2)
    stage.desk.send(force=True)
    assert counted(stage.receiver) == [0, 0, 2]


def test_undecided_the_initial_report_waits_three_hours_after_the_first_contact(stage: Stage) -> None:
    stage.desk.send()
    stage.clock.advance(3 * HOUR - 1)
    stage.desk.send()
    assert stage.receiver.received == []
    stage.clock.advance(1)
    stage.desk.send()
    assert len(stage.receiver.received) == 1
    assert b'"telemetry-enabled":null' in stage.receiver.received[0].body


def test_a_daily_run_that_comes_a_little_early_or_late_skips_no_day(stage: Stage) -> None:
    stage.desk.enable()
    stage.desk.send()
    for jitter in (-1200.0, 900, -300, 1500, -1500, 0) * 5:
        stage.clock.advance(DAY + jitter)
        stage.desk.send()
        stage.clock.advance(-jitter)
    assert len(counted(stage.receiver)) == 31


def test_two_entries_with_one_installation_have_one_report_and_the_strictest_consent(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.desk.variables["TELEMETRY_ENGINES__TWIN__REST"] = stage.engine.rest.replace("127.0.0.1", "localhost")
    with stage.engine, stage.receiver:
        stage.desk.enable()
        stage.clock.advance(17 * 60)  # two addresses are a cluster, whose metrics begin 16 minutes after enabling
        stage.desk.send(force=True)
        stage.work(3)
        stage.desk.send(force=True)
        report = stage.desk.reports()[0]
        assert report.engines == ("orders", "twin")
        assert counted(stage.receiver) == [0, 3]
        stage.desk.disable("twin")
        stage.work(4)
        with pytest.raises(NotPermitted):
            raise stage.desk.send("orders", force=True).failed[0].error
        stage.desk.enable("twin")
        stage.clock.advance(17 * 60)
        stage.desk.send(force=True)
        stage.work(5)
        stage.desk.send(force=True)
    assert counted(stage.receiver) == [0, 3, 0, 5]
    initial = [report for report in stage.desk.reports() if report.kind is Kind.INITIAL]
    assert len(initial) == 1
