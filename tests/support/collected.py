"""Stores of the collector, opened by the test itself, and what happens to them behind their back."""

from __future__ import annotations

import hashlib
import sqlite3
from pathlib import Path

from telemetry_collector import intake
from telemetry_collector.intake import Origin
from telemetry_collector.model import Hash, Submission
from telemetry_collector.store import Store
from telemetry_core.store import Place
from tests.support.collecting import report
from tests.support.stores import connected

NOW = 1_795_000_000_000  # 2026-11-18


def submission(key: str = "", body: bytes | None = None, *, at: int = NOW, address: Hash | None = None) -> Submission:
    """A report as it comes to the store."""
    content = report(installation=f"of {key}") if body is None else body
    read = intake.submission(key or None, content, Origin(at, () if address is None else (address,)))
    assert isinstance(read, Submission)
    return read


def filled(place: Place, *keys: str, at: int = NOW) -> None:
    """A store with a report for each key."""
    with Store.for_writing(place, at) as store:
        store.commit([submission(key, at=at) for key in keys])


def ids(place: Place) -> list[str]:
    """Of the reports in a store."""
    store = Store.for_reading(place)
    assert store is not None
    with store:
        found = list(store.reports())
    assert all(hashlib.sha256(one.body).hexdigest() == one.sha256 for one in found)
    return [one.id for one in found]


def execute(place: Place, *statements: str) -> list[tuple[object, ...]]:
    """Run statements behind the store's back; the rows of the last one."""
    found: list[tuple[object, ...]] = []
    if isinstance(place, Path):
        with sqlite3.connect(place, isolation_level=None) as connection:
            for statement in statements:
                found = connection.execute(statement).fetchall()
        connection.close()
        return found
    with connected(place) as server, server.transaction():
        server.execute("SET LOCAL search_path = telemetry_collector")
        for statement in statements:
            cursor = server.execute(statement.encode())
            found = cursor.fetchall() if cursor.description is not None else []
    return found


def back_up(store: Path, copy: Path) -> Path:
    """A copy of a file as the documentation says how to make one, also while the service runs."""
    execute(store, f"VACUUM INTO '{copy}'")
    return copy
