"""The store in a schema of PostgreSQL, which several collectors may share; its log has no hash of an address."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from typing import ClassVar

from telemetry_collector.store.database import MIGRATIONS, READABLE_FROM, CollectorDatabase
from telemetry_core.store.dialects import Dialect, of_schema
from telemetry_core.store.postgresql import Server

SCHEMA = "telemetry_collector"


class _Wide(Dialect):
    """Numbers of reports may be larger than PostgreSQL's INTEGER."""

    def definitions(self, script: str) -> Iterator[str]:
        """The statements of a migration."""
        return super().definitions(script.replace("INTEGER PRIMARY KEY", "BIGINT PRIMARY KEY"))


_PLAIN = of_schema(SCHEMA, "telemetry")


class CollectorServer(Server, CollectorDatabase):
    """One connection to a server; its schema is the service's."""

    dialect = _Wide(**{one.name: getattr(_PLAIN, one.name) for one in fields(Dialect)})
    schema = SCHEMA
    migrations = MIGRATIONS
    readable_from = READABLE_FROM
    hash_table: ClassVar[str] = (
        "CREATE UNLOGGED TABLE IF NOT EXISTS {name} (report BIGINT PRIMARY KEY, hash TEXT NOT NULL)"
    )
    hash_tables: ClassVar[str] = _PLAIN.tables

    def forget_hashes(self) -> None:
        """The server has removed the files of the tables; the log never had them."""
