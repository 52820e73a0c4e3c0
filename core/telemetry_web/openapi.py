"""The OpenAPI document of the REST API, from the same rules as its answers."""

from __future__ import annotations

from telemetry_core import VERSION
from telemetry_core.wire import FIELDS

Json = dict[str, object]

_PLACES = {"": "the engine called `default`, or the only one", "/engine/{engine}": "the engine of that entry"}
_SOFTWARE = ("vendor", "version")


def document() -> Json:
    """The whole document, OpenAPI 3.1."""
    paths: Json = {}
    for place, meaning in _PLACES.items():
        paths[f"/engine-rest{place}/telemetry/configuration"] = {
            **_of(place),
            "get": _get_configuration(meaning),
            "post": _set_configuration(meaning),
        }
        paths[f"/engine-rest{place}/telemetry/data"] = {**_of(place), "get": _get_data(meaning)}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "telemetry: the engine's REST API about telemetry",
            "version": VERSION,
            "description": "Users are those of the engine; machines have tokens of the server. See docs/rest-api.md.",
        },
        "security": [{"user": []}, {"machine": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "user": {"type": "http", "scheme": "basic"},
                "machine": {"type": "http", "scheme": "bearer"},
            },
            "schemas": {"Configuration": _configuration(), "Data": _data(), "Error": _error(), "Refusal": _refusal()},
        },
    }


def _of(place: str) -> Json:
    if not place:
        return {}
    name = {"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$"}
    return {"parameters": [{"name": "engine", "in": "path", "required": True, "schema": name}]}


def _get_configuration(meaning: str) -> Json:
    return {
        "operationId": f"getConfiguration{_suffix(meaning)}",
        "summary": f"Whether telemetry is enabled for {meaning}; null where nobody has decided.",
        "responses": {"200": _answer("The decision.", "Configuration"), **_refusals("READ")},
    }


def _set_configuration(meaning: str) -> Json:
    wanted = {
        "type": "object",
        "required": ["enableTelemetry"],
        "properties": {"enableTelemetry": {"type": "boolean"}},
    }
    return {
        "operationId": f"setConfiguration{_suffix(meaning)}",
        "summary": f"Enable telemetry for {meaning}, or disable it.",
        "requestBody": {"required": True, "content": {"application/json": {"schema": wanted}}},
        "responses": {
            "204": {"description": "It is so now."},
            "400": _answer("The body is something else than it should be.", "Error"),
            "409": _answer("Somebody else has disabled it while the engine was read; nothing was changed.", "Error"),
            "413": {"description": "The body is longer than 64 KiB.", "content": {"text/plain": {"schema": _SAID}}},
            "415": _answer("The body is not said to be JSON.", "Error"),
            **_refusals("SET", also=", or enabling while engines are being read ten times at once"),
        },
    }


def _get_data(meaning: str) -> Json:
    return {
        "operationId": f"getData{_suffix(meaning)}",
        "summary": f"What is known of {meaning}, and what was counted since its last report.",
        "responses": {
            "200": _answer("The data; null is what is unknown or withheld.", "Data"),
            **_refusals("READ", also=", or engines are being read ten times at once"),
        },
    }


def _suffix(meaning: str) -> str:
    return "" if "default" in meaning else "OfEngine"


def _refusals(right: str, *, also: str = "") -> Json:
    realm = {"WWW-Authenticate": {"required": True, "schema": {"type": "string"}}}
    later = {"Retry-After": {"required": True, "schema": {"type": "integer", "minimum": 1}}}
    return {
        "401": {"description": "Nobody, or user, password or token is wrong.", "headers": realm},
        "403": _answer(f"No administrator of the engine, and without {right} on System.", "Refusal"),
        "404": _answer("There is no such engine here.", "Error"),
        "429": {**_answer(f"Five wrong passwords within five minutes{also}.", "Error"), "headers": later},
        "500": _answer("The server is not configured right, or its store cannot be used.", "Error"),
        "503": _answer("The engine does not answer.", "Error"),
    }


def _answer(meaning: str, schema: str) -> Json:
    return {"description": meaning, "content": {"application/json": _schema(schema)}}


def _schema(name: str) -> Json:
    return {"schema": {"$ref": f"#/components/schemas/{name}"}}


def _configuration() -> Json:
    return _object({"enableTelemetry": {"type": ["boolean", "null"]}})


def _data() -> Json:
    counters: Json = {
        "type": ["object", "null"],
        "additionalProperties": _object({"count": {"type": "integer", "minimum": 0}}),
    }
    names: Json = {"type": ["array", "null"], "items": {"type": "string"}}
    license_key: Json = dict.fromkeys(FIELDS["license-key"], _TEXT)
    license_key["unlimited"] = {"type": ["boolean", "null"]}
    license_key["features"] = {"type": ["object", "null"], "additionalProperties": _SAID}
    properties: Json = {
        "database": _nullable(dict.fromkeys(_SOFTWARE, _TEXT)),
        "commands": counters,
        "metrics": counters,
        "webapps": names,
        "jdk": _nullable(dict.fromkeys(_SOFTWARE, _TEXT)),
        "application-server": _nullable(dict.fromkeys(_SOFTWARE, _TEXT)),
        "license-key": _nullable(license_key),
        "data-collection-start-date": _TEXT,
    }
    internals = _object(properties)
    internals["additionalProperties"] = names  # the engine's own `<x>-integration`
    product = _object({"name": _SAID, "version": _SAID, "edition": _SAID, "internals": internals})
    return _object({"installation": _SAID, "product": product})


def _error() -> Json:
    return _object({"type": _SAID, "message": _SAID, "code": {"type": ["integer", "null"]}})


def _refusal() -> Json:
    unsaid = ("userId", "resourceName", "resourceId", "permissionName")
    return _object({
        "type": {"const": "AuthorizationException"},
        "message": _SAID,
        "code": {"type": "integer"},
        **{name: {"type": "null"} for name in unsaid},
        "missingAuthorizations": {"type": "array", "maxItems": 0},
    })  # fmt: skip


_SAID: Json = {"type": "string"}
_TEXT: Json = {"type": ["string", "null"]}


def _object(properties: Json) -> Json:
    return {
        "type": "object",
        "required": list(properties),
        "properties": properties,
        "additionalProperties": False,
    }


def _nullable(properties: Json) -> Json:
    return {**_object(properties), "type": ["object", "null"]}
