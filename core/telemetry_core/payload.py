"""From what was found and counted to one report: which fields it has, which are missing and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from telemetry_core.engines.flavours import METRICS, has_public_metric_names, has_start_date
from telemetry_core.environment import POINTS
from telemetry_core.errors import InstallationUnknown, NotAnEngine
from telemetry_core.model import (
    Counts,
    Environment,
    Finding,
    Found,
    Integration,
    Kind,
    License,
    Millis,
    Missing,
    Payload,
    Product,
    Software,
    State,
)
from telemetry_core.wire import date

INITIAL_FIELDS = ("installation", "product.name", "product.version", "product.edition", "telemetry-enabled")


@dataclass(frozen=True, slots=True)
class Usage:
    """The counts of a report's window; None for `window_start` where there is no base."""

    counts: Counts
    window_start: Millis | None
    problems: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Built:
    """A payload with what was found for each of its fields, withheld ones included."""

    payload: Payload
    findings: Mapping[str, Finding]

    @property
    def fields(self) -> tuple[str, ...]:
        """The names of the fields that the report has."""
        present = [name for name, finding in self.findings.items() if isinstance(finding, Found)]
        return tuple(name for name in present if name not in self.payload.withheld)

    @property
    def sources(self) -> Mapping[str, str]:
        """Where each value comes from."""
        return {name: finding.source for name, finding in self.findings.items() if isinstance(finding, Found)}

    @property
    def missing(self) -> Mapping[str, str]:
        """Why a field has no value."""
        return {name: finding.reason for name, finding in self.findings.items() if isinstance(finding, Missing)}


def initial(installation: str, product: Product, state: State, source: str) -> Built:
    """The initial report: the documented keys only (user guide, Initial Data Report)."""
    payload = Payload(Kind.INITIAL, installation, product, telemetry_enabled=state.flag)
    findings: dict[str, Finding] = {name: Found(None, source) for name in INITIAL_FIELDS}
    findings["telemetry-enabled"] = Found(state.flag, "consent")
    return Built(payload, findings)


def periodic(environment: Environment, usage: Usage, withheld: frozenset[str]) -> Built:
    """The periodic report.

    Raises:
        NotAnEngine: No source says which product it is.
        InstallationUnknown: No source says the installation; an id is never invented.
    """
    installation, product = identity(environment)
    start = usage.window_start if has_start_date(product) else None
    payload = Payload(
        kind=Kind.PERIODIC,
        installation=installation,
        product=product,
        telemetry_enabled=True,
        database=cast("Software | None", environment.value("database")),
        application_server=cast("Software | None", environment.value("application-server")),
        jdk=cast("Software | None", environment.value("jdk")),
        commands=usage.counts.commands,
        metrics=_named(usage.counts.metrics, product),
        integration=cast("Integration | None", environment.value("integration")),
        license_key=cast("License | None", environment.value("license-key")),
        webapps=cast("tuple[str, ...] | None", environment.value("webapps")),
        data_collection_start_date=start,
        withheld=withheld,
    )
    return Built(payload, _findings(environment, usage, start))


def identity(environment: Environment) -> tuple[str, Product]:
    """Installation and product, without which there is no report.

    Raises:
        NotAnEngine: No source says which product it is.
        InstallationUnknown: No source says the installation.
    """
    product = environment.value("product.name")
    if not isinstance(product, Product):
        raise NotAnEngine("No source says which engine it is.", hint="`telemetry environment` shows what was found.")
    installation = environment.value("installation")
    if not isinstance(installation, str):
        raise InstallationUnknown(
            "The engine does not say its installation id.",
            hint="Set engines.NAME.installation to its `camunda.installation.id` from the table ACT_GE_PROPERTY.",
        )
    return installation, product


def _named(metrics: Mapping[str, int] | None, product: Product) -> Mapping[str, int] | None:
    """Legacy names, and the public ones beside them where the release knows them (facts §5.2)."""
    if metrics is None or not has_public_metric_names(product):
        return metrics
    return {**metrics, **{METRICS[name]: count for name, count in metrics.items() if name in METRICS}}


def _findings(environment: Environment, usage: Usage, start: Millis | None) -> Mapping[str, Finding]:
    begun = usage.window_start is not None
    since = f"counted since {date(usage.window_start)}" if usage.window_start is not None else ""
    late = Missing("this release's own report has none") if begun else Missing("not enabled")
    made: dict[str, Finding] = {
        "telemetry-enabled": Found(value=True, source="consent" if begun else "what it would be once enabled"),
        "data-collection-start-date": late if start is None else Found(start, "the beginning of the report's window"),
        "commands": _counted(usage.counts.commands, since, _reason(usage, "commands")),
        "metrics": _counted(usage.counts.metrics, since, _reason(usage, "metrics")),
    }
    return {point.name: made.get(point.name) or environment.findings[point.name] for point in POINTS}


def _reason(usage: Usage, point: str) -> str:
    return usage.problems.get(point, "not enabled")


def _counted(value: object, source: str, reason: str) -> Finding:
    return Missing(reason) if value is None else Found(value, source)
