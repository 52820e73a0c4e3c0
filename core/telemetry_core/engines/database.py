"""The database of an engine as a source: installation, licence, vendor, and metrics row by row; nothing is written."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from telemetry_core import license as licenses
from telemetry_core.config import Engine
from telemetry_core.engines import dialects
from telemetry_core.engines.flavours import METRICS, OLDEST
from telemetry_core.engines.sql import Connection, Unread
from telemetry_core.errors import ConfigurationError, EngineUnreachable
from telemetry_core.model import Clock, License, MeterRow, Millis, RowsReading, Snapshot, Software

if TYPE_CHECKING:
    import sqlalchemy as sa

    from telemetry_core.engines.dialects import Query, Row

#: Which row has the installation's id; a schema that came from Camunda to Operaton has both (facts §3.1).
_INSTALLATION = ("operaton.installation.id", "camunda.installation.id")
_INITIAL_SENT = "camunda.telemetry.initial.message.sent"
_LICENSE_ID = "camunda-license-key-id"
_LICENSE_TEXT = "camunda-license-key"
_SILENT = ("installation", "database", "license-key", "metrics")

ROWS_LIMIT = 200_000
"""Rows of one reading, oldest first; the next reading goes on behind them. A node writes about 400 in 26 hours."""

LICENSE_LIMIT = 64 * 1024
"""Bytes of a licence's text; a key has about a thousand, and what is longer is not even fetched."""

_COUNT_END = 2**63  # an engine's counts and times have 64 bits
_TIME = "MILLISECONDS_"
_VERSION = re.compile(r"\d{1,4}(\.[0-9A-Za-z_-]{1,40}){1,4}")
_PREFIX = re.compile(r"(?:([A-Za-z_][A-Za-z0-9_$]*)\.)?([A-Za-z0-9_$]*)")


def read(engine: Engine, rows_since: Millis, clock: Clock, *, expected: str | None) -> Snapshot:
    """What the database says; a part that cannot be read is missing with the reason, and never fails the others.

    Args:
        engine: With a database.
        rows_since: From when on rows of the meter table are read.
        clock: For the limit of time, which is one for all statements together.
        expected: The installation as other sources say it; nothing is taken of a database that has another one.

    Raises:
        ConfigurationError: URL, driver, password file or table prefix cannot be used.
    """
    address = "" if engine.database is None else engine.database.text.partition("?")[0]
    nothing = Snapshot(engine.entry, f"database {address}", clock.now())
    tables = Tables(engine)
    try:
        with Connection(engine, clock) as connection:
            return _Reader(connection, tables, nothing).snapshot(rows_since, expected)
    except Unread as failure:
        return _without(nothing, str(failure))


def unreadable(engine: Engine, found: Snapshot) -> EngineUnreachable:
    """The error for an engine that has nothing but a database, and that cannot be read."""
    return EngineUnreachable(
        f"The database of engine {engine.entry} says nothing: {found.problems['database']}.",
        hint=f"Check engines.{engine.entry}.database.",
    )


class Tables:
    """The statements over an engine's tables (facts §5.3, §5.6, §7.3), each for the columns that are needed.

    Raises:
        ConfigurationError: The table prefix is none, or there is no dialect for the database's URL.
    """

    def __init__(self, engine: Engine) -> None:
        self._length = dialects.of(engine).length
        match = _PREFIX.fullmatch(engine.table_prefix or "")
        if match is None:
            raise ConfigurationError(
                f"engines.{engine.entry}.table-prefix is not the prefix of a table's name.",
                hint='Write it as the engine has it (databaseTablePrefix), such as "BPM_" or "CAMUNDA.".',
            )
        self._schema = engine.schema or match[1]
        self._exact = engine.schema is not None
        self._prefix = match[2]

    def properties(self) -> Query:
        """Name and value of the properties that are looked at."""
        table = self._table("ACT_GE_PROPERTY", "NAME_", "VALUE_")
        names = (*_INSTALLATION, _INITIAL_SENT, _LICENSE_ID, _LICENSE_TEXT)
        return _select(table).where(table.c[0].in_(names))

    def schema_log(self) -> Query:
        """All entries of the schema's history, which has one for each release."""
        return _select(self._table("ACT_GE_SCHEMA_LOG", "TIMESTAMP_", "ID_", "VERSION_")).limit(1000)

    def license_text(self, identity: str) -> Query:
        """The bytes of a licence, if they are not too many."""
        import sqlalchemy as sa

        table = self._table("ACT_GE_BYTEARRAY", "BYTES_", "ID_")
        length = functools.reduce(getattr, self._length.split("."), sa.func)(table.c[0])
        found = _select(table).with_only_columns(table.c[0])
        return found.where(table.c[1] == identity, length <= LICENSE_LIMIT)

    def meter_rows(self, since: Millis) -> Query:
        """The rows of the metrics from an instant on; there is an index on it (facts §5.3)."""
        table = self._table("ACT_RU_METER_LOG", "ID_", "NAME_", "VALUE_", _TIME)
        wanted = _select(table).where(table.c[3] >= since, table.c[1].in_(tuple(METRICS)))
        return wanted.order_by(table.c[3]).limit(ROWS_LIMIT)

    def name(self, table: str) -> str:
        """A table's name for people."""
        return (f"{self._schema}." if self._schema else "") + self._prefix + table

    def _table(self, name: str, *columns: str) -> sa.TableClause:
        """Names are not quoted, as the engine's own statements have them; a `schema` of the configuration is exact."""
        import sqlalchemy as sa

        schema = None
        if self._schema:
            schema = self._schema if self._exact else sa.quoted_name(self._schema, quote=False)
        plain: list[sa.ColumnClause[Any]] = [sa.column(sa.quoted_name(column, quote=False)) for column in columns]
        return sa.table(sa.quoted_name(self._prefix + name, quote=False), *plain, schema=schema)


