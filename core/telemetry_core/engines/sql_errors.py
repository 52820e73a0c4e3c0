"""What the error of a database means, as a reason that an administrator can act on."""

from __future__ import annotations

_NO_TABLE = "there is no table {table} in the database (see the settings schema and table-prefix)"
_NO_COLUMN = "{table} is not as engines from 7.14 on have it"
_NO_RIGHT = "the user has no right to read {table} (GRANT SELECT ON {table})"
_LOCKED = "{table} is locked by another session"
_SLOW = "{table} could not be read within {seconds:g} s (engines.NAME.timeout)"
_NOT_LET_IN = "the database does not let this user in"
_NO_DATABASE = "the server has no database of this name"

#: SQLSTATEs of PostgreSQL, and error numbers of MariaDB and MySQL.
_REASONS: dict[object, str] = {
    "42P01": _NO_TABLE, "3F000": _NO_TABLE, 1146: _NO_TABLE,
    "42703": _NO_COLUMN, 1054: _NO_COLUMN,
    "42501": _NO_RIGHT, 1142: _NO_RIGHT, 1143: _NO_RIGHT,
    "55P03": _LOCKED, 1205: _LOCKED,
    "57014": _SLOW, 1969: _SLOW, 3024: _SLOW,
    "28P01": _NOT_LET_IN, "28000": _NOT_LET_IN, 1044: _NOT_LET_IN, 1045: _NOT_LET_IN, 1698: _NOT_LET_IN,
    "3D000": _NO_DATABASE, 1049: _NO_DATABASE,
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
    """The reason for an error of SQLAlchemy.

    Args:
        error: As SQLAlchemy raises it, with the driver's own inside.
        table: What was read; empty while connecting.
        seconds: The limit of time.
    """
    cause = _cause(error)
    text = " ".join(str(cause.args[-1] if cause.args else cause).split())
    reason = _REASONS.get(_code(cause))
    if reason is None and not table:
        reason = next((meant for words, meant in _WORDS.items() if words in text), None)
    if reason is not None:
        return reason.format(table=table, seconds=seconds)
    what = "the database gives no connection" if not table else f"{table} could not be read"
    return f"{what}: {text[:200].rstrip('.')}"


def says_absent(error: Exception) -> bool:
    """Whether it says that there is no such table."""
    return _REASONS.get(_code(_cause(error))) == _NO_TABLE


def _cause(error: Exception) -> Exception:
    cause = getattr(error, "orig", None)
    return cause if isinstance(cause, Exception) else error


def _code(cause: Exception) -> object:
    """The error number of MariaDB and MySQL, which says more than the SQLSTATE that pymysql gives too."""
    number = cause.args[0] if cause.args else None
    return number if isinstance(number, int) else getattr(cause, "sqlstate", None)
