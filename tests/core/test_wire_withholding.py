"""What is withheld is not in the bytes: a whole data point, a part of one, a single key of a map."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from telemetry_core import wire
from telemetry_core.model import Integration, Kind, License, Payload, Product, Software

FULL = Payload(
    kind=Kind.PERIODIC,
    installation="i",
    product=Product("n", "v", "e"),
    telemetry_enabled=True,
    database=Software("H2", "2"),
    application_server=Software("Apache Tomcat", "Apache Tomcat/9"),
    jdk=Software("Debian", "17"),
    commands={"DeployCmd": 1, "com.example.OwnCmd": 2, "com": 3},
    metrics={"process-instances": 4, "flow-node-instances": 5},
    integration=Integration("operaton-integration", ("spring-boot-starter",)),
    license_key=License(raw="a;b", customer="ACME", features={"camundaBPM": "true", "own.feature": "x"}),
    webapps=("cockpit",),
    data_collection_start_date=0,
)
INTERNALS = {
    "database": {"vendor": "H2", "version": "2"},
    "application-server": {"vendor": "Apache Tomcat", "version": "Apache Tomcat/9"},
    "jdk": {"version": "17", "vendor": "Debian"},
    "commands": {"DeployCmd": {"count": 1}, "com.example.OwnCmd": {"count": 2}, "com": {"count": 3}},
    "metrics": {"process-instances": {"count": 4}, "flow-node-instances": {"count": 5}},
    "operaton-integration": ["spring-boot-starter"],
    "license-key": {"customer": "ACME", "features": {"camundaBPM": "true", "own.feature": "x"}, "raw": "a;b"},
    "webapps": ["cockpit"],
    "telemetry-enabled": True,
    "data-collection-start-date": "1970-01-01T00:00:00.000+0000",
}


def internals(*withheld: str) -> dict[str, object]:
    report = json.loads(wire.encode(replace(FULL, withheld=frozenset(withheld))).body)
    found: dict[str, object] = report["product"]["internals"]
    return found


def test_nothing_is_left_out_where_nothing_is_withheld() -> None:
    assert internals() == INTERNALS


@pytest.mark.parametrize(
    "point",
    [
        "database",
        "application-server",
        "jdk",
        "commands",
        "metrics",
        "license-key",
        "webapps",
        "data-collection-start-date",
    ],
)
def test_a_whole_data_point_is_left_out_and_nothing_else(point: str) -> None:
    assert internals(point) == {name: value for name, value in INTERNALS.items() if name != point}


def test_the_integration_is_left_out_whatever_its_key_is() -> None:
    assert "operaton-integration" not in internals("integration")
    other = replace(FULL, integration=Integration("kora-integration", ()), withheld=frozenset({"integration"}))
    assert b"integration" not in wire.encode(other).body


@pytest.mark.parametrize(
    ("path", "point", "left"),
    [
        ("jdk.vendor", "jdk", {"version": "17"}),
        ("database.version", "database", {"vendor": "H2"}),
        ("license-key.customer", "license-key",
         {"features": {"camundaBPM": "true", "own.feature": "x"}, "raw": "a;b"}),
        ("license-key.features", "license-key", {"customer": "ACME", "raw": "a;b"}),
        ("license-key.features.camundaBPM", "license-key",
         {"customer": "ACME", "features": {"own.feature": "x"}, "raw": "a;b"}),
        ("license-key.features.own.feature", "license-key",
         {"customer": "ACME", "features": {"camundaBPM": "true"}, "raw": "a;b"}),
        ("commands.DeployCmd", "commands", {"com.example.OwnCmd": {"count": 2}, "com": {"count": 3}}),
        ("commands.com.example.OwnCmd", "commands", {"DeployCmd": {"count": 1}, "com": {"count": 3}}),
        ("commands.com", "commands", {"DeployCmd": {"count": 1}, "com.example.OwnCmd": {"count": 2}}),
        ("metrics.process-instances", "metrics", {"flow-node-instances": {"count": 5}}),
    ],
)  # fmt: skip
def test_a_part_is_left_out_and_the_rest_of_its_point_stays(path: str, point: str, left: object) -> None:
    assert internals(path) == INTERNALS | {point: left}


@pytest.mark.parametrize("path", ["commands.NoSuchCmd", "jdk.vendor.x", "license-key.raw.x", "webapps.cockpit"])
def test_a_path_that_nothing_has_leaves_out_nothing(path: str) -> None:
    assert internals(path) == INTERNALS


def test_several_paths_are_all_left_out() -> None:
    left = internals("jdk", "jdk.vendor", "commands.DeployCmd", "commands.com", "webapps")
    assert "jdk" not in left
    assert "webapps" not in left
    assert left["commands"] == {"com.example.OwnCmd": {"count": 2}}


@pytest.mark.parametrize(
    ("point", "path"),
    [
        ("installation", "installation"),
        ("product.version", "product.version"),
        ("jdk", "product.internals.jdk"),
        ("commands.DeployCmd", "product.internals.commands.DeployCmd"),
        ("integration", "product.internals.*-integration"),
        ("telemetry-enabled", "product.internals.telemetry-enabled"),
    ],
)
def test_a_data_point_is_shown_with_its_path_in_the_report(point: str, path: str) -> None:
    assert wire.field_path(point) == path


def test_a_path_of_the_report_names_its_data_point() -> None:
    assert wire.field_name("product.internals.jdk.vendor") == "jdk.vendor"
    assert wire.field_name("jdk.vendor") == "jdk.vendor"
    assert wire.field_name("product.version") == "product.version"
