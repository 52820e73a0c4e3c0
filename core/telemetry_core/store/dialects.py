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
        tables: A query of the names of all tables of the store, and of `foreign`.
        foreign: What stands among the tables where the place is the other program's; a file is known by its mark.
        now: The database's clock as an expression, in milliseconds since 1970 (UTC), for leases. None where none are
            needed: there the kernel's lock says who sends.
    """

    placeholder: str
    bytes_type: str
    migrations: str
    tables: str
    foreign: str
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
    foreign="",
    now=None,
)


def of_schema(schema: str, other: str) -> Dialect:
    """PostgreSQL's, for a store in a schema; `other` is the schema of the other program's stores."""
    return Dialect(
        placeholder="%s",
        bytes_type="BYTEA",
        migrations=f"{schema}.migration",
        # Not to_regclass(): after waiting for another node's migration it still knows that there was none.
        tables=f"SELECT CASE nspname WHEN '{schema}' THEN relname ELSE '{other}' END FROM pg_catalog.pg_class"  # noqa: S608  # names of our own
        " JOIN pg_catalog.pg_namespace ON relnamespace = pg_namespace.oid WHERE relkind = 'r'"
        f" AND (nspname = '{schema}' OR (nspname = '{other}' AND relname = 'migration'))",
        foreign=other,
        now="CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)",
    )


POSTGRESQL = of_schema("telemetry", "telemetry_collector")
