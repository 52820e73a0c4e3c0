"""Stores in a file and on PostgreSQL, and what happens to them behind their back."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import psycopg

from telemetry_core.config import Url
from telemetry_core.config.values import DATABASE_URL
from telemetry_core.store import Place, Store
from tests.support.postgresql import PostgreSQL


def url_of(server: PostgreSQL, database: str) -> Url:
    """A database as the setting `store` gives it."""
    url = DATABASE_URL.read(server.url(database), Path())
    assert isinstance(url, Url)
    return url


def tamper(store: Store, statement: str, *values: object) -> None:
    """Change rows behind the store's back; values are written as `?`."""
    if isinstance(store.place, Path):
        with sqlite3.connect(store.place) as connection:
            assert connection.execute(statement, values).rowcount > 0
        connection.close()
        return
    with connected(store.place) as server, server.transaction():
        server.execute("SET LOCAL search_path = telemetry")
        assert server.execute(statement.replace("?", "%s").encode(), values or None).rowcount > 0


def downgrade(place: Place, version: int) -> None:
    """Make of a store what the release with that migration would have left."""
    steps = {
        4: ("ALTER TABLE migration DROP COLUMN readable_from",),
        3: ("ALTER TABLE report DROP COLUMN lease_until",),
        2: ("DROP INDEX report_of",),
    }
    undone = [step for number in range(max(steps), version, -1) for step in steps[number]]
    undone.append(f"DELETE FROM migration WHERE version > {version}")
    if isinstance(place, Path):
        with sqlite3.connect(place) as connection:
            for step in undone:
                connection.execute(step)
        connection.close()
        return
    with connected(place) as server, server.transaction():
        server.execute("SET LOCAL search_path = telemetry")
        for step in undone:
            server.execute(step.encode())


def connected(url: Url) -> psycopg.Connection[tuple[object, ...]]:
    """A connection to the server of a shared store that is not the store's."""
    password = None if url.password is None else url.password.reveal()
    return psycopg.connect(url.text, user=url.username, password=password, autocommit=True, prepare_threshold=None)
