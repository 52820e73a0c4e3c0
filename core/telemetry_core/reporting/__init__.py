"""Reports from reading to receipt: sending what is due, previewing it, and saying what is known.

What is asked for is loaded when it is asked for: who only wants to know how things stand needs no engine, no request.
"""

from typing import TYPE_CHECKING

from telemetry_core.rooms import on_demand

if TYPE_CHECKING:
    from telemetry_core.reporting.agenda import idle_until, next_at
    from telemetry_core.reporting.collecting import collected
    from telemetry_core.reporting.comparing import Change, compare
    from telemetry_core.reporting.copies import suspected
    from telemetry_core.reporting.explaining import Explanation, explain
    from telemetry_core.reporting.monitoring import Health, Level, health
    from telemetry_core.reporting.observing import Begin, Observation, keep_base, observe
    from telemetry_core.reporting.outcomes import Delivered, Failed, Planned, Request, Sending
    from telemetry_core.reporting.overview import Status, status
    from telemetry_core.reporting.preparing import close_misfits
    from telemetry_core.reporting.previewing import Preview, keep, preview
    from telemetry_core.reporting.sending import plan, send
    from telemetry_core.reporting.session import Session, matching

__all__ = [
    "Begin",
    "Change",
    "Delivered",
    "Explanation",
    "Failed",
    "Health",
    "Level",
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
    "health",
    "idle_until",
    "keep",
    "keep_base",
    "matching",
    "next_at",
    "observe",
    "plan",
    "preview",
    "send",
    "status",
    "suspected",
]

__getattr__ = on_demand(
    __name__,
    {
        "agenda": ("idle_until", "next_at"),
        "collecting": ("collected",),
        "comparing": ("Change", "compare"),
        "copies": ("suspected",),
        "explaining": ("Explanation", "explain"),
        "monitoring": ("Health", "Level", "health"),
        "observing": ("Begin", "Observation", "keep_base", "observe"),
        "outcomes": ("Delivered", "Failed", "Planned", "Request", "Sending"),
        "overview": ("Status", "status"),
        "preparing": ("close_misfits",),
        "previewing": ("Preview", "keep", "preview"),
        "sending": ("plan", "send"),
        "session": ("Session", "matching"),
    },
)
