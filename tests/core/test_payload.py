"""From what was found and counted to a report: which fields it has, which are missing, and why."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from telemetry_core import payload
from telemetry_core.errors import InstallationUnknown, NotAnEngine
from telemetry_core.model import (
    Counts,
    Environment,
    Finding,
    Found,
    Integration,
    Kind,
    License,
    Missing,
    Payload,
    Product,
    Software,
    State,
)
from telemetry_core.payload import Usage

CAMUNDA = Product("Camunda BPM Runtime", "7.24.0", "community")
NODE = "REST http://127.0.0.1:8080/engine-rest"
METRICS = {
    "root-process-instance-start": 5,
    "activity-instance-start": 10,
    "executed-decision-instances": 2,
    "executed-decision-elements": 4,
}
USAGE = Usage(Counts(METRICS, {"DeployCmd": 1}), 1_795_474_808_920, {})


def environment(product: Product = CAMUNDA, *, instead: Mapping[str, Finding] | None = None) -> Environment:
    findings: Mapping[str, Finding] = {
        "installation": Found("a77334a8", NODE),
        "product.name": Found(product, NODE),
        "product.version": Found(product, NODE),
        "product.edition": Found(product, NODE),
        "database": Found(Software("H2", "2.3.232"), NODE),
        "application-server": Missing("none was used"),
        "jdk": Found(Software("Debian", "17.0.15"), NODE),
        "integration": Found(Integration("camunda-integration", ("spring-boot-starter",)), NODE),
        "license-key": Found(License(raw="my company;unlimited"), NODE),
        "webapps": Found((), NODE),
    }
    return Environment({**findings, **(instead or {})})


def test_the_initial_report_has_the_documented_fields_and_no_other() -> None:
    built = payload.initial("a77334a8", CAMUNDA, State.DISABLED, NODE)
    assert built.payload == Payload(Kind.INITIAL, "a77334a8", CAMUNDA, telemetry_enabled=False)
    assert built.fields == ("installation", "product.name", "product.version", "product.edition", "telemetry-enabled")
    assert built.sources == {
        "installation": NODE,
        "product.name": NODE,
        "product.version": NODE,
        "product.edition": NODE,
        "telemetry-enabled": "consent",
    }
    assert built.missing == {}


@pytest.mark.parametrize(
    ("state", "enabled"), [(State.ENABLED, True), (State.DISABLED, False), (State.NOT_CONFIGURED, None)]
)
def test_the_initial_report_says_what_was_decided(state: State, enabled: bool | None) -> None:
    assert payload.initial("i", CAMUNDA, state, NODE).payload.telemetry_enabled is enabled


def test_the_periodic_report_has_all_that_was_found_and_counted() -> None:
    built = payload.periodic(environment(), USAGE, frozenset({"jdk.vendor"}))
    assert built.payload == Payload(
        kind=Kind.PERIODIC,
        installation="a77334a8",
        product=CAMUNDA,
        telemetry_enabled=True,
        database=Software("H2", "2.3.232"),
        application_server=None,
        jdk=Software("Debian", "17.0.15"),
        commands={"DeployCmd": 1},
        metrics={
            "root-process-instance-start": 5,
            "process-instances": 5,
            "activity-instance-start": 10,
            "flow-node-instances": 10,
            "executed-decision-instances": 2,
            "decision-instances": 2,
            "executed-decision-elements": 4,
        },
        integration=Integration("camunda-integration", ("spring-boot-starter",)),
        license_key=License(raw="my company;unlimited"),
        webapps=(),
        data_collection_start_date=1_795_474_808_920,
        withheld=frozenset({"jdk.vendor"}),
    )


@pytest.mark.parametrize(
    ("name", "version", "public_names", "start_date"),
    [
        ("Camunda BPM Runtime", "7.14.0", False, False),
        ("Camunda BPM Runtime", "7.16.0", False, False),
        ("Camunda BPM Runtime", "7.17.0", True, False),
        ("Camunda BPM Runtime", "7.18.0", True, False),
        ("Camunda BPM Runtime", "7.19.0", True, True),
        ("Camunda BPM Runtime", "7.24.0", True, True),
        ("Operaton BPM Runtime", "1.0.3", True, True),
        ("CIB seven", "2.0.0", True, True),
    ],
)
def test_public_names_and_start_date_are_there_from_the_release_on_that_has_them(
    name: str, version: str, public_names: bool, start_date: bool
) -> None:
    built = payload.periodic(environment(Product(name, version, "community")), USAGE, frozenset())
    assert set(METRICS) <= set(built.payload.metrics or {})
    assert ("process-instances" in (built.payload.metrics or {})) is public_names
    assert (built.payload.data_collection_start_date is not None) is start_date
    assert built.missing.get("data-collection-start-date") == (
        None if start_date else "this release's own report has none"
    )


def test_without_a_base_there_are_no_counts_and_the_reason_is_not_enabled() -> None:
    built = payload.periodic(environment(), Usage(Counts(), None, {}), frozenset())
    assert (built.payload.metrics, built.payload.commands, built.payload.data_collection_start_date) == (
        None,
        None,
        None,
    )
    assert built.missing == {
        "application-server": "none was used",
        "commands": "not enabled",
        "metrics": "not enabled",
        "data-collection-start-date": "not enabled",
    }


def test_a_count_that_is_missing_keeps_the_reason_of_its_reading() -> None:
    usage = Usage(Counts(None, {}), 0, {"metrics": "the engine answers 500."})
    built = payload.periodic(environment(), usage, frozenset())
    assert built.missing["metrics"] == "the engine answers 500."
    assert built.payload.commands == {}
    assert "commands" in built.fields


def test_fields_are_in_the_order_of_the_report_without_missing_and_withheld_ones() -> None:
    built = payload.periodic(environment(), USAGE, frozenset({"license-key", "jdk.vendor", "commands.DeployCmd"}))
    assert built.fields == (
        "installation",
        "product.name",
        "product.version",
        "product.edition",
        "database",
        "jdk",
        "commands",
        "metrics",
        "integration",
        "webapps",
        "telemetry-enabled",
        "data-collection-start-date",
    )


def test_every_value_has_a_source() -> None:
    built = payload.periodic(environment(), USAGE, frozenset())
    assert built.sources["jdk"] == NODE
    assert built.sources["metrics"] == "counted since 2026-11-23T23:00:08.920+0000"
    assert built.sources["telemetry-enabled"] == "consent"
    assert built.sources["data-collection-start-date"] == "the beginning of the report's window"
    assert set(built.sources) | set(built.missing) == {
        "installation",
        "product.name",
        "product.version",
        "product.edition",
        "database",
        "application-server",
        "jdk",
        "commands",
        "metrics",
        "integration",
        "license-key",
        "webapps",
        "telemetry-enabled",
        "data-collection-start-date",
    }


def test_without_an_installation_there_is_no_report_and_none_is_invented() -> None:
    found = environment(instead={"installation": Missing("the engine does not say it")})
    with pytest.raises(InstallationUnknown) as raised:
        payload.periodic(found, USAGE, frozenset())
    assert raised.value.message == "The engine does not say its installation id."
    assert "engines.NAME.installation" in raised.value.hint


def test_without_a_product_there_is_no_report() -> None:
    found = environment(instead={"product.name": Missing("the engine does not say it")})
    with pytest.raises(NotAnEngine):
        payload.identity(found)


def test_what_was_found_is_the_identity_of_the_report() -> None:
    assert payload.identity(environment()) == ("a77334a8", CAMUNDA)
