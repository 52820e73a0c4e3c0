"""What a PostgreSQL server refuses, in the words of the store's errors, each with what helps; never with a password."""

from __future__ import annotations

from typing import TYPE_CHECKING

from telemetry_core.config import Url
from telemetry_core.errors import StoreDamaged, StoreError, StoreUnavailable

if TYPE_CHECKING:
    import psycopg

_NO_CONNECTION = "Check that the server runs, and host, user, password and database in `telemetry config show`."
_DAMAGE = frozenset({"42P01", "42703", "XX001", "XX002"})  # no such table, no such column, broken pages
_REMEDIES = {
    "25006": "Name the server that takes changes: all hosts, and ?target_session_attrs=read-write, in the URL.",
    "53100": "Make room on the server.",
    "53300": "Let the server or the pooler take more connections.",
    "55P03": "Another node was changing the store for long; try again.",
    "57014": "The server is slow, or another node was changing the store for long; try again.",
}


def explain(error: psycopg.Error, url: Url, schema: str = "telemetry") -> StoreError:
    """The error that the server's, or the driver's, is for us; `schema` is the store's."""
    state = error.sqlstate or ""
    text = error.diag.message_primary or _first_line(str(error))
    if state in _DAMAGE:
        return StoreDamaged(
            f"The store {url} is damaged: {text}.", hint="Keep it as it is, and restore it from a backup of the server."
        )
    return StoreUnavailable(f"The store {url} cannot be used: {text}.", hint=_remedy(state, url, schema))


def _remedy(state: str, url: Url, schema: str) -> str:
    if state == "42501":
        owner = "USER" if url.username is None else '"' + url.username.replace('"', '""') + '"'
        return f"Let the server's administrator run in that database: CREATE SCHEMA {schema} AUTHORIZATION {owner};"
    if state[:2] in ("", "08", "28", "3D", "57") and state not in _REMEDIES:
        return _NO_CONNECTION
    return _REMEDIES.get(state, "Try again; if it stays so, ask the server's administrator.")


def _first_line(text: str) -> str:
    """What libpq says of the first host that it tried."""
    return " ".join(text.partition("\n")[0].removeprefix("connection failed: ").split()).rstrip(".")
