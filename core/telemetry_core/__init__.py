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

__all__ = [
    "VERSION",
    "delete_license_key",
    "get_license_key",
    "get_telemetry_data",
    "is_telemetry_enabled",
    "set_license_key",
    "toggle_telemetry",
]

VERSION = "0.1.0"

# TelemetryReporter of `telemetry_core.resident` is offered in the same way.
_MODULES = dict.fromkeys(__all__[1:], "telemetry_core.api")


def __getattr__(name: str) -> object:
    """What takes its time to load, when it is asked for."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    found: object = getattr(import_module(_MODULES[name]), name)
    return found
