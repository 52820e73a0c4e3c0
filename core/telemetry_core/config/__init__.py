"""The configuration: layers in, one checked and typed `Config` out, each value with its origin.

What changes or checks it is loaded when it is asked for: most commands only read.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from telemetry_core.config.loading import Layers, load, setting_of
from telemetry_core.config.log_values import LogTarget, Size
from telemetry_core.config.settings import (
    ENGINE_SETTINGS,
    SETTINGS,
    Config,
    Engine,
    Log,
    Reporter,
    Serve,
    Setting,
    Value,
)
from telemetry_core.config.values import Url, parse_endpoint

if TYPE_CHECKING:
    from telemetry_core.config.checking import check_files
    from telemetry_core.config.editing import change, drop_in, schema_file

__all__ = [
    "ENGINE_SETTINGS",
    "SETTINGS",
    "Config",
    "Engine",
    "Layers",
    "Log",
    "LogTarget",
    "Reporter",
    "Serve",
    "Setting",
    "Size",
    "Url",
    "Value",
    "change",
    "check_files",
    "drop_in",
    "load",
    "parse_endpoint",
    "schema_file",
    "setting_of",
]

_ROOMS = {"check_files": "checking", "change": "editing", "drop_in": "editing", "schema_file": "editing"}


def __getattr__(name: str) -> object:
    if name not in _ROOMS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_ROOMS[name]}"), name)
