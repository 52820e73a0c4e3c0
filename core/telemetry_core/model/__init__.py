"""The frozen types that flow between the modules; every instant is an integer of milliseconds since 1970 (UTC).

They are made when they are asked for: to make one takes Python half a millisecond, and most commands need few of them.
"""

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
from telemetry_core.rooms import on_demand

if TYPE_CHECKING:
    from telemetry_core.model.counts import Base, Doubt, Ledger, MetricsBase, RowsBase, Suspicion
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
    from telemetry_core.model.reports import Attempt, Contact, Counts, Decision, Document, Payload, Receipt, Report

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

__getattr__ = on_demand(
    __name__,
    {
        "counts": ("Base", "Doubt", "Ledger", "MetricsBase", "RowsBase", "Suspicion"),
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
        "reports": ("Attempt", "Contact", "Counts", "Decision", "Document", "Payload", "Receipt", "Report"),
    },
)
