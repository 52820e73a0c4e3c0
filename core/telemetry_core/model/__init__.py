"""The frozen types that flow between the modules; every instant is an integer of milliseconds since 1970 (UTC).

They are made when they are asked for: to make one takes Python half a millisecond, and most commands need few of them.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from telemetry_core.model.basics import (
    HOUR,
    MINUTE,
    SECOND,
    Clock,
    Endpoint,
    Kind,
    Millis,
    Outcome,
    ReportState,
    State,
    Trigger,
)

if TYPE_CHECKING:
    from telemetry_core.model.counts import Base, Counts, Doubt, Ledger, MetricsBase, RowsBase, Suspicion
    from telemetry_core.model.findings import (
        CommandsReading,
        Environment,
        Finding,
        Found,
        MeterRow,
        MetricsReading,
        Missing,
        RowsReading,
        Snapshot,
    )
    from telemetry_core.model.products import Integration, KeptLicense, License, Product, Software
    from telemetry_core.model.reports import Attempt, Contact, Decision, Document, Payload, Receipt, Report

__all__ = [
    "HOUR",
    "MINUTE",
    "SECOND",
    "Attempt",
    "Base",
    "Clock",
    "CommandsReading",
    "Contact",
    "Counts",
    "Decision",
    "Document",
    "Doubt",
    "Endpoint",
    "Environment",
    "Finding",
    "Found",
    "Integration",
    "KeptLicense",
    "Kind",
    "Ledger",
    "License",
    "MeterRow",
    "MetricsBase",
    "MetricsReading",
    "Millis",
    "Missing",
    "Outcome",
    "Payload",
    "Product",
    "Receipt",
    "Report",
    "ReportState",
    "RowsBase",
    "RowsReading",
    "Snapshot",
    "Software",
    "State",
    "Suspicion",
    "Trigger",
]

_ROOMS = {
    "counts": ("Base", "Counts", "Doubt", "Ledger", "MetricsBase", "RowsBase", "Suspicion"),
    "findings": (
        "CommandsReading",
        "Environment",
        "Finding",
        "Found",
        "MeterRow",
        "MetricsReading",
        "Missing",
        "RowsReading",
        "Snapshot",
    ),
    "products": ("Integration", "KeptLicense", "License", "Product", "Software"),
    "reports": ("Attempt", "Contact", "Decision", "Document", "Payload", "Receipt", "Report"),
}


def __getattr__(name: str) -> object:
    room = next((room for room, names in _ROOMS.items() if name in names), None)
    if room is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{room}"), name)
