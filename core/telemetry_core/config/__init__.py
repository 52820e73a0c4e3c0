"""The configuration: layers in, one checked and typed `Config` out, each value with its origin.

What edits it and checks its files is loaded when it is asked for.
"""

from typing import TYPE_CHECKING

from telemetry_core.config.loading import Layers, load, setting_of
from telemetry_core.config.log_values import LogTarget, Size
from telemetry_core.config.rates import Rate
from telemetry_core.config.settings import (
    ENGINE_SETTINGS,
    SETTINGS,
    Collector,
    Config,
    Engine,
    Log,
    Reporter,
    Serve,
    Setting,
    Value,
)
from telemetry_core.config.values import Url, parse_endpoint
from telemetry_core.rooms import on_demand

if TYPE_CHECKING:
    from telemetry_core.config.checking import check_files
    from telemetry_core.config.editing import change, drop_in, schema_file

__all__ = [
    "ENGINE_SETTINGS",
    "SETTINGS",
    "Collector",
    "Config",
    "Engine",
    "Layers",
    "Log",
    "LogTarget",
    "Rate",
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

__getattr__ = on_demand(
    __name__,
    {"checking": ("check_files",), "editing": ("change", "drop_in", "schema_file")},
)
