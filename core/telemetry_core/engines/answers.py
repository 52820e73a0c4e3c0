"""What an engine's REST API answers, decoded into typed values; a part that does not fit is a problem of that part."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Annotated, TypeVar

import msgspec

from telemetry_core import license as licenses
from telemetry_core.engines.flavours import CAMUNDA, OLDEST, WITH_TELEMETRY_DATA, product_of, release_of
from telemetry_core.errors import NotAnEngine
from telemetry_core.model import CommandsReading, Integration, License, Millis, Product, Snapshot, Software

T = TypeVar("T")
U = TypeVar("U")

NonEmpty = Annotated[str, msgspec.Meta(min_length=1, max_length=255)]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=1000)]
Count = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]

#: Commands that an outside reader could not tell apart between two starts of a process (facts §6.5).
_GENERATED = ("$$Lambda", "__Lambda", "_$Lambda", "$_Lambda")


class Counter(msgspec.Struct, frozen=True):
    """`{"count": 5}`."""

    count: Count


class Vendor(msgspec.Struct, frozen=True):
    """Database, application server or JDK."""

    vendor: str | None = None
    version: str | None = None


class LicenseKey(msgspec.Struct, frozen=True, rename="kebab"):
    """The object `license-key` (facts §1.5); CIB seven from 2.2 on says `expires` instead of `valid-until`."""

    customer: str | None = None
    type: str | None = None
    valid_until: str | None = None
    expires: str | None = None
    unlimited: bool | None = None
    features: dict[str, str] | None = None
    raw: str | None = None


class EngineName(msgspec.Struct, frozen=True):
    """One of the list that `GET /engine` gives."""

    name: str


class Version(msgspec.Struct, frozen=True):
    """`GET /version`; null in jars that were packed anew (facts §4.1)."""

    version: str | None = None


class Refusal(msgspec.Struct, frozen=True):
    """The body of an error that the engine made (facts §4.2)."""

    type: str | None = None
    message: str | None = None


class ProductAnswer(msgspec.Struct, frozen=True):
    """The three texts of `product`; `internals` is read part by part."""

    name: NonEmpty
    version: NonEmpty
    edition: NonEmpty


def decode(body: bytes, source: str) -> object:
    """The JSON value of an answer.

    Raises:
        NotAnEngine: It is no JSON.
    """
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        raise NotAnEngine(
            f"{source} answers something that is not JSON.",
            hint="Check that the address ends with the REST API's path.",
        ) from None


def convert(value: object, kind: type[T], source: str) -> T:
    """A decoded value as a type.

    Raises:
        NotAnEngine: It has another shape.
    """
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        raise NotAnEngine(
            f"{source} answers JSON of another shape: {_plain(error)}.",
            hint="Check that the address is the REST API of an engine.",
        ) from None


def snapshot(engine: str, node: str, body: bytes, read_at: Millis) -> Snapshot:
    """What `GET /telemetry/data` says (facts §1.6).

    Args:
        engine: The entry's name.
        node: The address that answered.
        body: Its answer.
        read_at: When.

    Raises:
        NotAnEngine: It is not JSON, or says no product.
    """
    source = f"{node}/telemetry/data"
    top = convert(decode(body, source), dict[str, object], source)
    product = convert(top.get("product"), ProductAnswer, source)
    parts = _Parts(convert(top["product"], dict[str, object], source).get("internals"))
    starts = parts.optional("data-collection-start-date", str, _instant, point="commands")
    commands = parts.optional("commands", dict[Name, Counter], _counts)
    reading = None if commands is None or "commands" in parts.problems else CommandsReading(node, commands, starts)
    installation = top.get("installation")
    return Snapshot(
        engine=engine,
        source=f"REST {node}",
        read_at=read_at,
        installation=installation if isinstance(installation, str) and 0 < len(installation) <= 255 else None,
        product=Product(product.name, product.version, product.edition),
        database=parts.optional("database", Vendor, _software),
        application_server=parts.optional("application-server", Vendor, _software),
        jdk=parts.optional("jdk", Vendor, _software),
        webapps=parts.optional("webapps", list[str], tuple),
        integration=parts.integration(),
        license_key=parts.license_key(),
        commands=reading,
        problems=parts.problems,
    )


def old_release(engine: str, node: str, body: bytes, read_at: Millis) -> Snapshot | None:
    """What `GET /version` says of Camunda 7.14 to 7.16; None for every other release.

    Args:
        engine: The entry's name.
        node: The address that answered.
        body: Its answer.
        read_at: When.
    """
    raw = convert(decode(body, f"{node}/version"), Version, f"{node}/version").version or ""
    product = product_of(CAMUNDA.artifact, raw)
    if not OLDEST <= (release_of(product) or (0, 0)) < WITH_TELEMETRY_DATA:
        return None
    reason = "Camunda 7.14 to 7.16 do not say it over REST"
    unsaid = (
        "installation",
        "database",
        "application-server",
        "jdk",
        "commands",
        "integration",
        "license-key",
        "webapps",
    )
    problems = dict.fromkeys(unsaid, reason)
    return Snapshot(engine, f"REST {node}", read_at, product=product, problems=problems)


class _Parts:
    """The object `internals`, part by part; `problems` collects what did not fit."""

    def __init__(self, internals: object) -> None:
        self.values: Mapping[str, object] = internals if isinstance(internals, dict) else {}
        self.problems: dict[str, str] = {}

    def optional(self, key: str, kind: type[T], make: Callable[[T], U | None], *, point: str | None = None) -> U | None:
        """One part; None where it is null, absent or a problem."""
        value = self.values.get(key)
        if value is None:
            return None
        try:
            return make(msgspec.convert(value, kind))
        except (msgspec.ValidationError, ValueError) as error:
            self.problems[point or key] = f"the engine's answer does not fit: {_plain(error)}"
            return None

    def integration(self) -> Integration | None:
        """`<x>-integration`, whatever x is (facts §1.8)."""
        for key in self.values:
            if key.endswith("-integration"):
                names = self.optional(key, list[str], tuple, point="integration")
                return None if names is None else Integration(key, names)
        return None

    def license_key(self) -> License | None:
        """The licence without its signature."""
        found = self.optional("license-key", LicenseKey, _license)
        if found is None or found.raw is None:
            return found
        raw = licenses.clean(found.raw)
        if raw is None:
            self.problems["license-key"] = "withheld: the engine's licence text may hold its signature"
            return None
        return replace(found, raw=raw)


def _software(vendor: Vendor) -> Software | None:
    return None if vendor.vendor is None and vendor.version is None else Software(vendor.vendor, vendor.version)


def _counts(counters: Mapping[str, Counter]) -> Mapping[str, int]:
    return {
        name: counter.count
        for name, counter in counters.items()
        if not any(generated in name for generated in _GENERATED)
    }


def _license(key: LicenseKey) -> License | None:
    valid_until = key.valid_until if key.valid_until is not None else key.expires
    values = (key.customer, key.type, valid_until, key.unlimited, key.features, key.raw)
    return None if all(value is None for value in values) else License(
        raw=key.raw,
        customer=key.customer,
        type=key.type,
        valid_until=valid_until,
        unlimited=key.unlimited,
        features=key.features,
    )  # fmt: skip


def _instant(text: str) -> Millis:
    """`2026-11-23T23:00:08.920+0000` (facts §1.4)."""
    moment = datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%f%z")
    return round(moment.timestamp() * 1000)


def _plain(error: Exception) -> str:
    return str(error).replace("`", "").rstrip(".") if isinstance(error, msgspec.ValidationError) else "no date"
