"""The report's bytes: the user guide's keys in its order, the same bytes for the same report."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as some

from telemetry_core import wire
from telemetry_core.model import Integration, Kind, License, Payload, Product, Software
from tests.support.dose import dose

PRODUCT = Product("Camunda BPM Runtime", "7.14.0", "enterprise")

#: The example of the user guide, as values.
EXAMPLE = Payload(
    kind=Kind.PERIODIC,
    installation="8343cc7a-8ad1-42d4-97d2-43452c0bdfa3",
    product=PRODUCT,
    telemetry_enabled=None,
    database=Software("h2", "1.4.190 (2015-10-11)"),
    application_server=Software("Wildfly", "WildFly Full 19.0.0.Final (WildFly Core 11.0.0.Final) - 2.0.30.Final"),
    jdk=Software("Oracle Corporation", "14.0.2"),
    commands={"StartProcessInstanceCmd": 40, "FetchExternalTasksCmd": 100},
    metrics={
        "root-process-instance-start": 936,
        "activity-instance-start": 6125,
        "executed-decision-instances": 140,
        "executed-decision-elements": 732,
    },
    integration=Integration("camunda-integration", ("spring-boot-starter", "camunda-bpm-run")),
    license_key=License(
        customer="customer name",
        type="UNIFIED",
        valid_until="2022-09-30",
        unlimited=False,
        features={"camundaBPM": "true"},
        raw="customer=customer name;expiryDate=2022-09-30;camundaBPM=true;optimize=false;cawemo=false",
    ),
    webapps=("cockpit", "admin"),
)
SMALLEST = Payload(Kind.PERIODIC, "i", Product("n", "v", "e"), telemetry_enabled=True)


def body(payload: Payload) -> str:
    return wire.encode(payload).body.decode()


def test_the_report_has_the_keys_of_the_user_guides_example_in_its_order() -> None:
    assert body(EXAMPLE) == (
        '{"installation":"8343cc7a-8ad1-42d4-97d2-43452c0bdfa3","product":{"name":"Camunda BPM Runtime",'
        '"version":"7.14.0","edition":"enterprise","internals":{'
        '"database":{"vendor":"h2","version":"1.4.190 (2015-10-11)"},'
        '"application-server":{"vendor":"Wildfly",'
        '"version":"WildFly Full 19.0.0.Final (WildFly Core 11.0.0.Final) - 2.0.30.Final"},'
        '"jdk":{"version":"14.0.2","vendor":"Oracle Corporation"},'
        '"commands":{"FetchExternalTasksCmd":{"count":100},"StartProcessInstanceCmd":{"count":40}},'
        '"metrics":{"activity-instance-start":{"count":6125},"executed-decision-elements":{"count":732},'
        '"executed-decision-instances":{"count":140},"root-process-instance-start":{"count":936}},'
        '"camunda-integration":["camunda-bpm-run","spring-boot-starter"],'
        '"license-key":{"customer":"customer name","type":"UNIFIED","valid-until":"2022-09-30","unlimited":false,'
        '"features":{"camundaBPM":"true"},'
        '"raw":"customer=customer name;expiryDate=2022-09-30;camundaBPM=true;optimize=false;cawemo=false"},'
        '"webapps":["admin","cockpit"]}}}'
    )


def test_consent_and_start_of_the_window_stand_behind_the_documented_keys() -> None:
    report = replace(SMALLEST, webapps=(), data_collection_start_date=1_795_474_808_920)
    assert body(report) == (
        '{"installation":"i","product":{"name":"n","version":"v","edition":"e","internals":'
        '{"webapps":[],"telemetry-enabled":true,"data-collection-start-date":"2026-11-23T23:00:08.920+0000"}}}'
    )


def test_what_is_unknown_is_left_out_and_what_is_known_to_be_empty_is_there() -> None:
    assert body(SMALLEST) == (
        '{"installation":"i","product":{"name":"n","version":"v","edition":"e","internals":{"telemetry-enabled":true}}}'
    )
    empty = replace(
        SMALLEST, commands={}, metrics={}, integration=Integration("operaton-integration", ()), webapps=()
    )  # fmt: skip
    assert body(empty) == (
        '{"installation":"i","product":{"name":"n","version":"v","edition":"e","internals":'
        '{"commands":{},"metrics":{},"operaton-integration":[],"webapps":[],"telemetry-enabled":true}}}'
    )


@pytest.mark.parametrize(
    ("software", "written"),
    [
        (Software("H2", None), '{"vendor":"H2"}'),
        (Software(None, "2.2.224"), '{"version":"2.2.224"}'),
        (Software("", "Apache Tomcat/9"), '{"vendor":"","version":"Apache Tomcat/9"}'),
    ],
)
def test_half_of_a_vendor_and_version_is_written_alone(software: Software, written: str) -> None:
    assert f'"internals":{{"database":{written},' in body(replace(SMALLEST, database=software))


def test_a_vendor_and_version_that_are_both_unknown_are_left_out() -> None:
    assert body(replace(SMALLEST, database=Software(None, None))) == body(SMALLEST)


def test_a_licence_that_is_raw_alone_has_no_other_key() -> None:
    report = replace(SMALLEST, license_key=License(raw="my company;unlimited"))
    assert '"internals":{"license-key":{"raw":"my company;unlimited"},' in body(report)


@pytest.mark.parametrize(("enabled", "written"), [(True, "true"), (False, "false"), (None, "null")])
def test_the_initial_report_has_exactly_the_documented_keys(enabled: bool | None, written: str) -> None:
    report = replace(EXAMPLE, kind=Kind.INITIAL, telemetry_enabled=enabled, data_collection_start_date=1)
    assert body(report) == (
        '{"installation":"8343cc7a-8ad1-42d4-97d2-43452c0bdfa3","product":{"name":"Camunda BPM Runtime",'
        f'"version":"7.14.0","edition":"enterprise","internals":{{"telemetry-enabled":{written}}}}}}}'
    )


def test_the_digest_is_the_sha_256_of_the_body_in_hexadecimal() -> None:
    report = Payload(
        Kind.INITIAL,
        "b647de4d-e557-455a-a64f-feaecd55f53c",
        Product("Camunda BPM Runtime", "7.14.0", "community"),
        telemetry_enabled=False,
    )
    document = wire.encode(report)
    assert len(document.body) == 177
    assert document.sha256 == "59f732d6e5d1a32debe5cc3f5f5266f9d84ff86679f7562a1ec119846e0b358f"


def test_text_of_any_script_is_raw_utf_8_and_nothing_of_html_is_escaped() -> None:
    report = replace(SMALLEST, license_key=License(raw="Müller & Söhne <中文> 'ß'=\u2028\U0001f600;unlimited"))
    document = wire.encode(report).body
    assert "Müller & Söhne <中文> 'ß'=\u2028\U0001f600;unlimited".encode() in document
    assert b"\\u" not in document


def test_what_json_must_escape_is_escaped() -> None:
    report = replace(SMALLEST, license_key=License(raw='a"b\\c\nd\x00;x'))
    assert b'{"raw":"a\\"b\\\\c\\nd\\u0000;x"}' in wire.encode(report).body


def test_counts_are_integers_up_to_64_bits() -> None:
    report = replace(SMALLEST, metrics={"process-instances": 9_223_372_036_854_775_807})
    assert '"metrics":{"process-instances":{"count":9223372036854775807}}' in body(report)


def test_map_keys_are_sorted_by_code_point() -> None:
    report = replace(SMALLEST, commands={"b": 1, "a.C": 2, "B": 3, "aC": 4, "Ä": 5, "a_C": 6})
    assert (
        '"commands":{"B":{"count":3},"a.C":{"count":2},"aC":{"count":4},"a_C":{"count":6},'
        '"b":{"count":1},"Ä":{"count":5}}'
    ) in body(report)


names = some.text(some.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)
counts = some.dictionaries(names, some.integers(0, 2**63 - 1), max_size=8)


@dose(60)
@given(counts, some.dictionaries(names, names, max_size=5), some.lists(names, max_size=5, unique=True))
def test_the_same_report_gives_the_same_bytes_in_whatever_order_its_maps_and_sets_came(
    commands: dict[str, int], features: dict[str, str], webapps: list[str]
) -> None:
    def report(order: int) -> Payload:
        step = -1 if order else 1
        return replace(
            SMALLEST,
            commands=dict(list(commands.items())[::step]),
            license_key=License(raw="r", features=dict(list(features.items())[::step])),
            webapps=tuple(webapps[::step]),
            integration=Integration("x-integration", tuple(webapps[::step])),
        )

    assert wire.encode(report(0)) == wire.encode(report(1))
    read = json.loads(wire.encode(report(0)).body)["product"]["internals"]
    assert read["commands"] == {name: {"count": count} for name, count in commands.items()}
    assert read["license-key"]["features"] == features
