"""What telemetry has of an engine by now: the data that the engine's own REST and Java API have shown (facts §1.6)."""

from __future__ import annotations

from dataclasses import replace

from telemetry_core.config import Engine
from telemetry_core.engines import METRICS
from telemetry_core.model import Payload
from telemetry_core.reporting import preparing
from telemetry_core.reporting.observing import observe
from telemetry_core.reporting.session import Session


def collected(session: Session, engine: Engine) -> Payload:
    """The environment of an engine's installation as it is now, and what was counted since the last report.

    The engine is read; nothing is written. Metrics have their public names. Without consent there are no counts, since
    none are collected (user guide, Design).

    Raises:
        EngineError: The engine does not answer, or not as one does.
    """
    group = session.group(engine)
    seen = observe(session, group, keep=False)
    payload = preparing.build_periodic(seen, session.consent_of(group)).payload
    counts = seen.usage.counts.metrics
    return replace(
        payload,
        telemetry_enabled=session.consent(engine.entry).state.flag,
        metrics=None if counts is None else {METRICS[name]: count for name, count in counts.items() if name in METRICS},
    )
