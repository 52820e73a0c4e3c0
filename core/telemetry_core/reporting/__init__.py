"""Reports from reading to receipt: sending what is due, previewing it, and saying what is known."""

from telemetry_core.reporting.collecting import collected
from telemetry_core.reporting.comparing import Change, compare
from telemetry_core.reporting.copies import suspected
from telemetry_core.reporting.explaining import Explanation, explain
from telemetry_core.reporting.observing import Begin, Observation, keep_base, observe
from telemetry_core.reporting.outcomes import Delivered, Failed, Planned, Request, Sending
from telemetry_core.reporting.overview import Status, status
from telemetry_core.reporting.preparing import close_misfits
from telemetry_core.reporting.previewing import Preview, keep, preview
from telemetry_core.reporting.sending import plan, send
from telemetry_core.reporting.session import Session

__all__ = [
    "Begin",
    "Change",
    "Delivered",
    "Explanation",
    "Failed",
    "Observation",
    "Planned",
    "Preview",
    "Request",
    "Sending",
    "Session",
    "Status",
    "close_misfits",
    "collected",
    "compare",
    "explain",
    "keep",
    "keep_base",
    "observe",
    "plan",
    "preview",
    "send",
    "status",
    "suspected",
]
