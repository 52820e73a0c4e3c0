"""What engines answer over REST: captured answers whole, and a part that does not fit is a problem of that part."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from telemetry_core.engines import answers
from telemetry_core.errors import NotAnEngine
from telemetry_core.model import Integration, License, Product, Snapshot, Software

CAPTURES = Path(__file__).parent.parent / "captures" / "telemetry-data"
NODE = "http://127.0.0.1:8080/engine-rest"


def read(body: bytes) -> Snapshot:
    return answers.snapshot("orders", NODE, body, 77)


def capture(name: str) -> bytes:
    return (CAPTURES / f"{name}.json").read_bytes()


def changed(**internals: object) -> Snapshot:
    """The answer of Camunda 7.24.0 with other parts; `_` stands for `-`."""
    body: dict[str, Any] = json.loads(capture("camunda-7.24.0"))
    body["product"]["internals"] |= {name.replace("_", "-"): value for name, value in internals.items()}
    return read(json.dumps(body).encode())


def test_camunda_7_24_is_read_whole() -> None:
    snapshot = read(capture("camunda-7.24.0"))
    assert snapshot.engine == "orders"
    assert snapshot.source == "REST http://127.0.0.1:8080/engine-rest"
    assert snapshot.read_at == 77
    assert snapshot.installation == "a77334a8-baf5-427d-b159-866f0d854134"
    assert snapshot.product == Product("Camunda BPM Runtime", "7.24.0", "community")
    assert snapshot.database == Software("H2", "2.3.232 (2024-08-11)")
    assert snapshot.application_server == Software("Apache Tomcat", "Apache Tomcat/10.1.46")
    assert snapshot.jdk == Software("Debian", "17.0.15")
    assert snapshot.webapps == ("cockpit",)
    assert snapshot.integration == Integration("camunda-integration", ("spring-boot-starter",))
    assert snapshot.license_key is None
    assert snapshot.commands is not None
    assert snapshot.commands.node == NODE
    assert snapshot.commands.started_at == 1_795_475_119_391
    assert len(snapshot.commands.counts) == 25
    assert snapshot.commands.counts["SaveAuthorizationCmd"] == 22
    assert snapshot.metrics is None
    assert snapshot.problems == {}


def test_camunda_7_17_has_no_start_date() -> None:
    snapshot = read(capture("camunda-7.17.0"))
    assert snapshot.product == Product("Camunda BPM Runtime", "7.17.0", "community")
    assert snapshot.commands is not None
    assert snapshot.commands.started_at is None
    assert snapshot.commands.counts["StartProcessInstanceCmd"] == 5
    assert snapshot.problems == {}


def test_operaton_has_an_integration_key_of_its_own_and_no_licence() -> None:
    snapshot = read(capture("operaton-1.0.3"))
    assert snapshot.product == Product("Operaton BPM Runtime", "1.0.3", "community")
    assert snapshot.integration == Integration("operaton-integration", ("spring-boot-starter",))
    assert snapshot.webapps == ()
    assert snapshot.license_key is None
    assert snapshot.commands is not None
    assert snapshot.commands.started_at == 1_795_475_148_123


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>login</html>", b"\xff\xfe", b'{"product":', b"[" * 100_000, b'{"product":{"name":"\\ud800"}}'],
)
def test_what_is_no_json_is_no_engine(body: bytes) -> None:
    with pytest.raises(NotAnEngine) as raised:
        read(body)
    assert raised.value.message == f"{NODE}/telemetry/data answers something that is not JSON."


@pytest.mark.parametrize(
    "body",
    [
        b"[]",
        b"null",
        b'"text"',
        b"{}",
        b'{"product":null}',
        b'{"product":{}}',
        b'{"product":{"name":"","version":"1","edition":"community"}}',
        b'{"product":{"name":"n","version":null,"edition":"community"}}',
        b'{"product":{"name":"n","version":"1","edition":7}}',
        b'{"product":{"name":"n","version":"' + b"1" * 256 + b'","edition":"community"}}',
    ],
)
def test_json_without_a_product_is_no_engine(body: bytes) -> None:
    with pytest.raises(NotAnEngine) as raised:
        read(body)
    assert raised.value.message.startswith(f"{NODE}/telemetry/data answers JSON of another shape: ")


@pytest.mark.parametrize("internals", ["", ',"internals":null', ',"internals":[]', ',"internals":{}'])
def test_an_engine_that_says_only_its_product_is_an_engine(internals: str) -> None:
    snapshot = read(f'{{"product":{{"name":"n","version":"1","edition":"e"{internals}}}}}'.encode())
    assert snapshot.product == Product("n", "1", "e")
    assert (snapshot.installation, snapshot.database, snapshot.commands, snapshot.webapps) == (None, None, None, None)
    assert snapshot.problems == {}


@pytest.mark.parametrize("installation", ["null", '""', "7", "[]", '"' + "x" * 256 + '"'])
def test_an_installation_that_is_no_id_is_none(installation: str) -> None:
    body = f'{{"installation":{installation},"product":{{"name":"n","version":"1","edition":"e"}}}}'
    assert read(body.encode()).installation is None


@pytest.mark.parametrize(
    ("part", "value", "point"),
    [
        ("database", "H2", "database"),
        ("application_server", {"vendor": 7}, "application-server"),
        ("jdk", ["17"], "jdk"),
        ("webapps", "cockpit", "webapps"),
        ("webapps", [7], "webapps"),
        ("camunda_integration", "x", "integration"),
        ("license_key", "text", "license-key"),
        ("license_key", {"features": {"a": 7}}, "license-key"),
        ("commands", {"DeployCmd": 5}, "commands"),
        ("commands", {"DeployCmd": {"count": -1}}, "commands"),
        ("commands", {"DeployCmd": {"count": 2**63}}, "commands"),
        ("commands", {"": {"count": 1}}, "commands"),
        ("data_collection_start_date", "Nov 23, 2026, 11:00:08 PM", "commands"),
        ("data_collection_start_date", 7, "commands"),
    ],
)
def test_a_part_that_does_not_fit_is_missing_alone(part: str, value: object, point: str) -> None:
    snapshot = changed(**{part: value})
    assert list(snapshot.problems) == [point]
    assert snapshot.problems[point].startswith("the engine's answer does not fit: ")
    assert getattr(snapshot, point.replace("-", "_")) is None
    assert snapshot.installation == "a77334a8-baf5-427d-b159-866f0d854134"


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-11-23T23:00:08.920+0000", 1_795_474_808_920),
        ("2026-11-24T00:00:08.920+0100", 1_795_474_808_920),
        ("2026-11-23T23:00:08.007-0000", 1_795_474_808_007),
    ],
)
def test_a_start_date_is_an_instant_whatever_its_zone(text: str, instant: int) -> None:
    commands = changed(data_collection_start_date=text).commands
    assert commands is not None
    assert commands.started_at == instant


@pytest.mark.parametrize(
    "generated",
    [
        "TelemetrySendingTask$$Lambda$881/0x00007f1dec99df98",
        "TelemetrySendingTask__Lambda/0x00007f1dec99df98",
        "Task$_Lambda/0x1",
        "Task_$Lambda$5",
    ],
)
def test_commands_with_generated_names_are_dropped(generated: str) -> None:
    commands = changed(commands={generated: {"count": 1}, "MetricsCollectionTask$1": {"count": 2}}).commands
    assert commands is not None
    assert commands.counts == {"MetricsCollectionTask$1": 2}


@pytest.mark.parametrize("vendor", [{"vendor": None, "version": None}, {}])
def test_a_vendor_and_version_that_are_null_are_nothing(vendor: object) -> None:
    snapshot = changed(database=vendor)
    assert snapshot.database is None
    assert snapshot.problems == {}


def test_a_structured_licence_is_read_whole() -> None:
    """The example of facts §7.2."""
    raw = "customer=ACME;expiryDate=2030-12-31;camundaBPM=true;optimize=false;cawemo=false"
    given = {"customer": "ACME", "type": "UNIFIED", "valid-until": "2030-12-31", "unlimited": False,
             "features": {"camundaBPM": "true"}, "raw": raw}  # fmt: skip
    assert changed(license_key=given).license_key == License(
        raw, "ACME", "UNIFIED", "2030-12-31", unlimited=False, features={"camundaBPM": "true"}
    )


def test_the_end_of_a_licence_is_read_as_cib_seven_says_it_too() -> None:
    """From 2.2 on `expires` instead of `valid-until`, and no raw (facts §1.8)."""
    given = {"customer": "ACME", "expires": "2030-12-31", "raw": None}
    assert changed(license_key=given).license_key == License(customer="ACME", valid_until="2030-12-31")


def test_a_licence_is_cleaned_of_its_footer() -> None:
    given = {"raw": "ACME;unlimited\n---------------  END CAMUNDA BPM LICENSE KEY  ---------------\n"}
    assert changed(license_key=given).license_key == License(raw="ACME;unlimited")


def test_a_licence_that_may_hold_its_signature_is_withheld_whole_with_the_reason() -> None:
    snapshot = changed(license_key={"customer": "ACME", "raw": "x" * 64})
    assert snapshot.license_key is None
    assert snapshot.problems == {"license-key": "withheld: the engine's licence text may hold its signature"}


def test_a_licence_of_nulls_is_none() -> None:
    snapshot = changed(license_key=dict.fromkeys(["customer", "type", "valid-until", "unlimited", "features", "raw"]))
    assert snapshot.license_key is None
    assert snapshot.problems == {}


@pytest.mark.parametrize(
    ("version", "product"),
    [
        ("7.14.0", Product("Camunda BPM Runtime", "7.14.0", "community")),
        ("7.16.3-ee", Product("Camunda BPM Runtime", "7.16.3", "enterprise")),
        ("7.14.0-alpha1-ee", Product("Camunda BPM Runtime", "7.14.0-alpha1", "enterprise")),
    ],
)
def test_releases_without_telemetry_data_are_known_by_their_version(version: str, product: Product) -> None:
    snapshot = answers.old_release("orders", NODE, json.dumps({"version": version}).encode(), 77)
    assert snapshot is not None
    assert snapshot.product == product
    assert snapshot.problems["commands"] == "Camunda 7.14 to 7.16 do not say it over REST"


@pytest.mark.parametrize("version", ['"7.13.7"', '"7.17.0"', '"7.24.0"', '"1.0.3"', "null", '""'])
def test_a_version_that_should_have_telemetry_data_is_no_old_release(version: str) -> None:
    assert answers.old_release("orders", NODE, f'{{"version":{version}}}'.encode(), 77) is None
