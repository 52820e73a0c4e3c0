"""What the error of a database means, as a reason that an administrator can act on."""

from __future__ import annotations

_NO_TABLE = "there is no table {table} in the database (see the settings schema and table-prefix)"
_NO_TABLE_OR_RIGHT = (
    "there is no table {table} (see the settings schema and table-prefix), or the user has no right to read it"
)
_NO_COLUMN = "{table} is not as engines from 7.14 on have it"
_NO_RIGHT = "the user has no right to read {table} (GRANT SELECT ON {table})"
_LOCKED = "{table} is locked by another session"
_SLOW = "{table} could not be read within {seconds:g} s (engines.NAME.timeout)"
_ENDED = "{table} could not be read: an administrator of the database ended the statement"
_LOST = "{table} could not be read: the connection to the database was lost"
_SILENT = "the database gives no connection within {seconds:g} s (engines.NAME.timeout)"
_NOT_LET_IN = "the database does not let this user in"
_NO_DATABASE = "the server has no database of this name"

#: SQLSTATEs of PostgreSQL, error numbers of MariaDB, MySQL and SQL Server, codes of Oracle and its driver.
_REASONS: dict[object, str] = {
    "42P01": _NO_TABLE, "3F000": _NO_TABLE, 1146: _NO_TABLE, 208: _NO_TABLE,
    "ORA-00942": _NO_TABLE_OR_RIGHT,
    "42703": _NO_COLUMN, 1054: _NO_COLUMN, 207: _NO_COLUMN, "ORA-00904": _NO_COLUMN,
    "42883": _NO_COLUMN,  # a text where a number should be
    "42501": _NO_RIGHT, 1142: _NO_RIGHT, 1143: _NO_RIGHT, 229: _NO_RIGHT, 230: _NO_RIGHT, "ORA-01031": _NO_RIGHT,
    "55P03": _LOCKED, 1205: _LOCKED, 1222: _LOCKED, "ORA-00054": _LOCKED,
    "57014": _SLOW, 1969: _SLOW, 3024: _SLOW, 20003: _SLOW, "DPY-4024": _SLOW,
    1317: _ENDED, "ORA-01013": _ENDED,
    "57P01": _ENDED, "57P02": _LOST, 2013: _LOST, 20047: _LOST, "ORA-00028": _ENDED, "DPY-4011": _LOST,
    "28P01": _NOT_LET_IN, "28000": _NOT_LET_IN, 1044: _NOT_LET_IN, 1045: _NOT_LET_IN, 1698: _NOT_LET_IN,
    18456: _NOT_LET_IN, "ORA-01017": _NOT_LET_IN, "ORA-01045": _NOT_LET_IN, "ORA-28000": _NOT_LET_IN,
    "ORA-28001": _NOT_LET_IN,
    "3D000": _NO_DATABASE, 1049: _NO_DATABASE, 4060: _NO_DATABASE, "DPY-6001": _NO_DATABASE, "DPY-6003": _NO_DATABASE,
}  # fmt: skip

#: At a connection's begin libpq gives no SQLSTATE, only the server's words.
_WORDS = {
    "password authentication failed": _NOT_LET_IN,
    "no password supplied": _NOT_LET_IN,
    "no pg_hba.conf entry": _NOT_LET_IN,
    'role "': _NOT_LET_IN,
    'database "': _NO_DATABASE,
}


def explain(error: Exception, table: str, *, seconds: float) -> str:
    """The reason for an error of SQLAlchemy or a driver.

    Args:
        error: As SQLAlchemy raises it, with the driver's own inside; TimeoutError for an answer that never came.
        table: What was read; empty while connecting.
        seconds: The limit of time.
    """
    if isinstance(error, TimeoutError):
        return (_SLOW if table else _SILENT).format(table=table, seconds=seconds)
    cause = _cause(error)
    text = _text(cause)
    reason = _REASONS.get(_code(cause))
    if reason is None and not table:
        reason = next((meant for words, meant in _WORDS.items() if words in text), None)
    if reason == _SLOW and "user request" in text:
        reason = _ENDED
    if reason is not None and (table or "{table}" not in reason):
        return reason.format(table=table, seconds=seconds)
    what = "the database gives no connection" if not table else f"{table} could not be read"
    return f"{what}: {text[:200].rstrip('.')}"


def says_absent(error: Exception) -> bool:
    """Whether it says that there is no such table; Oracle says the same of one without rights, and does not count."""
    return _REASONS.get(_code(_cause(error))) == _NO_TABLE


def _cause(error: Exception) -> Exception:
    cause = getattr(error, "orig", None)
    return cause if isinstance(cause, Exception) else error


def _text(cause: Exception) -> str:
    """One line; pymssql gives a number and bytes, in a tuple of their own while connecting."""
    words: object = cause.args[-1] if cause.args else cause
    if isinstance(words, tuple) and words:
        words = words[-1]
    return " ".join((words.decode("utf-8", "replace") if isinstance(words, bytes) else str(words)).split())


def _code(cause: Exception) -> object:
    """The error number, which says more than the SQLSTATE that pymysql gives too; Oracle's is in an object."""
    first = cause.args[0] if cause.args else None
    if isinstance(first, tuple) and first:
        first = first[0]
    if isinstance(first, int):
        return first
    return getattr(first, "full_code", None) or getattr(cause, "sqlstate", None)
