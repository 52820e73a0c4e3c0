"""The twin: a real engine that reports by itself, observed by `telemetry`, both say the same of the same work.

Both windows hold the same work: the engine's goes from its first report, which empties its counters, to the one of its
shutdown; ours lies within it, from enabling to sending, and all the work is done in between.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest

from tests.engines import Engine
from tests.support.postgresql import PostgreSQL
from tests.support.program import Program
from tests.support.receiver import Receiver

pytestmark = [pytest.mark.engine, pytest.mark.family]

LICENSE = "c2lnbmF0dXJl;customer=ACME;expiryDate=2030-01-01"
FIRST_REPORT = 15  # seconds, enough for the application to be up: what it executes then is in no window

#: By how much the engine counts more of a command than we do, and why. All else is equal, commands with 0 included.
BY_OBSERVING = {
    "GetTelemetryDataCmd": (
        1,
        "enabling reads it for the base and sending reads it again; ours begins after the first",
    ),
    "MetricsQueryImpl": (4, "sending asks for the four sums of metrics after it has read the commands"),
    "IsTelemetryEnabledCmd": (
        1,
        "the engine's own reporter asks it before it sends; ours is told by the configuration",
    ),
    "MetricsCollectionTask_MetricsCollectionCmd": (1, "the engine flushes its metrics when it shuts down"),
}

#: What 7.14 reports and we do not, and why. Everything else is said by its REST API, its database and the host.
NOT_FROM_7_14 = {"commands": "Camunda 7.14 to 7.16 do not say it over REST"}
NOT_A_COUNTER = "unique-task-workers"
"""7.14 alone counted who had a task in its history in the last 24 hours: no sum of events, nor in its REST API."""


@dataclass(frozen=True)
class Twins:
    """What the engine and we reported of the same work; `missing` is why we left fields out."""

    theirs: dict[str, Any]
    ours: dict[str, Any]
    missing: dict[str, str]


def reported(release: str, program: Program, database: str = "memory", *, configured: bool = False) -> Twins:
    """An engine is started, reports, works, is observed, and reports again when it stops."""
    with Receiver() as theirs, Receiver() as ours:
        own_reporter = {
            "telemetry-endpoint": theirs.url,
            "initialize-telemetry": True,
            "engine.first-report-seconds": FIRST_REPORT,
        }
        with Engine.start(release, properties=own_reporter, database=database) as engine:
            before = first_report(theirs)
            configure(program, engine, ours, database)
            if configured:
                with program.config.open("a") as lines:
                    lines.write(f'installation = "{before["installation"]}"\n')
            assert program("enable", "--yes").status == 0
            work(engine)
            previewed = program("preview", "--json").data["reports"][0]  # its reading is in both windows
            sent = program("send", "--force")
            assert (sent.status, sent.stdout, sent.stderr) == (0, b"", b"")
            assert engine.stop()
        return Twins(json.loads(theirs.received[-1].body), json.loads(ours.received[-1].body), previewed["missing"])


def first_report(theirs: Receiver) -> dict[str, Any]:
    """The report with which the engine's window begins; 7.14 sends an initial one before it."""
    limit = time.monotonic() + 60
    while time.monotonic() < limit:
        for received in list(theirs.received):
            report: dict[str, Any] = json.loads(received.body)
            if report["product"]["internals"]["metrics"] is not None:
                time.sleep(1)  # until the engine has its answer, and starts anew
                return report
        time.sleep(0.1)
    raise AssertionError("the engine does not report")


def configure(program: Program, engine: Engine, ours: Receiver, database: str) -> None:
    lines = [f'endpoint = "{ours.url}"', "[engines.orders]", f'rest = "{engine.rest}"', 'own-reporter = "off"']
    if database != "memory":
        lines.append(f'database = "{database}"')
    program.configure("\n".join(lines) + "\n")
    program.config.chmod(0o600)


def work(engine: Engine) -> None:
    engine.start_process(3)
    engine.complete_tasks()
    engine.evaluate_decision(2)
    engine.open_cockpit()
    engine.set_license(LICENSE)


