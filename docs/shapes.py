"""The data of each command's `--json`, as shapes; the JSON Schemas in `reference/json` are made from them.

A shape is the name of a type (`text`, `flag`, `count`, `number`, `instant`, `anything`, with `?` where it can be
null), a list with the shape of its items, or an object; the key `*` stands for all keys of a map.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

Shape: TypeAlias = "str | list[Shape] | Mapping[str, Shape]"
Json: TypeAlias = dict[str, object]

REPORT: Mapping[str, Shape] = {
    "id": "text", "kind": "kind", "trigger": "trigger", "state": "report-state", "installation": "text",
    "engines": ["text"], "endpoint": "text", "attempts": "count", "maybe-arrived": "flag", "sha256": "text",
    "size": "count", "created-at": "instant", "accepted-at": "instant?",
}  # fmt: skip
ATTEMPT: Mapping[str, Shape] = {
    "number": "count", "started-at": "instant", "finished-at": "instant?", "outcome": "text?", "status": "count?",
    "detail": "text", "answer": "text?",
}  # fmt: skip
PREVIEW: Mapping[str, Shape] = {
    "engines": ["text"], "installation": "text", "kind": "kind", "id": "text?", "pending-since": "instant?",
    "next-attempt-at": "instant?", "due-at": "instant?",
    "would-be-sent": "flag", "obstacle": "text?", "initial-first": "flag", "request": "request?", "body": "text",
    "size": "count", "sha256": "text", "sources": {"*": "text"}, "missing": {"*": "text"}, "withheld": ["text"],
}  # fmt: skip
DECISION: Mapping[str, Shape] = {
    "name": "text", "changed": "flag", "state": "state", "installation": "text?", "requests": "flag",
    "decided-at": "instant", "decided-by": "text", "authorized-by": "text?", "reason": "text?", "how": "text",
    "endpoint": "text?", "fields": ["text"], "withheld": ["text"],
}  # fmt: skip
STATUS: Mapping[str, Shape] = {
    "name": "text", "installation": "text?", "product": "text?", "state": "state", "obstacle": "text?",
    "endpoint": "text?", "due-at": "instant?", "last-accepted-at": "instant?", "last-contact-at": "instant?",
    "pending": "text?", "initial-sent-at": "instant?", "initial-due-at": "instant?", "initial-obstacle": "text?",
    "trouble": "text?",
    "withheld": ["text"], "new-fields": ["text"],
    "license-warning": "text?", "copies": "text?",
}  # fmt: skip
MONITORED: Mapping[str, Shape] = {
    "level": "level", "summary": "text", "written": "text?",
    "engines": [{
        "name": "text", "level": "level", "reason": "text", "expected": "flag", "last-accepted-at": "instant?",
        "age-seconds": "count?", "failures-in-a-row": "count", "failing-seconds": "count", "pending": "count",
        "license-days-left": "number?",
    }],
}  # fmt: skip
LICENSE: Mapping[str, Shape] = {
    "name": "text", "installation": "text?", "set": "flag", "customer": "text?", "type": "text?",
    "valid-until": "text?", "unlimited": "flag?", "features": {"*": "text"}, "raw": "text?",
    "set-at": "instant?", "set-by": "text?", "days-left": "number?", "warning": "text?",
}  # fmt: skip
DELIVERED: Mapping[str, Shape] = {
    "id": "text", "kind": "kind", "state": "report-state", "engines": ["text"], "installation": "text",
    "outcome": "text", "status": "count?", "detail": "text", "sha256": "text", "size": "count",
    "accepted-at": "instant?", "next-attempt-at": "instant?",
}  # fmt: skip

COLLECTED: Mapping[str, Shape] = {
    "id": "text", "installation": "text?", "received-at": "instant", "state": "collected", "reason": "text?",
    "detail": "text?", "window": "text?", "keyed": "flag", "sha256": "text", "decided-at": "instant?",
    "decided-by": "text?",
}  # fmt: skip
TIMING: Mapping[str, Shape] = {"every": "every", "derived-from": "text", "notes": ["text"]}

#: What `data` is, by command; variants of a command that give other data have a name of their own.
SHAPES: Mapping[str, Shape] = {
    "collector drop": {"reports": [{**COLLECTED, "changed": "flag"}]},
    "collector list": {"reports": [COLLECTED], "more": "flag"},
    "collector release": {"reports": [{**COLLECTED, "changed": "flag"}]},
    "collector serve": {"url": "text", "ended-by": "text?"},
    "config check": {"engines": ["text"], "settings": "count"},
    "config get": {"key": "text", "value": "anything", "origin": "text"},
    "config path": {
        "files": [{"path": "text", "exists": "flag"}], "written-by-config-set": "text", "schema": "text",
    },
    "config set": {"key": "text", "written": "text?", "decides": "text?"},
    "config show": {"settings": [{"key": "text", "value": "anything", "origin": "text"}], "store": "text"},
    "config unset": {"key": "text", "written": "text?", "decides": "text?"},
    "consent": {
        "decisions": [{
            "number": "count", "name": "text", "state": "state", "requests": "flag", "decided-at": "instant",
            "decided-by": "text", "authorized-by": "text?", "reason": "text?", "how": "text", "installation": "text?",
            "endpoint": "text?", "fields": ["text"], "withheld": ["text"], "legal-note-sha256": "text?",
            "legal-note-shown": "flag",
        }],
    },
    "disable": {"engines": [DECISION]},
    "enable": {"engines": [DECISION], "legal-note-sha256": "text"},
    "environment": {
        "engines": [{
            "name": "text",
            "found": {"*": {"value": "anything", "source": "text"}},
            "missing": {"*": "text"},
            "also-found": {"*": [{"value": "anything", "source": "text"}]},
            "withheld": ["text"],
            "sources": {"*": {"*": "text"}},
        }],
        "warnings": ["text"],
    },
    "history": {"reports": [REPORT]},
    "history ID": {"reports": [{**REPORT, "attempt-list": [ATTEMPT]}]},
    "history --verify": {"decisions": "count", "documents": "count"},
    "license remove": {"engines": [{"name": "text", "installation": "text?", "removed": "flag"}]},
    "license set": {"engines": [LICENSE]},
    "license show": {"engines": [LICENSE]},
    "preview": {"reports": [PREVIEW]},
    "preview --diff": {
        "reports": [{
            **PREVIEW,
            "diff": [{"path": "text", "before": "anything", "after": "anything", "new-kind": "flag"}],
        }],
    },
    "schedule install": {
        "kind": "schedule", "written": ["text"], "removed": ["text"],
        "announcement": [{"name": "text", "endpoint": "text?", "initial": "text", "periodic": "text"}],
        "also-installed": ["schedule"], **TIMING,
    },
    "schedule remove": {"removed": ["text"]},
    "schedule show": {"kind": "schedule", "parts": [{"path": "text?", "text": "text"}], **TIMING},
    "run": {"ended-by": "text", "accepted": "count", "failures": "count", "ended-in-time": "flag"},
    "send": {
        "delivered": [DELIVERED],
        "failed": [{"name": "text", "code": "text", "message": "text"}],
        "idle": {"*": "text"},
    },
    "send --dry-run": {"planned": [{"name": "text", "kinds": ["kind"], "reason": "text?"}]},
    "serve": {"url": "text", "ended-by": "text?"},
    "status": {"engines": [STATUS]},
    "status --check": MONITORED,
    "status --openmetrics": MONITORED,
    "status --explain": {
        "engines": [{
            "name": "text", "result": "text", "exit-code": "count",
            "layers": [{"name": "text", "value": "text", "origin": "text", "decides": "flag"}],
        }],
    },
    "telemetry --version": {"version": "text"},
}  # fmt: skip

_TYPES: Mapping[str, Json] = {
    "text": {"type": "string"},
    "flag": {"type": "boolean"},
    "count": {"type": "integer", "minimum": 0},
    "number": {"type": "integer"},
    "instant": {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$"},
    "anything": {},
    "kind": {"enum": ["initial", "periodic"]},
    "schedule": {"enum": ["cron", "systemd", "stop-hook", "kubernetes", "windows"]},
    "every": {"enum": ["5m", "15m", "hourly", "daily"]},
    "trigger": {"enum": ["due", "forced", "final"]},
    "collected": {"enum": ["counted", "superseded", "quarantined", "dropped"]},
    "level": {"enum": ["ok", "warning", "critical", "unknown"]},
    "state": {"enum": ["not-configured", "enabled", "disabled"]},
    "report-state": {"enum": ["pending", "accepted", "refused", "withdrawn", "conflict"]},
}


def schema(command: str) -> Json:
    """The JSON Schema of the whole object that a command writes."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"telemetry {command.removeprefix('telemetry ')} --json",
        "type": "object",
        "required": ["format", "command", "ok"],
        "additionalProperties": False,
        "properties": {
            "format": {"const": 1},
            "command": {"type": "string"},
            "ok": {"type": "boolean"},
            "data": _schema(SHAPES[command]),
            "error": _schema({"code": "text", "message": "text", "hint": "text", "exit-status": "count"}),
        },
        "oneOf": [
            {"required": ["data"], "properties": {"ok": {"const": True}, "error": False}},
            {"required": ["error"], "properties": {"ok": {"const": False}}},
        ],
    }


def _schema(shape: Shape) -> Json:
    if isinstance(shape, list):
        return {"type": "array", "items": _schema(shape[0])}
    if isinstance(shape, str):
        return _named(shape)
    if "*" in shape:
        return {"type": "object", "additionalProperties": _schema(shape["*"])}
    properties = {key: _schema(inner) for key, inner in shape.items()}
    return {"type": "object", "required": list(shape), "additionalProperties": False, "properties": properties}


def _named(name: str) -> Json:
    if name == "request?":
        request = _schema({"method": "text", "url": "text", "headers": {"*": "text"}})
        return {"oneOf": [{"type": "null"}, request]}
    if name.endswith("?"):
        return {"oneOf": [{"type": "null"}, _TYPES[name.removesuffix("?")]]}
    return _TYPES[name]
