"""What SQLite and PostgreSQL say differently; everything else is one SQL for both."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Dialect:
    """One of the two.

    Attributes:
        placeholder: What stands for a value in a statement; ours are written with `?`.
        bytes_type: The type of a column of bytes; migrations say BLOB.
        migrations: The table of migrations, wherever names lead without it.
        tables: A query of the names of all tables of the store.
        now: The database's clock as an expression, in milliseconds since 1970 (UTC), for leases. None where none are
            needed: there the kernel's lock says who sends.
    """

    placeholder: str
    bytes_type: str
    migrations: str
    tables: str
    now: str | None

    def statement(self, text: str) -> str:
        """A statement of ours; no `?` or `%` stands in one for anything else."""
        return text.replace("?", self.placeholder)

    def definitions(self, script: str) -> Iterator[str]:
        """The statements of a migration."""
        for statement in script.replace(" BLOB ", f" {self.bytes_type} ").split(";\n"):
            if statement.strip():
                yield statement


SQLITE = Dialect(
    placeholder="?",
    bytes_type="BLOB",
    migrations="migration",
    tables="SELECT name FROM sqlite_master WHERE type = 'table'",
    now=None,
)

POSTGRESQL = Dialect(
    placeholder="%s",
    bytes_type="BYTEA",
    migrations="telemetry.migration",
    # Not to_regclass(): after waiting for another node's migration it still knows that there was none.
    tables="SELECT relname FROM pg_catalog.pg_class JOIN pg_catalog.pg_namespace ON relnamespace = pg_namespace.oid"
    " WHERE nspname = 'telemetry' AND relkind = 'r'",
    now="CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)",
)