def without_nulls(value: Any) -> Any:
    """Null and absent are equal (DESIGN §10)."""
    if isinstance(value, dict):
        return {key: without_nulls(one) for key, one in value.items() if one is not None}
    return value


def instant(text: str) -> float:
    """A start date in one of its two forms: over REST, or as Gson writes it in the zone of the JVM (facts §1.4)."""
    if text[:4].isdecimal():
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%f%z").timestamp()
    return datetime.strptime(text.replace("\u202f", " "), "%b %d, %Y, %I:%M:%S %p").astimezone().timestamp()


def counts(counters: dict[str, Any]) -> dict[str, int]:
    return {name: counter["count"] for name, counter in counters.items()}


def more_than(theirs: dict[str, int], ours: dict[str, int]) -> dict[str, int]:
    """By how much one counts more; a name of one of them alone is there even with 0."""
    names = {name for name in {**theirs, **ours} if theirs.get(name) != ours.get(name)}
    return {name: theirs.get(name, 0) - ours.get(name, 0) for name in names}


@pytest.mark.parametrize("release", ["camunda-7.17.0", "camunda-7.21.0"])
def test_engine_and_telemetry_say_the_same_of_the_same_work_key_by_key(release: str, program: Program) -> None:
    twins = reported(release, program)
    theirs, ours = without_nulls(twins.theirs), without_nulls(twins.ours)
    said, say = theirs["product"].pop("internals"), ours["product"].pop("internals")

    commands = counts(said.pop("commands")), counts(say.pop("commands"))
    assert more_than(*commands) == {name: more for name, (more, _) in BY_OBSERVING.items()}
    assert commands[1]["StartProcessInstanceCmd"] == 3
    assert counts(say["metrics"])["root-process-instance-start"] == 3
    assert say["license-key"] == {"raw": "customer=ACME;expiryDate=2030-01-01"}
    assert say["webapps"] == ["cockpit"]

    dates = [one.pop("data-collection-start-date", None) for one in (said, say)]
    if release == "camunda-7.17.0":
        assert dates == [None, None]
    else:
        assert abs(instant(dates[0]) - instant(dates[1])) <= 60
    assert say == said
    assert ours == theirs


def test_of_7_14_everything_but_commands_is_said_by_its_database_and_this_host(
    program: Program, postgresql: PostgreSQL
) -> None:
    """Its metrics are in rows that it writes every 15 minutes: those of now are the base's, and not counted yet."""
    twins = reported("camunda-7.14.0", program, postgresql.url(postgresql.database()))
    theirs, ours = without_nulls(twins.theirs), without_nulls(twins.ours)
    said, say = theirs["product"].pop("internals"), ours["product"].pop("internals")

    reasons = {path.removeprefix("product.internals."): reason for path, reason in twins.missing.items()}
    assert {name: reason for name, reason in reasons.items() if name in said} == NOT_FROM_7_14
    assert said.keys() - say.keys() == NOT_FROM_7_14.keys()
    assert say.keys() - said.keys() == set()
    assert counts(say.pop("metrics")).keys() == counts(said.pop("metrics")).keys() - {NOT_A_COUNTER}
    del said["commands"]
    assert say == said
    assert (say["camunda-integration"], say["jdk"]["vendor"]) == (["spring-boot-starter"], "Debian")
    assert say["license-key"] == {"raw": "customer=ACME;expiryDate=2030-01-01"}
    assert ours == theirs


def test_metrics_of_7_14_over_its_rest_api_are_those_that_it_reports(program: Program) -> None:
    twins = reported("camunda-7.14.0", program, configured=True)
    said, say = (without_nulls(one)["product"]["internals"] for one in (twins.theirs, twins.ours))
    metrics = counts(said["metrics"])
    assert metrics.pop(NOT_A_COUNTER) == 1
    assert counts(say["metrics"]) == metrics
    assert metrics["root-process-instance-start"] == 3
