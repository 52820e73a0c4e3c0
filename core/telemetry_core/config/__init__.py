"""The configuration: layers in, one checked and typed `Config` out, each value with its origin."""

from telemetry_core.config.loading import Layers, load
from telemetry_core.config.settings import ENGINE_SETTINGS, SETTINGS, Config, Engine, Reporter, Setting, Value
from telemetry_core.config.values import Url, parse_endpoint

__all__ = [
    "ENGINE_SETTINGS",
    "SETTINGS",
    "Config",
    "Engine",
    "Layers",
    "Reporter",
    "Setting",
    "Url",
    "Value",
    "load",
    "parse_endpoint",
]
