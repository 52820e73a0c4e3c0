"""Every data point with its value and source, or the reason why there is none."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest

from telemetry_core import wire
from telemetry_core.environment import POINTS, Point, gather
from telemetry_core.model import (
    CommandsReading,
    Found,
    Integration,
    License,
    MeterRow,
    MetricsReading,
    Missing,
    Product,
    RowsReading,
    Snapshot,
    Software,
)

NODE1 = Snapshot("orders", "REST http://node1", 1)
NODE2 = Snapshot("orders", "REST http://node2", 1)


def test_the_data_points_are_those_of_the_user_guide_in_the_order_of_the_report() -> None:
    assert [(point.name, point.category) for point in POINTS] == [
        ("installation", "general"),
        ("product.name", "general"),
        ("product.version", "general"),
        ("product.edition", "general"),
        ("database", "meta"),
        ("application-server", "meta"),
        ("jdk", "meta"),
        ("commands", "usage"),
        ("metrics", "usage"),
        ("integration", "usage"),
        ("license-key", "license"),
        ("webapps", "meta"),
        ("telemetry-enabled", "general"),
        ("data-collection-start-date", "usage"),
    ]


JSON: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "object": dict,
    "object of counters": dict,
    "array of strings": list,
    "boolean or null": (bool, type(None)),
}


@pytest.mark.parametrize("point", POINTS, ids=lambda point: point.name)
def test_every_data_point_says_why_it_is_collected_from_which_sources_and_how_it_looks(point: Point) -> None:
    assert point.why.endswith(".")
    assert len(point.why) > 20
    assert point.sources
    assert isinstance(json.loads(point.example), JSON[point.type])
    assert " " not in re.sub(r'"[^"]*"', "", point.example), "as the bytes of a report have it"
    if point.type == "object of counters":
        assert all(set(counter) == {"count"} for counter in json.loads(point.example).values())
    if isinstance(json.loads(point.example), dict) and "counters" not in point.type:
        assert list(json.loads(point.example)) == list(wire.FIELDS[point.name])


def test_every_data_point_can_be_withheld_or_is_in_every_report() -> None:
    assert {point.name for point in POINTS} == {*wire.ALWAYS, *wire.FIELDS}


def test_what_the_reporter_says_itself_is_not_looked_for() -> None:
    assert set(gather([NODE1]).findings) == {
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
    }


def test_a_value_comes_from_the_first_source_that_has_it() -> None:
    found = gather([NODE1, replace(NODE2, installation="b", jdk=Software("Debian", "17"))])
    assert found.findings["installation"] == Found("b", "REST http://node2")
    found = gather([replace(NODE1, installation="a"), replace(NODE2, installation="b")])
    other = Found("b", "REST http://node2")
    assert found.findings["installation"] == Found("a", "REST http://node1", others=(other,))
    assert found.value("installation") == "a"


def test_sources_that_disagree_stand_side_by_side_and_each_value_once() -> None:
    """A Zulu JDK is "Oracle Corporation" to the engine, and what it is to the host (user guide, Meta Data)."""
    engine = replace(NODE1, jdk=Software("Oracle Corporation", "17.0.9"))
    host = Snapshot("orders", "host /opt/zulu", 1, jdk=Software("Azul Systems, Inc.", "17.0.9"))
    other = Found(Software("Azul Systems, Inc.", "17.0.9"), host.source)
    for snapshots in ([engine, host], [engine, replace(engine, source="REST http://node2"), host, host]):
        assert gather(snapshots).findings["jdk"] == Found(engine.jdk, engine.source, others=(other,))
    assert gather([NODE1, host]).findings["jdk"] == Found(host.jdk, host.source)


def test_nodes_of_different_releases_differ_in_the_version_alone() -> None:
    old, new = (Product("Camunda BPM Runtime", version, "community") for version in ("7.23.0", "7.24.0"))
    found = gather([replace(NODE1, product=old), replace(NODE2, product=new)]).findings
    assert found["product.version"] == Found(old, NODE1.source, others=(Found(new, NODE2.source),))
    assert found["product.name"] == Found(old, NODE1.source)
    assert found["product.edition"] == Found(old, NODE1.source)


def test_commands_are_what_all_nodes_say_together() -> None:
    one = replace(NODE1, commands=CommandsReading("a", {"A": 1, "B": 2}, 5))
    two = replace(NODE2, commands=CommandsReading("b", {"B": 3}, 6))
    assert gather([one, two]).findings["commands"] == Found({"A": 1, "B": 5}, "REST http://node1, REST http://node2")


def test_metrics_by_rows_are_their_sums_since_they_were_asked_for() -> None:
    rows = (MeterRow("1", "a", 2, 10), MeterRow("2", "a", 3, 11))
    database = Snapshot("orders", "database x", 1, rows=RowsReading(0, ("a", "b"), rows))
    found = gather([NODE1, database]).findings["metrics"]
    assert found == Found({"a": 5, "b": 0}, "database x, since 1970-01-01T00:00:00.000+0000")


def test_every_source_that_was_asked_says_what_it_could_not_say() -> None:
    database = Snapshot("orders", "database x", 1, problems={"license-key": "no right"})
    found = gather([replace(NODE1, license_key=License(raw="r")), database])
    assert found.sources == {"REST http://node1": {}, "database x": {"license-key": "no right"}}
    assert found.findings["license-key"] == Found(License(raw="r"), NODE1.source)


def test_each_data_point_finds_its_own_part() -> None:
    product = Product("CIB seven", "2.0.0", "community")
    found = gather(
        [
            replace(
                NODE1,
                installation="a",
                product=product,
                database=Software("H2", "2"),
                application_server=Software("Apache Tomcat", "Apache Tomcat/9"),
                jdk=Software("Debian", "17"),
                integration=Integration("camunda-integration", ("x",)),
                license_key=License(raw="r"),
                webapps=("cockpit",),
                commands=CommandsReading("x", {"A": 1}, None),
                metrics=MetricsReading(0, {"m": 2}),
            )
        ]
    )
    assert {name: found.value(name) for name in found.findings} == {
        "installation": "a",
        "product.name": product,
        "product.version": product,
        "product.edition": product,
        "database": Software("H2", "2"),
        "application-server": Software("Apache Tomcat", "Apache Tomcat/9"),
        "jdk": Software("Debian", "17"),
        "integration": Integration("camunda-integration", ("x",)),
        "license-key": License(raw="r"),
        "webapps": ("cockpit",),
        "commands": {"A": 1},
        "metrics": {"m": 2},
    }


@pytest.mark.parametrize(
    ("point", "reason"),
    [
        ("installation", "the engine does not say it"),
        ("product.name", "the engine does not say it"),
        ("database", "the engine does not know it (its database type is configured)"),
        ("application-server", "the engine is embedded without a web application, or none was used"),
        ("jdk", "the engine does not say it"),
        ("integration", "the engine does not say it"),
        ("license-key", "the engine has none"),
        ("webapps", "the engine does not say it"),
    ],
)
def test_a_value_that_no_source_has_is_missing_with_a_reason(point: str, reason: str) -> None:
    found = gather([NODE1, NODE2])
    assert found.findings[point] == Missing(reason)
    assert found.value(point) is None


@pytest.mark.parametrize(
    "point", ["installation", "database", "application-server", "jdk", "integration", "license-key", "webapps"]
)
def test_a_problem_with_a_value_is_the_reason_why_it_is_missing(point: str) -> None:
    found = gather([NODE1, replace(NODE2, problems={point: "it does not fit"})])
    assert found.findings[point] == Missing("it does not fit")


def test_a_problem_of_one_node_does_not_hide_the_value_of_another() -> None:
    found = gather([replace(NODE1, problems={"jdk": "it does not fit"}), replace(NODE2, jdk=Software("Debian", "17"))])
    assert found.findings["jdk"] == Found(Software("Debian", "17"), "REST http://node2")


def test_a_list_that_is_known_to_be_empty_is_a_value() -> None:
    assert gather([replace(NODE1, webapps=())]).findings["webapps"] == Found((), "REST http://node1")


def test_webapps_are_those_of_all_nodes_each_once() -> None:
    found = gather([replace(NODE1, webapps=("tasklist", "cockpit")), replace(NODE2, webapps=("cockpit", "admin"))])
    assert found.findings["webapps"] == Found(("admin", "cockpit", "tasklist"), "REST http://node1")


def test_webapps_are_the_four_that_exist_and_never_another_word_of_a_url() -> None:
    """An engine records whatever stands in `/app/<name>/` (facts §6.3)."""
    found = gather([replace(NODE1, webapps=("welcome", "secret-project", "cockpit", "Cockpit", "admin", "tasklist"))])
    assert found.value("webapps") == ("admin", "cockpit", "tasklist", "welcome")
    finding = found.findings["webapps"]
    assert isinstance(finding, Found)
    assert finding.others == (Found(("Cockpit", "secret-project"), "words of visited addresses, never reported"),)
