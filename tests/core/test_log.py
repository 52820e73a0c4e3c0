"""The log has the engine's logger, codes, levels and texts where the same thing happens, and no licence in it."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from telemetry_core import log, wire
from telemetry_core.errors import EngineUnreachable, StoreDamaged
from telemetry_core.model import Document, Kind, License, Payload, Product, Report
from telemetry_core.secret import Secret
from tests.support.clock import ManualClock
from tests.support.delivering import SETTINGS, Delivery, initial, new_store, periodic
from tests.support.desk import Desk
from tests.support.ports import free_port
from tests.support.receiver import Receiver, Reply
from tests.support.simulated_engine import SimulatedEngine

NAME = "org.camunda.bpm.engine.telemetry"
MORE = "Set this logger to DEBUG/FINE for the full stacktrace."


class Records(logging.Handler):
    """A handler that keeps what it is given."""

    def __init__(self) -> None:
        super().__init__()
        self.all: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.all.append(record)

    @property
    def lines(self) -> list[str]:
        return [f"{record.levelname} {record.getMessage()}" for record in self.all]

    @property
    def warnings(self) -> list[str]:
        return [line for line in self.lines if not line.startswith("DEBUG")]

    @property
    def codes(self) -> list[str]:
        return [getattr(record, "code") for record in self.all]  # noqa: B009  # an attribute of ours alone

    def context(self, number: int) -> dict[str, object]:
        about: dict[str, object] = getattr(self.all[number], "context")  # noqa: B009  # as above
        return about


@pytest.fixture
def records() -> Iterator[Records]:
    """Everything that the engine's logger is told."""
    logger, handler = logging.getLogger(NAME), Records()
    logger.setLevel(logging.DEBUG)
    logger.addHandler(handler)
    yield handler
    logger.removeHandler(handler)
    logger.setLevel(logging.NOTSET)


def deliver(tmp_path: Path, report: Report, *replies: int | None, retries: int = 0) -> Report:
    """Deliver a report to a receiver that answers as told; None closes without an answer."""
    answers = iter(replies)
    with new_store(tmp_path / "telemetry.db") as store, Receiver(lambda _: Reply(next(answers))) as receiver:
        delivery = Delivery(store, receiver.url, settings=replace(SETTINGS, retries=retries))
        return delivery(delivery.open(replace(report, endpoint=receiver.url.removesuffix("/pings"))))[0]


def test_a_report_that_is_accepted_is_logged_below_info_alone(tmp_path: Path, records: Records) -> None:
    sent = deliver(tmp_path, periodic(), 202)
    assert records.lines == [
        f"DEBUG ENGINE-28006 Sending telemetry data: {sent.document.body.decode()}",
        "DEBUG ENGINE-28016 Telemetry request was successful.",
    ]


def test_an_unexpected_success_is_logged_with_its_status(tmp_path: Path, records: Records) -> None:
    deliver(tmp_path, periodic(), 204)
    unexpected = "was sent, but received an unexpected response success code: 204"
    assert records.lines[1:] == [
        f"DEBUG ENGINE-28015 Telemetry request {unexpected}",
        "DEBUG ENGINE-28016 Telemetry request was successful.",
    ]


def test_each_attempt_that_fails_is_a_warning_also_where_a_later_one_succeeds(tmp_path: Path, records: Records) -> None:
    sent = deliver(tmp_path, periodic(), 503, None, 202, retries=2)
    unexpected = "ENGINE-28004 Unexpected response code 503 when sending telemetry data"
    assert records.warnings == [
        f"WARNING ENGINE-28002 Could not send telemetry data. Reason: DeliveryFailed with message '{reason}'. {MORE}"
        for reason in (unexpected, "the connection ended without an HTTP answer")
    ]
    assert records.codes == [
        *("ENGINE-28006", "ENGINE-28002", "ENGINE-28003") * 2,
        *("ENGINE-28006", "ENGINE-28016"),
    ]
    assert records.lines[2] == (
        "DEBUG ENGINE-28003 DeliveryFailed occurred while sending telemetry data."
        f" To {sent.endpoint}: answered 503. `telemetry history {sent.id}` shows what it answered."
    )


