"""What tells the engines of the family apart, and what each release can do."""

from __future__ import annotations

import pytest

from telemetry_core.engines import flavours
from telemetry_core.model import Product

CAMUNDA = "Camunda BPM Runtime"


@pytest.mark.parametrize(
    ("name", "version", "label"),
    [
        (CAMUNDA, "7.14.0", "Camunda 7"),
        (CAMUNDA, "7.14.0-alpha1", "Camunda 7"),
        (CAMUNDA, "7.24.0-SNAPSHOT", "Camunda 7"),
        (CAMUNDA, "7.24", "Camunda 7"),
        (CAMUNDA, "7.22.0-cibseven", "CIB seven"),
        (CAMUNDA, "1.1.0", "CIB seven"),
        ("CIB seven", "2.1.0", "CIB seven"),
        ("CIB seven", "7.14.0", "CIB seven"),
        ("Operaton BPM Runtime", "1.0.3", "Operaton"),
        ("Operaton BPM Runtime", "7.14.0", "Operaton"),
        ("EximeeBPMS", "1.0.0", "EximeeBPMS"),
    ],
)
def test_name_and_version_tell_which_engine_it_is(name: str, version: str, label: str) -> None:
    assert flavours.flavour_of(Product(name, version, "community")).label == label


@pytest.mark.parametrize(
    ("version", "release"),
    [("7.14.0", (7, 14)), ("7.9.3", (7, 9)), ("7.21.4-alpha1", (7, 21)), ("7.24", (7, 24)), ("7.100.0", (7, 100))],
)
def test_camundas_release_is_its_minor_version(version: str, release: tuple[int, int]) -> None:
    assert flavours.release_of(Product(CAMUNDA, version, "community")) == release


@pytest.mark.parametrize(
    ("name", "version"),
    [("Operaton BPM Runtime", "7.14.0"), ("CIB seven", "7.14.0"), (CAMUNDA, "7.22.0-cibseven"), ("Other", "7.14.0")],
)
def test_a_forks_version_is_none_of_camundas(name: str, version: str) -> None:
    assert flavours.release_of(Product(name, version, "community")) is None


@pytest.mark.parametrize(
    ("name", "version", "abilities"),
    [
        (CAMUNDA, "7.14.0", "own-reporter own-initial-report"),
        (CAMUNDA, "7.16.7", "own-reporter own-initial-report"),
        (CAMUNDA, "7.17.0", "own-reporter public-names"),
        (CAMUNDA, "7.18.0", "own-reporter public-names"),
        (CAMUNDA, "7.19.0", "own-reporter public-names start-date"),
        (CAMUNDA, "7.21.0", "own-reporter public-names start-date"),
        (CAMUNDA, "7.22.0", "public-names start-date"),
        (CAMUNDA, "7.24.0", "public-names start-date"),
        (CAMUNDA, "7.22.0-cibseven", "public-names start-date"),
        ("CIB seven", "2.0.0", "public-names start-date"),
        ("Operaton BPM Runtime", "1.0.3", "public-names start-date"),
        ("EximeeBPMS", "1.0.0", "public-names start-date"),
    ],
)
def test_a_release_can_what_its_facts_say_and_forks_can_what_7_22_can(name: str, version: str, abilities: str) -> None:
    product = Product(name, version, "community")
    can = {
        "own-reporter": flavours.has_own_reporter(product),
        "own-initial-report": flavours.sends_its_own_initial_report(product),
        "public-names": flavours.has_public_metric_names(product),
        "start-date": flavours.has_start_date(product),
    }
    assert " ".join(name for name, able in can.items() if able) == abilities


def test_metrics_are_counted_by_the_names_of_the_database_and_reported_by_the_public_ones_too() -> None:
    assert flavours.METRICS == {
        "root-process-instance-start": "process-instances",
        "activity-instance-start": "flow-node-instances",
        "executed-decision-instances": "decision-instances",
        "executed-decision-elements": "executed-decision-elements",
    }
