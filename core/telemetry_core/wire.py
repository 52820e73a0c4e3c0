"""The report on the wire: its keys and their order, its bytes, its id, and the HTTP request that carries it."""

from __future__ import annotations

import hashlib
import json
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, cast

from telemetry_core import VERSION
from telemetry_core.model import Endpoint, Kind, Millis

if TYPE_CHECKING:
    from telemetry_core.model import Document, License, Payload, Software

Json = dict[str, object]

_INTERNALS = "product.internals."
#: The order in which engines say the same over REST; integration and start date follow.
_ENGINE_ORDER = ("database", "commands", "metrics", "webapps", "jdk", "application-server", "license-key")
_MAPS = ("commands", "metrics", "features")
_NAMESPACE = "5e0b9d1c-7a37-5f0e-9c0a-6b1f4c3a2d70"

#: Data points that are never withheld: without them a report says nothing (DESIGN §3, category general).
ALWAYS = ("installation", "product.name", "product.version", "product.edition", "telemetry-enabled")

#: The other data points with what can be withheld inside them; `*` stands for the keys of a map.
FIELDS: Mapping[str, tuple[str, ...]] = {
    "database": ("vendor", "version"),
    "application-server": ("vendor", "version"),
    "jdk": ("version", "vendor"),
    "commands": ("*",),
    "metrics": ("*",),
    "integration": (),
    "license-key": ("customer", "type", "valid-until", "unlimited", "features", "raw"),
    "webapps": (),
    "data-collection-start-date": (),
}


def encode(payload: Payload) -> Document:
    """The bytes of a report: UTF-8, compact, declared order, map keys sorted; the same payload gives the same bytes."""
    from telemetry_core.model import Document

    body = _text(tree(payload)).encode("utf-8")
    return Document(body=body, sha256=hashlib.sha256(body).hexdigest())


def tree(payload: Payload) -> Json:
    """The report as a JSON object, keys in the user guide's order; what is None or withheld is left out."""
    product = payload.product
    internals = _initial_internals(payload) if payload.kind is Kind.INITIAL else _internals(payload)
    for path in payload.withheld:
        _remove(internals, path.split("."))
    return {
        "installation": payload.installation,
        "product": {
            "name": product.name,
            "version": product.version,
            "edition": product.edition,
            "internals": internals,
        },
    }


def without_license(document: Document, *, instead: str) -> str:
    """The text of a report for a log: what a licence says is replaced by a word, all else is as it is sent."""
    tree = json.loads(document.body)
    internals = tree.get("product", {}).get("internals", {})
    if "license-key" not in internals:
        return document.body.decode("utf-8")
    internals["license-key"] = dict.fromkeys(internals["license-key"], instead)
    return _text(tree)


def engine_tree(payload: Payload) -> Json:
    """What an engine's own `GET /telemetry/data` would say of it (facts §1.6).

    Every key is always there; null is what is unknown or withheld. `telemetry-enabled` is no part of it.
    """
    report = tree(payload)
    product = cast("Json", report["product"])
    found = cast("Json", product["internals"])
    internals = {name: _filled(found.get(name), FIELDS[name]) for name in _ENGINE_ORDER}
    integration = "camunda-integration" if payload.integration is None else payload.integration.key
    internals |= {name: found.get(name) for name in (integration, "data-collection-start-date")}
    return {**report, "product": {**product, "internals": internals}}


def field_path(point: str) -> str:
    """Where a data point stands in the report: `jdk` becomes `product.internals.jdk`; the integration's key varies."""
    if point == "installation" or point.startswith("product."):
        return point
    return _INTERNALS + ("*-integration" if point == "integration" else point)


def field_name(path: str) -> str:
    """The short name of a field path: `product.internals.jdk.vendor` becomes `jdk.vendor`."""
    return path.removeprefix(_INTERNALS)


