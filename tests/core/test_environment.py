"""Every data point with its value and source, or the reason why there is none."""

from __future__ import annotations

from dataclasses import replace

import pytest

from telemetry_core import wire
from telemetry_core.environment import POINTS, gather
from telemetry_core.model import (
    CommandsReading,
    Found,
    Integration,
    License,
    MetricsReading,
    Missing,
    Product,
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


def test_every_data_point_says_why_it_is_collected() -> None:
    assert all(point.why.endswith(".") and len(point.why) > 20 for point in POINTS)


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
    assert found.findings["installation"] == Found("a", "REST http://node1")
    assert found.value("installation") == "a"


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
        "commands": CommandsReading("x", {"A": 1}, None),
        "metrics": MetricsReading(0, {"m": 2}),
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
