"""The telemetry reporter of the Camunda 7 family as a library; this module owns the version and what it offers."""

TYPE_CHECKING = False  # as type checkers know it; to load `typing` takes as long as the interpreter's start
if TYPE_CHECKING:
    from telemetry_core.resident import TelemetryReporter

__all__ = ["VERSION", "TelemetryReporter"]

VERSION = "0.1.0"


def __getattr__(name: str) -> object:
    """What takes its time to load, when it is asked for."""
    if name == "TelemetryReporter":
        from telemetry_core.resident import TelemetryReporter

        return TelemetryReporter
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
