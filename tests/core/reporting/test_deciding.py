"""Who decides last has decided: neither the first run nor somebody who had not seen it undoes a decision."""

from __future__ import annotations

import pytest

from telemetry_core import administration, reporting
from telemetry_core import license as licenses
from telemetry_core.administration import Choice
from telemetry_core.errors import DecidedMeanwhile, NotPermitted
from telemetry_core.model import Kind
from telemetry_core.secret import Secret
from telemetry_core.words import status as words
from tests.support.clock import START
from tests.support.desk import AUTHOR, counted
from tests.support.ports import free_port
from tests.support.simulated_engine import SimulatedEngine
from tests.support.stage import Stage

FIRST_RUN = "TELEMETRY_INITIALIZE_TELEMETRY"


@pytest.mark.parametrize("wanted", ["true", "false"])
def test_what_was_disabled_before_the_first_run_stays_so(wanted: str, stage: Stage) -> None:
    stage.desk.variables[FIRST_RUN] = wanted
    stage.desk.disable()
    stage.desk.variables[FIRST_RUN] = "true"
    with stage.desk.session() as session:
        administration.first_run(session, lambda: "bob")
        assert [(one.state, one.how) for one in session.store.consents.history()] == [("disabled", "command")]


def test_what_was_enabled_before_the_first_run_stays_so(stage: Stage) -> None:
    stage.desk.enable()
    with stage.desk.session(**{FIRST_RUN: "false"}) as session:
        administration.first_run(session, lambda: "bob")
        assert [(one.state, one.how) for one in session.store.consents.history()] == [("enabled", "command")]


def test_what_is_disabled_while_enabling_reads_the_engine_stays_disabled(stage: Stage) -> None:
    stage.while_reading(lambda: stage.desk.disable(no_requests=True))
    with pytest.raises(DecidedMeanwhile, match="orders"):
        stage.desk.enable()
    with stage.desk.session() as session:
        assert session.consent("orders").state == "disabled"
    stage.desk.send()
    assert stage.receiver.received == []


def test_two_who_enable_the_same_at_once_both_have(stage: Stage) -> None:
    stage.while_reading(stage.desk.enable)
    stage.desk.enable()
    stage.work(3)
    stage.desk.send()
    assert counted(stage.receiver) == [3]
    with stage.desk.session() as session:
        assert len(session.store.consents.history()) == 1


@pytest.mark.parametrize("choice", [Choice(), Choice(without=("license",))])
def test_whoever_has_seen_an_older_state_than_that_of_now_does_not_enable(choice: Choice, stage: Stage) -> None:
    stage.desk.enable()
    with stage.desk.session() as session:
        (engine,) = session.config.engines
        seen = session.recorded_consent("orders")
        stage.desk.disable()
        with pytest.raises(DecidedMeanwhile):
            administration.enable(session, engine, AUTHOR, choice, seen=seen)
        assert session.consent("orders").state == "disabled"


def test_to_suppose_that_telemetry_is_disabled_says_what_follows_and_records_nothing(stage: Stage) -> None:
    stage.desk.send()  # the first contact, three hours before an initial report that nobody has decided about
    with stage.desk.session() as session:
        (engine,) = session.config.engines
        assert "due 20" in words.initial(reporting.status(session, engine))
        supposed = reporting.status(administration.as_disabled(session, engine), engine)
        assert "at the next send" in words.initial(supposed)
        administration.disable(session, engine, AUTHOR)
        decided = reporting.status(session, engine)
        assert words.initial(supposed) == words.initial(decided)
        assert len(session.store.consents.history()) == 1
        administration.disable(session, engine, AUTHOR, no_requests=True)
        assert "All requests were forbidden" in words.initial(
            reporting.status(administration.as_disabled(session, engine), engine)
        )


def license_set(stage: Stage, entry: str = "orders") -> administration.Licensed:
    with stage.desk.session() as session:
        (engine,) = session.engines((entry,))
        return administration.set_license(session, engine, licenses.parse(Secret("c2ln;ACME;2999-12-31")), "ada")


@pytest.mark.parametrize("by", ["first run", "enable"])
def test_a_licence_that_is_set_before_the_first_run_begins_no_counting(by: str, stage: Stage) -> None:
    stage.desk.variables[FIRST_RUN] = "true"
    license_set(stage)
    stage.work(500)
    if by == "enable":
        stage.desk.enable()
    else:
        with stage.desk.session() as session:
            administration.first_run(session, lambda: "bob")
    stage.desk.send()
    stage.work(3)
    stage.desk.send(force=True)
    assert counted(stage.receiver) == [0, 3]


def test_before_the_first_run_no_report_is_kept(stage: Stage) -> None:
    stage.desk.variables[FIRST_RUN] = "true"
    with pytest.raises(NotPermitted, match="Telemetry is not configured for orders"):
        stage.desk.keep()
    stage.work(500)
    assert stage.desk.reports() == []


def test_enabling_that_is_refused_leaves_no_base_behind(stage: Stage) -> None:
    with stage.desk.session() as session:
        administration.enable(session, session.config.engines[0], AUTHOR, Choice(without=("license",)))
    stage.while_reading(stage.desk.disable)
    with stage.desk.session() as session:
        with pytest.raises(DecidedMeanwhile):
            administration.enable(session, session.config.engines[0], AUTHOR, Choice(with_=("license",)))
        assert session.store.ledgers.get(stage.engine.installation) is None


def test_of_two_entries_one_that_shows_another_installation_has_its_licence_and_reports_of_its_own(
    stage: Stage,
) -> None:
    with SimulatedEngine("camunda-7.24.0", now=stage.clock.now) as moved:
        stage.desk.variables["TELEMETRY_ENGINES__BILLING__REST"] = stage.engine.rest
        stage.desk.variables["TELEMETRY_ENGINES__ORDERS__REST"] = moved.rest
        moved.data["installation"] = stage.engine.installation
        stage.desk.enable()
        stage.desk.send()
        with stage.desk.session() as session:
            assert len(session.sharing(stage.engine.installation)) == 2
        moved.data["installation"] = "11111111-2222-4333-8444-555555555555"
        kept = license_set(stage)
        assert (kept.installation, kept.is_read) == (moved.data["installation"], True)
        stage.clock.advance(24 * 3600)
        stage.desk.send()
        sent = {(one.installation, one.kind) for one in stage.desk.reports()}
        assert (moved.data["installation"], Kind.PERIODIC) in sent
        assert (moved.data["installation"], Kind.INITIAL) in sent
        assert not [one for one in stage.desk.reports() if len(one.engines) == 2 and one.created_at > START + 3600_000]


def test_a_licence_of_an_entry_that_does_not_answer_is_kept_for_what_is_known_and_says_so(stage: Stage) -> None:
    stage.desk.variables["TELEMETRY_ENGINES__BILLING__REST"] = stage.engine.rest
    stage.desk.enable()
    stage.desk.variables["TELEMETRY_ENGINES__ORDERS__REST"] = f"http://127.0.0.1:{free_port()}/engine-rest"
    assert license_set(stage).is_read is False
    assert license_set(stage, "billing").is_read is True
