"""The OpenAPI document of the service, from the same limits as its answers."""

from __future__ import annotations

from collections.abc import Mapping

from telemetry_collector.intake import BATCH_COUNT, BATCH_LIMIT, BODY_LIMIT
from telemetry_core import VERSION

Json = dict[str, object]

_TEXT: Json = {"type": "string"}
_INSTANT: Json = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$"}
_COUNTERS: Json = {
    "type": ["object", "null"],
    "maxProperties": 2000,
    "additionalProperties": {
        "type": "object",
        "required": ["count"],
        "properties": {"count": {"type": "integer", "minimum": 0, "maximum": 2**63 - 1}},
    },
}


def document() -> Json:
    """The whole document, OpenAPI 3.1."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "telemetry collector",
            "version": VERSION,
            "description": "The service that receives the reports of a fleet. See docs/collector.md.",
        },
        "paths": {
            "/pings": {"post": _one()},
            "/pings/batch": {"post": _many()},
            "/health/live": {"get": _health("isLive", "Whether the service runs.", can_fail=False)},
            "/health/ready": {"get": _health("isReady", "Whether reports can be committed now.", can_fail=True)},
            "/openapi.json": {"get": _this()},
        },
        "components": {
            "schemas": {
                "Report": _report(),
                "Batch": _batch(),
                "Receipt": _object({**_receipt(), "duplicate": {"type": "boolean"}}),
                "Receipts": _object({"receipts": {"type": "array", "items": _receipt_or_refusal()}}),
                "Problem": _problem(),
                "Health": _object({"status": {"enum": ["ok", "unavailable"]}}),
            }
        },
    }


def _one() -> Json:
    key = {
        "name": "Idempotency-Key",
        "in": "header",
        "description": "What the sender calls the report; engines' own reporters give none.",
        "schema": {"type": "string", "pattern": r'^"?[!#-~]{1,200}"?$'},
    }
    return {
        "operationId": "report",
        "summary": "Report once: it is on the disk when it is answered. The body may be compressed (gzip, deflate).",
        "parameters": [key, *_headers()],
        "requestBody": _body("Report"),
        "responses": {
            "202": _answer("It is stored, or was before: then it is a duplicate.", "Receipt"),
            "409": _refused("Its key, or its installation and window, are held with other bytes."),
            **_refusals(BODY_LIMIT),
        },
    }


def _many() -> Json:
    return {
        "operationId": "reportMany",
        "summary": f"Report for up to {BATCH_COUNT} engines; each report is judged by itself, all are stored at once.",
        "parameters": _headers(),
        "requestBody": _body("Batch"),
        "responses": {
            "202": _answer("All are stored.", "Receipts"),
            "207": _answer("Each has a status of its own, in the order of the batch.", "Receipts"),
            **_refusals(BATCH_LIMIT),
        },
    }


def _headers() -> list[Json]:
    digest = "SHA-256 of the body (RFC 9530), so that one that was cut or changed is refused."
    return [
        {"name": "Content-Digest", "in": "header", "description": digest, "schema": _TEXT},
    ]


def _refusals(limit: int) -> Json:
    later = {"Retry-After": {"required": True, "schema": {"type": "integer", "minimum": 0}}}
    return {
        "400": _refused("It is no JSON in UTF-8, not what Content-Digest says, cut, or its key is none."),
        "408": {**_refused("The body came too slowly."), "headers": later},
        "413": _refused(f"It is larger than {limit} bytes, inflated."),
        "415": _refused("It is not said to be JSON, or is compressed by something else than gzip and deflate."),
        "422": _refused("It is JSON, but no report, or one beyond the bounds."),
        "429": {**_refused("Too many came from there."), "headers": later},
        "503": {**_refused("Nothing can be stored now."), "headers": later},
    }


def _health(name: str, summary: str, *, can_fail: bool) -> Json:
    responses: Json = {"200": _answer("It is so.", "Health")}
    if can_fail:
        responses["503"] = _answer("It is not.", "Health")
    return {"operationId": name, "summary": summary, "responses": responses}


def _this() -> Json:
    content = {"application/json": {"schema": {"type": "object"}}}
    return {
        "operationId": "document",
        "summary": "This document.",
        "responses": {"200": {"description": "It.", "content": content}},
    }


def _body(schema: str) -> Json:
    return {"required": True, "content": {"application/json": {"schema": _schema(schema)}}}


def _answer(meaning: str, schema: str) -> Json:
    return {"description": meaning, "content": {"application/json": {"schema": _schema(schema)}}}


def _refused(meaning: str) -> Json:
    return {"description": meaning, "content": {"application/problem+json": {"schema": _schema("Problem")}}}


def _schema(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def _report() -> Json:
    """The known fields; whatever else a report has is kept."""
    word: Json = {"type": ["string", "null"], "maxLength": 255}
    software: Json = {"type": ["object", "null"], "properties": {"vendor": word, "version": word}}
    internals: Json = {
        "database": software,
        "application-server": software,
        "jdk": software,
        "license-key": {"type": ["object", "null"]},
        "commands": _COUNTERS,
        "metrics": _COUNTERS,
        "webapps": {"type": ["array", "null"], "maxItems": 100, "items": {"type": "string", "maxLength": 255}},
        "data-collection-start-date": {"type": ["string", "null"], "maxLength": 64},
        "telemetry-enabled": {"type": ["boolean", "null"]},
    }
    product: Json = {
        "name": {"type": "string", "maxLength": 255},
        "version": word,
        "edition": word,
        "internals": {"type": ["object", "null"], "properties": internals},
    }
    return {
        "type": "object",
        "required": ["product"],
        "properties": {
            "installation": {"type": ["string", "null"], "pattern": "^[ -~]{1,255}$"},
            "product": {"type": "object", "required": ["name"], "properties": product},
        },
    }


def _batch() -> Json:
    one: Json = {
        "type": "object",
        "required": ["report"],
        "properties": {
            "id": {"type": ["string", "null"]},
            "report": {"description": "A report; one that is none has a status of its own."},
        },
    }
    return {
        "type": "object",
        "required": ["reports"],
        "properties": {"reports": {"type": "array", "minItems": 1, "maxItems": BATCH_COUNT, "items": one}},
    }


def _receipt() -> dict[str, Json]:
    return {"id": _TEXT, "sha256": {"type": "string", "pattern": "^[0-9a-f]{64}$"}, "received-at": _INSTANT}


def _receipt_or_refusal() -> Json:
    stored = {"status": {"const": 202}, **_receipt(), "duplicate": {"type": "boolean"}}
    return {"oneOf": [_object(stored), _schema("Problem")]}


def _problem() -> Json:
    held = _object({**_receipt(), "window": {"type": ["string", "null"]}})
    said: Json = {"status": {"type": "integer", "minimum": 400}, "reason": _TEXT, "detail": _TEXT}
    return {
        "type": "object",
        "required": list(said),
        "properties": {**said, "held": held},
        "additionalProperties": False,
    }


def _object(properties: Mapping[str, object]) -> Json:
    return {"type": "object", "required": list(properties), "properties": properties, "additionalProperties": False}