def test_an_initial_report_is_called_so(tmp_path: Path, records: Records) -> None:
    deliver(tmp_path, initial(), 400)
    assert records.lines[0].startswith("DEBUG ENGINE-28006 Sending initial telemetry data: {")
    unexpected = "ENGINE-28004 Unexpected response code 400 when sending initial telemetry data"
    assert records.warnings == [
        f"WARNING ENGINE-28002 Could not send initial telemetry data."
        f" Reason: DeliveryFailed with message '{unexpected}'. {MORE}"
    ]


def test_an_initial_report_that_another_one_has_sent_is_a_success(tmp_path: Path, records: Records) -> None:
    deliver(tmp_path, initial(), 409)
    unexpected = "was sent, but received an unexpected response success code: 409"
    assert records.lines[1:] == [
        f"DEBUG ENGINE-28015 Initial telemetry request {unexpected}",
        "DEBUG ENGINE-28016 Initial telemetry request was successful.",
    ]


def test_a_conflict_of_a_periodic_report_is_a_failure(tmp_path: Path, records: Records) -> None:
    deliver(tmp_path, periodic(), 409)
    assert [line[:20] for line in records.warnings] == ["WARNING ENGINE-28002"]


def test_a_run_whose_time_is_over_before_the_first_attempt_is_a_failure(tmp_path: Path, records: Records) -> None:
    with new_store(tmp_path / "telemetry.db") as store:
        delivery = Delivery(store, f"http://127.0.0.1:{free_port()}/pings")
        delivery.courier.spent = 60.0
        delivery()
    assert records.warnings == [
        "WARNING ENGINE-28002 Could not send telemetry data."
        f" Reason: DeliveryFailed with message 'no time was left within the deadline'. {MORE}"
    ]


def test_a_record_says_what_it_is_about(tmp_path: Path, records: Records) -> None:
    sent = deliver(tmp_path, periodic(), 503)
    about = {"engines": ("orders",), "report": sent.id, "kind": "periodic", "endpoint": sent.endpoint}
    assert records.context(0) == about
    assert records.context(1) == {**about, "outcome": "unknown", "status": 503}


LICENSE = License(
    customer="ACME GmbH", type="UNIFIED", valid_until="2030-12-31", unlimited=False,
    features={"camundaBPM": "true"}, raw="customer=ACME GmbH;expiryDate=2030-12-31",
)  # fmt: skip


def report_with(license_key: License | None) -> Document:
    product = Product("Camunda BPM Rüntime", "7.24.0\u2028", "community")
    payload = Payload(
        Kind.PERIODIC, "8343cc7a", product, telemetry_enabled=True, commands={"StartProcessInstanceCmd": 4},
        license_key=license_key, webapps=("cockpit",),
    )  # fmt: skip
    return wire.encode(payload)


def test_the_payload_is_logged_byte_by_byte_but_for_what_a_licence_says(tmp_path: Path, records: Records) -> None:
    document = report_with(LICENSE)
    deliver(tmp_path, replace(periodic(), document=document), 202)
    logged = records.all[0].getMessage().removeprefix("ENGINE-28006 Sending telemetry data: ")
    licence = json.loads(logged)["product"]["internals"]["license-key"]
    assert licence == dict.fromkeys(("customer", "type", "valid-until", "unlimited", "features", "raw"), "[redacted]")
    before, inside = logged.split('"license-key":')
    rest = inside[inside.index("}") + 1 :]
    sent = document.body.decode()
    assert sent.startswith(f'{before}"license-key":{{"customer":"ACME')
    assert sent.endswith(rest)
    assert '"webapps":["cockpit"]' in rest
    assert report_with(None).body.decode() == wire.without_license(report_with(None), instead="x")


