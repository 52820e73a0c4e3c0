"""What an engine is and what it runs on: product, software, licence, integration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from telemetry_core.model.basics import Millis


@dataclass(frozen=True, slots=True)
class Product:
    """Name, version and edition as the engine says them."""

    name: str
    version: str
    edition: str


@dataclass(frozen=True, slots=True)
class Software:
    """Vendor and version of a database, an application server or a JDK."""

    vendor: str | None = None
    version: str | None = None


@dataclass(frozen=True, slots=True)
class License:
    """Licence data without its signature: `raw`, and the rest where somebody structured it.

    CIB seven's licences are structured alone (facts §7.3).
    """

    raw: str | None = None
    customer: str | None = None
    type: str | None = None
    valid_until: str | None = None
    unlimited: bool | None = None
    features: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class KeptLicense:
    """A licence that `telemetry license set` has set for an installation; never its signature."""

    license: License
    set_at: Millis
    set_by: str


@dataclass(frozen=True, slots=True)
class Integration:
    """How the engine was put in place: `key` is the wire's, such as `camunda-integration`; an open set (facts §1.8)."""

    key: str
    names: tuple[str, ...]