def _select(table: sa.TableClause) -> Query:
    import sqlalchemy as sa

    return sa.select(*table.c)


class _Reader:
    """Reads part by part; `problems` collects what could not be read."""

    def __init__(self, connection: Connection, tables: Tables, nothing: Snapshot) -> None:
        self._connection = connection
        self._tables = tables
        self._nothing = nothing
        self._problems: dict[str, str] = {}

    def snapshot(self, rows_since: Millis, expected: str | None) -> Snapshot:
        properties = self._properties()
        installation = _installation(properties, expected)
        if expected is not None and installation not in (None, expected):
            return _without(self._nothing, f"the database is of another installation ({installation})")
        version, problem = self._schema_version()
        if problem and properties is not None:
            return _without(replace(self._nothing, schema_version=version), problem)
        if properties is not None and installation is None:
            self._problems["installation"] = "the database has no installation id"
        software = self._software()
        return replace(
            self._nothing,
            installation=installation,
            schema_version=version,
            initial_sent=None if properties is None else properties.get(_INITIAL_SENT) == "true",
            database=software,
            license_key=None if properties is None else self._license(properties),
            rows=self._rows(rows_since),
            problems=self._problems,
        )

    def _properties(self) -> Mapping[str, str] | None:
        try:
            found = self._connection.rows(self._tables.properties(), self._tables.name("ACT_GE_PROPERTY"))
        except Unread as failure:
            self._problems |= dict.fromkeys(("installation", "license-key"), str(failure))
            return None
        return {str(name): str(value) for name, value in found if value is not None}

    def _schema_version(self) -> tuple[str | None, str]:
        """The newest version, and why nothing should be read; identities are texts of numbers (facts §5.6)."""
        try:
            found = self._connection.rows(self._tables.schema_log(), self._tables.name("ACT_GE_SCHEMA_LOG"))
        except Unread as failure:
            return None, f"the tables are older than 7.14: {failure}" if failure.absent else ""
        if not found:
            return None, ""
        newest = max(found, key=lambda row: (str(row[0] or ""), int(row[1]) if str(row[1]).isdecimal() else -1))
        version = str(newest[2])
        if _VERSION.fullmatch(version) is None:
            return None, ""
        numbers = re.match(r"7\.(\d{1,4})", version)
        if numbers is not None and (7, int(numbers[1])) < OLDEST:
            return version, f"the tables are of release {version}; the oldest that can be read is 7.14"
        return version, ""

    def _software(self) -> Software | None:
        try:
            return Software(*self._connection.version())
        except Unread as failure:
            self._problems["database"] = str(failure)
            return None

    def _license(self, properties: Mapping[str, str]) -> License | None:
        """The licence as an engine would take it from there (facts §7.1, §7.3)."""
        try:
            text = self._license_text(properties)
        except Unread as failure:
            self._problems["license-key"] = str(failure)
            return None
        if text is None:
            return None
        raw = licenses.clean(licenses.after_signature(text))
        if raw is None:
            self._problems["license-key"] = "withheld: the engine's licence text may hold its signature"
        return None if raw is None else License(raw=raw)

    def _license_text(self, properties: Mapping[str, str]) -> str | None:
        if _LICENSE_ID not in properties:
            return properties.get(_LICENSE_TEXT)
        name = self._tables.name("ACT_GE_BYTEARRAY")
        found = self._connection.rows(self._tables.license_text(properties[_LICENSE_ID]), name)
        if not found or not isinstance(found[0][0], (bytes, bytearray, memoryview)):
            raise Unread(f"{name} has no licence text of up to {LICENSE_LIMIT // 1024} KiB")
        return bytes(found[0][0]).decode("utf-8", "replace")

    def _rows(self, since: Millis) -> RowsReading | None:
        name = self._tables.name("ACT_RU_METER_LOG")
        try:
            found = self._connection.rows(self._tables.meter_rows(since), name)
            return RowsReading(since, tuple(METRICS), tuple(_meter_row(row, name) for row in found))
        except Unread as failure:
            self._problems["metrics"] = str(failure)
            return None


def _installation(properties: Mapping[str, str] | None, expected: str | None) -> str | None:
    found = [properties[name] for name in _INSTALLATION if properties and properties.get(name)]
    return expected if expected in found else next(iter(found), None)


def _meter_row(row: Row, table: str) -> MeterRow:
    """A row as an engine writes it; one without a count, or with a negative one, counts nothing.

    Raises:
        Unread: A count or a time is none: rather no metrics than wrong ones.
    """
    identity, name, value, at = row
    return MeterRow(str(identity), str(name), max(_number(value or 0, "VALUE_", table), 0), _number(at, _TIME, table))


def _number(value: object, column: str, table: str) -> int:
    """A column that was widened can hold fractions, NaN and more than 64 bits."""
    if isinstance(value, Decimal) and value.is_finite() and value == value.to_integral_value():
        value = int(value)
    if not isinstance(value, int) or not -_COUNT_END <= value < _COUNT_END:
        raise Unread(f"{table} has a {column} that is no number of an engine")
    return value


def _without(nothing: Snapshot, reason: str) -> Snapshot:
    return replace(nothing, problems=dict.fromkeys(_SILENT, reason))
