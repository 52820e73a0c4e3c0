"""The JSON Schema of the configuration, for editors; made from the settings."""

from __future__ import annotations

from collections.abc import Iterable

from telemetry_core.config.settings import ENGINE_SETTINGS, SETTINGS, TABLES, Setting


def schema() -> dict[str, object]:
    """The schema as a JSON object."""
    plain = [setting for setting in SETTINGS if "." not in setting.key]
    tables = {name: [one for one in SETTINGS if one.key.startswith(f"{name}.")] for name in sorted(TABLES)}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Configuration of telemetry",
        "type": "object",
        "additionalProperties": False,
        "properties": {
            **_properties(plain),
            **{name: _table(settings) for name, settings in tables.items()},
            "engines": {
                "type": "object",
                "propertyNames": {"pattern": "^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$"},
                "additionalProperties": _table(ENGINE_SETTINGS),
            },
        },
    }


def _table(settings: Iterable[Setting]) -> dict[str, object]:
    return {"type": "object", "additionalProperties": False, "properties": _properties(settings)}


def _properties(settings: Iterable[Setting]) -> dict[str, object]:
    return {setting.key.rpartition(".")[2]: _property(setting) for setting in settings}


def _property(setting: Setting) -> dict[str, object]:
    described = {**setting.type.schema, "description": setting.meaning}
    return described if setting.default is None else {**described, "default": setting.default}