def date(instant: Millis) -> str:
    """An instant as the engines write it over REST: `2026-11-23T23:00:08.920+0000` (facts §1.4), in UTC."""
    moment = datetime.fromtimestamp(instant // 1000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{instant % 1000:03d}+0000"


def initial_id(installation: str) -> str:
    """The id of an installation's initial report: whoever sends it first, it is the same one (DESIGN §3)."""
    return _id(f"{installation}\n{Kind.INITIAL}")


def periodic_id(installation: str, window_start: Millis, ordinal: int) -> str:
    """The id of a periodic report; `ordinal` counts the refused and withdrawn ones before it with the same start."""
    return _id(f"{installation}\n{Kind.PERIODIC}\n{window_start}\n{ordinal}")


def _id(name: str) -> str:
    from uuid import UUID, uuid5  # takes its time to load

    return str(uuid5(UUID(_NAMESPACE), name))


@dataclass(frozen=True, slots=True)
class Request:
    """An HTTP request with every header that leaves, but a token."""

    method: str
    url: str
    headers: tuple[tuple[str, str], ...]
    body: bytes


def request(document: Document, endpoint: Endpoint, report: str) -> Request:
    """The request that carries a report (DESIGN §4); `report` is its id. The token, if any, joins at the socket."""
    digest = b64encode(bytes.fromhex(document.sha256)).decode("ascii")
    return Request(
        method="POST",
        url=endpoint.url,
        headers=(
            ("Host", _authority(endpoint)),
            ("Content-Type", "application/json"),
            ("Content-Length", str(len(document.body))),
            ("User-Agent", f"telemetry/{VERSION}"),
            ("Accept-Encoding", "identity"),
            ("Idempotency-Key", report),
            ("Content-Digest", f"sha-256=:{digest}:"),
        ),
        body=document.body,
    )


def _text(values: Json) -> str:
    return json.dumps(values, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def _authority(endpoint: Endpoint) -> str:
    host = f"[{endpoint.host}]" if ":" in endpoint.host else endpoint.host
    default = {"https": 443, "http": 80}[endpoint.scheme]
    return host if endpoint.port == default else f"{host}:{endpoint.port}"


def _initial_internals(payload: Payload) -> Json:
    return {"telemetry-enabled": payload.telemetry_enabled}


def _internals(payload: Payload) -> Json:
    values: Json = {
        "database": _software(payload.database),
        "application-server": _software(payload.application_server),
        "jdk": _software(payload.jdk, version_first=True),
        "commands": _counters(payload.commands),
        "metrics": _counters(payload.metrics),
    }
    if payload.integration is not None:
        values[payload.integration.key] = sorted(payload.integration.names)
    values["license-key"] = _license(payload.license_key)
    values["webapps"] = None if payload.webapps is None else sorted(payload.webapps)
    values["telemetry-enabled"] = payload.telemetry_enabled
    start = payload.data_collection_start_date
    values["data-collection-start-date"] = None if start is None else date(start)
    return {key: value for key, value in values.items() if value is not None}


def _software(software: Software | None, *, version_first: bool = False) -> Json | None:
    if software is None:
        return None
    names = ("version", "vendor") if version_first else ("vendor", "version")
    return {name: value for name in names if (value := getattr(software, name)) is not None} or None


def _counters(counts: Mapping[str, int] | None) -> Json | None:
    return None if counts is None else {name: {"count": counts[name]} for name in sorted(counts)}


def _license(license_key: License | None) -> Json | None:
    if license_key is None:
        return None
    features = license_key.features
    values: Json = {
        "customer": license_key.customer,
        "type": license_key.type,
        "valid-until": license_key.valid_until,
        "unlimited": license_key.unlimited,
        "features": None if features is None else {name: features[name] for name in sorted(features)},
        "raw": license_key.raw,
    }
    return {key: value for key, value in values.items() if value is not None}


def _filled(value: object, inner: tuple[str, ...]) -> object:
    """An object with all its keys; maps and lists as they are."""
    return {name: value.get(name) for name in inner} if isinstance(value, dict) and "*" not in inner else value


def _remove(values: Json, path: list[str]) -> None:
    name, rest = path[0], path[1:]
    matching = [key for key in values if key == name or (name == "integration" and key.endswith("-integration"))]
    for key in matching:
        inner = values[key]
        if not rest:
            del values[key]
        elif isinstance(inner, dict):
            _remove(inner, [".".join(rest)] if key in _MAPS else rest)