def desk(tmp_path: Path, engine: SimulatedEngine, receiver: Receiver, **more: str) -> Desk:
    return Desk(tmp_path, ManualClock(), {"orders": engine.rest}, receiver.url, **more)


def test_a_turn_begins_with_its_start_and_says_where_telemetry_is_disabled(
    tmp_path: Path, records: Records, simulated: SimulatedEngine, receiver: Receiver
) -> None:
    here = desk(tmp_path, simulated, receiver)
    here.disable()
    here.send()
    assert records.codes == ["ENGINE-28001", "ENGINE-28009", "ENGINE-28006", "ENGINE-28016"]
    assert records.lines[:2] == [
        "DEBUG ENGINE-28001 Start telemetry sending task.",
        "DEBUG ENGINE-28009 Sending telemetry is disabled. Telemetry is disabled for orders.",
    ]
    assert records.context(0) == {"engines": ("orders",)}


def test_nothing_at_all_is_above_debug_when_all_is_well(
    tmp_path: Path, records: Records, simulated: SimulatedEngine, receiver: Receiver
) -> None:
    here = desk(tmp_path, simulated, receiver)
    here.enable()
    here.send()
    here.send()
    assert records.warnings == []
    assert records.codes.count("ENGINE-28006") == 2
    assert records.codes[-1] == "ENGINE-28001"


def test_an_engine_that_does_not_answer_is_one_warning_a_turn_with_its_stack_at_debug(
    tmp_path: Path, records: Records, simulated: SimulatedEngine, receiver: Receiver
) -> None:
    here = desk(tmp_path, simulated, receiver)
    here.enable()
    simulated.override["/telemetry/data"] = (500, "text/plain", b"")
    here.send()
    assert len(records.warnings) == 1
    assert records.warnings[0].startswith(
        f"WARNING ENGINE-28002 Could not send telemetry data. Reason: EngineError with message '{simulated.rest}"
    )
    assert records.codes == ["ENGINE-28001", "ENGINE-28002", "ENGINE-28003"]
    assert "Traceback (most recent call last):" in records.lines[2]


def test_an_engine_without_an_installation_has_invalid_data(
    tmp_path: Path, records: Records, simulated: SimulatedEngine, receiver: Receiver
) -> None:
    here = desk(tmp_path, simulated, receiver)
    here.enable()
    simulated.data["installation"] = None
    here.send()
    assert records.warnings == [
        "WARNING ENGINE-28017 Cannot send the telemetry data. Some of the data is invalid."
        " Set this logger to DEBUG/FINE to see more details."
    ]
    assert records.lines[-1].startswith(
        "DEBUG ENGINE-28018 Cannot send the telemetry task data. The engine does not say its installation id."
    )


def test_an_engine_that_reports_by_itself_is_no_warning(tmp_path: Path, records: Records, receiver: Receiver) -> None:
    with SimulatedEngine("camunda-7.17.0") as engine:
        engine.own_reporter = True
        here = desk(tmp_path, engine, receiver)
        here.enable()
        here.send()
    assert records.warnings == []
    assert records.lines[-1].endswith("Sending telemetry is disabled. Engine orders reports by itself.")


def test_a_store_that_cannot_be_used_is_a_task_that_did_not_start(records: Records) -> None:
    log.not_started(StoreDamaged("The store is damaged."))
    assert records.lines == [
        "WARNING ENGINE-28013 Could not start telemetry task. Reason: StoreDamaged with message"
        f" 'The store is damaged.'. {MORE}",
        "DEBUG ENGINE-28014 StoreDamaged occurred while starting the telemetry task.\n"
        "telemetry_core.errors.StoreDamaged: The store is damaged.",
    ]


def test_no_secret_that_was_used_is_in_a_stack(records: Records) -> None:
    Secret("Geheimnis").reveal()
    error = EngineUnreachable("No answer.")
    error.__cause__ = OSError("connecting as ada:Geheimnis")
    log.failed(("orders",), error)
    assert "connecting as ada:[redacted]" in records.lines[-1]
    assert not any("ada:Geheimnis" in line for line in records.lines)
