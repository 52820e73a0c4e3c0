"""The telemetry reporter of the Camunda 7 family as a library; this module owns the version and what it offers."""

TYPE_CHECKING = False  # as `typing` says, which takes its time
if TYPE_CHECKING:
    from telemetry_core.api import (
        delete_license_key,
        get_license_key,
        get_telemetry_data,
        is_telemetry_enabled,
        set_license_key,
        toggle_telemetry,
    )
    from telemetry_core.resident import TelemetryReporter

__all__ = [
    "VERSION",
    "TelemetryReporter",
    "delete_license_key",
    "get_license_key",
    "get_telemetry_data",
    "is_telemetry_enabled",
    "set_license_key",
    "toggle_telemetry",
]

VERSION = "0.1.0"

_MODULES = {**dict.fromkeys(__all__, "telemetry_core.api"), "TelemetryReporter": "telemetry_core.resident"}


def __getattr__(name: str) -> object:
    """What takes its time to load, when it is asked for."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    found: object = getattr(import_module(_MODULES[name]), name)
    return found
