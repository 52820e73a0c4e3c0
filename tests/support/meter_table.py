"""The tables of an engine in a real PostgreSQL, made to hold what a simulated installation has flushed."""

from __future__ import annotations

from collections.abc import Iterable

from tests.support.postgresql import PostgreSQL
from tests.support.world import Row

_TABLES = (
    "CREATE TABLE ACT_GE_PROPERTY (NAME_ varchar(64) PRIMARY KEY, VALUE_ varchar(300))",
    "CREATE TABLE ACT_GE_SCHEMA_LOG (ID_ varchar(64), TIMESTAMP_ timestamp, VERSION_ varchar(255))",
    "CREATE TABLE ACT_GE_BYTEARRAY (ID_ varchar(64), NAME_ varchar(255), BYTES_ bytea)",
    "CREATE TABLE ACT_RU_METER_LOG (ID_ varchar(64) PRIMARY KEY, NAME_ varchar(64), REPORTER_ varchar(255),"
    " VALUE_ bigint, TIMESTAMP_ timestamp, MILLISECONDS_ bigint)",
)


class MeterTable:
    """A database with an engine's tables."""

    def __init__(self, server: PostgreSQL, installation: str) -> None:
        name = server.database()
        self.url = server.url(name)
        self._connection = server.connect(name)
        for statement in _TABLES:
            self._connection.execute(statement.encode())
        self._connection.execute(b"INSERT INTO ACT_GE_PROPERTY VALUES ('camunda.installation.id', %s)", (installation,))
        self._there: set[Row] = set()

    def show(self, rows: Iterable[Row]) -> None:
        """Make the meter table hold exactly these rows."""
        wanted = set(rows)
        gone, new = self._there - wanted, wanted - self._there
        if gone:
            identities = [row.id for row in gone]
            self._connection.execute(b"DELETE FROM ACT_RU_METER_LOG WHERE ID_ = ANY(%s)", (identities,))
        if new:
            with self._connection.cursor() as cursor, cursor.copy(b"COPY ACT_RU_METER_LOG FROM STDIN") as copy:
                for row in new:
                    copy.write_row((row.id, row.name, "node", row.value, None, row.at))
        self._there = wanted

    def close(self) -> None:
        self._connection.close()
