"""The OpenAPI document of the service."""

from __future__ import annotations

from telemetry_core import VERSION

Json = dict[str, object]


def document() -> Json:
    """The whole document, OpenAPI 3.1."""
    return {"openapi": "3.1.0", "info": {"title": "telemetry collector", "version": VERSION}, "paths": {}}
