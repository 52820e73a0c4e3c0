"""The engines of the family as data: what tells them apart, and what a release of each can do (facts §1.8, §11)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from telemetry_core.model import Integration, Product

ROOT_PROCESS_INSTANCES = "root-process-instance-start"

#: The names under which metrics are stored and counted, with the public name that 7.17 gave them (facts §5.1).
METRICS = {
    ROOT_PROCESS_INSTANCES: "process-instances",
    "activity-instance-start": "flow-node-instances",
    "executed-decision-instances": "decision-instances",
    "executed-decision-elements": "executed-decision-elements",
}

Release = tuple[int, int]

#: The first release with telemetry, and the first one that shows it over REST (facts §1.6).
OLDEST: Release = (7, 14)
WITH_TELEMETRY_DATA: Release = (7, 17)


@dataclass(frozen=True, slots=True)
class Flavour:
    """One engine of the family.

    Attributes:
        label: What people call it.
        product_name: What it calls itself.
        artifact: The name of the engine's jar.
        integration: The word before `-integration` in its reports.
        run: What it calls itself where it runs as Run (facts §6.2).
        numbered_like_camunda: Whether its versions are Camunda's, so that they tell what it can do.
    """

    label: str
    product_name: str
    artifact: str
    integration: str = "camunda"
    run: str = "camunda-bpm-run"
    numbered_like_camunda: bool = False


CAMUNDA = Flavour("Camunda 7", "Camunda BPM Runtime", "camunda-engine", numbered_like_camunda=True)
CIB_SEVEN = Flavour("CIB seven", "CIB seven", "cibseven-engine")
OPERATON = Flavour("Operaton", "Operaton BPM Runtime", "operaton-engine", "operaton", "operaton-bpm-run")
FLAVOURS = (CAMUNDA, OPERATON, CIB_SEVEN)


def flavour_of(product: Product) -> Flavour:
    """Which engine a product is; an unknown one is what it says it is."""
    if product.name == CAMUNDA.product_name and not _camunda_release(product.version):
        return CIB_SEVEN
    for flavour in FLAVOURS:
        if product.name == flavour.product_name:
            return flavour
    return Flavour(product.name, product.name, "")


def product_of(artifact: str, version: str) -> Product:
    """What the engine of a jar says it is (facts §1.2, §1.8).

    Args:
        artifact: The jar's name without its version, such as `camunda-engine`.
        version: As the jar says it; `-ee` is the enterprise edition, and not a part of the version.
    """
    name = _of_artifact(artifact).product_name
    if artifact == CIB_SEVEN.artifact and version.startswith("1."):
        name = CAMUNDA.product_name  # only from 2.0 on it has a name of its own
    return Product(name, version.replace("-ee", ""), edition_of(version))


def edition_of(version: str) -> str:
    """`enterprise` for a version with `-ee`, else `community` (facts §1.2)."""
    return "enterprise" if "-ee" in version else "community"


def integration_of(artifact: str, names: Iterable[str]) -> Integration:
    """The integration of an engine's jar; `bpm-run` is called otherwise by each flavour (facts §6.2)."""
    flavour = _of_artifact(artifact)
    words = tuple(flavour.run if name == "bpm-run" else name for name in names)
    return Integration(f"{flavour.integration}-integration", words)


def _of_artifact(artifact: str) -> Flavour:
    return next((flavour for flavour in FLAVOURS if flavour.artifact == artifact), CAMUNDA)


def release_of(product: Product) -> Release | None:
    """Camunda's minor release, such as (7, 17); None for forks, which are all at least as able as 7.22."""
    if not flavour_of(product).numbered_like_camunda:
        return None
    return _camunda_release(product.version)


def has_public_metric_names(product: Product) -> bool:
    """Whether the engine itself reports metrics by public names too: from 7.17 on, and all forks."""
    return _at_least(product, (7, 17))


def has_start_date(product: Product) -> bool:
    """Whether the engine itself reports a data collection start date: from 7.19 on, and all forks."""
    return _at_least(product, (7, 19))


def sends_its_own_initial_report(product: Product) -> bool:
    """Whether the engine sends an initial report by itself, as only its database tells: 7.14 to 7.16 (facts §2.6)."""
    return not _at_least(product, WITH_TELEMETRY_DATA)


def has_own_reporter(product: Product) -> bool:
    """Whether the release has a telemetry reporter of its own: Camunda up to 7.21 (facts §9)."""
    return not _at_least(product, (7, 22))


def _at_least(product: Product, wanted: Release) -> bool:
    release = release_of(product)
    return release is None or release >= wanted


def _camunda_release(version: str) -> Release | None:
    match = re.match(r"(7)\.(\d{1,3})(?:\.|$|-)", version)
    if match is None or "cibseven" in version:
        return None
    return int(match[1]), int(match[2])
