"""What is said of the initial report is what a `send` does with it, wherever it is said."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from telemetry_core import reporting
from telemetry_core.administration import AS_BEFORE
from telemetry_core.model import Kind
from telemetry_core.words import consent, preview, status
from tests.support.stage import Stage


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    made = Stage(tmp_path)
    with made.engine, made.receiver:
        yield made


def said(stage: Stage) -> dict[str, str]:
    """By the state, by the form that enables, and by the previews of both kinds of reports."""
    with stage.desk.session() as session:
        (engine,) = session.config.engines
        periodic = reporting.preview(session, engine, Kind.PERIODIC)
        return {
            "state": status.initial(reporting.status(session, engine)),
            "enable": dict(consent.meaning(session, (engine,), AS_BEFORE))["initial report"],
            "preview": preview.standing(reporting.preview(session, engine, Kind.INITIAL)),
            "first": preview.INITIAL_FIRST if periodic.initial_first else "",
        }


def test_an_engine_that_sends_its_own_gets_none_of_ours(stage: Stage) -> None:
    stage.engine.data["product"]["version"] = "7.16.0"
    stage.desk.enable()
    theirs = "7.14 to 7.16 send theirs by themselves; `telemetry send --initial --force` sends one more."
    assert said(stage) == {
        "state": f"not sent: {theirs}",
        "enable": f"not sent: {theirs}",
        "preview": f"Nothing would be sent: {theirs}",
        "first": "",
    }
    assert [one.report.kind for one in stage.desk.send().delivered] == [Kind.PERIODIC]


def test_one_that_was_refused_is_tried_again_a_period_later_and_holds_no_periodic_one_up(stage: Stage) -> None:
    stage.desk.enable()
    stage.status = 400
    stage.desk.send()
    stage.status = 202
    again = said(stage)
    assert again["state"].startswith("due 20"), again
    assert again["preview"].startswith("Due 20"), again
    assert again["first"] == ""
    assert [one.report.kind for one in stage.desk.send(force=False).delivered] == []
    stage.clock.advance(24 * 3600)
    assert said(stage)["first"] == preview.INITIAL_FIRST
    assert "at the next send" in said(stage)["state"]
    assert stage.desk.send().delivered[0].report.kind is Kind.INITIAL
    assert said(stage)["state"].startswith("accepted")
    assert said(stage)["enable"] == "sent already, once"
    assert said(stage)["first"] == ""


def test_the_first_one_goes_first(stage: Stage) -> None:
    stage.desk.enable()
    assert said(stage)["first"] == preview.INITIAL_FIRST
    assert "at the next send" in said(stage)["state"]
    assert [one.report.kind for one in stage.desk.send().delivered] == [Kind.INITIAL, Kind.PERIODIC]
