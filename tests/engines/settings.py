"""The configuration an engine is started with, from what a test asks for."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import unquote, urlsplit

from .maven import EngineError
from .releases import Release

Database = Path | str
"""``"memory"``, the file of an H2 database, or a URL: JDBC's, or ``postgresql://user:password@host:port/name``."""

DISCARD = "http://127.0.0.1:9/pings"
"""Where engines report that report by themselves, unless a test says otherwise: nothing listens there."""


def settings(
    release: Release,
    *,
    database: Database,
    authorization: bool,
    properties: Mapping[str, object],
) -> dict[str, object]:
    """The Spring Boot configuration, without the port.

    A property name without a dot is one of the engine's own (``telemetry-reporting-period``); any other is passed on
    as it is (``camunda.bpm.history-level``). Raises EngineError for a telemetry endpoint that is not on loopback.
    """
    prefix = f"{release.product}.bpm"
    chosen: dict[str, object] = {"engine.stop-with-input": True, **datasource(database)}
    if authorization:
        chosen[f"{prefix}.authorization.enabled"] = True
        chosen["engine.rest-authentication"] = True
    if release.reports:
        chosen[_engine_property(prefix, "telemetry-endpoint")] = DISCARD
    for name, value in properties.items():
        key = name if "." in name else _engine_property(prefix, name)
        if _is_endpoint(key):
            _require_loopback(str(value))
            key = _engine_property(prefix, "telemetry-endpoint")
        chosen[key] = value
    return chosen


def datasource(database: Database) -> dict[str, object]:
    """Spring's settings of the database."""
    if database == "memory":
        # Without the two options the database is gone before the engine reports at its shutdown.
        return _h2("mem:engine;DB_CLOSE_DELAY=-1;DB_CLOSE_ON_EXIT=FALSE")
    if isinstance(database, Path):
        # H2 writes half a second late by default, and what was committed just before a kill would be lost.
        return _h2(f"file:{str(database.absolute()).removesuffix('.mv.db')};DB_CLOSE_ON_EXIT=FALSE;WRITE_DELAY=0")
    if database.startswith("jdbc:"):
        return {"spring.datasource.url": database}
    return _from_url(database)


def _h2(rest: str) -> dict[str, object]:
    return {"spring.datasource.url": f"jdbc:h2:{rest}", "spring.datasource.username": "sa"}


def _from_url(url: str) -> dict[str, object]:
    parts = urlsplit(url)
    kind = {"postgresql": "postgresql", "postgres": "postgresql", "mariadb": "mariadb", "mysql": "mariadb"}.get(
        parts.scheme.partition("+")[0]
    )
    if kind is None:
        raise EngineError(f"no database driver for {parts.scheme or 'a URL without a scheme'}")
    place = parts.netloc.rpartition("@")[2]
    query = [parts.query] if parts.query else []
    if kind == "mariadb":
        # Otherwise an engine takes the tables of another database on the same server for its own.
        query.append("nullCatalogMeansCurrent=true")
    url = f"jdbc:{kind}://{place}{parts.path}?{'&'.join(query)}".removesuffix("?")
    chosen: dict[str, object] = {"spring.datasource.url": url}
    if parts.username is not None:
        chosen["spring.datasource.username"] = unquote(parts.username)
    if parts.password is not None:
        chosen["spring.datasource.password"] = unquote(parts.password)
    return chosen


def _engine_property(prefix: str, name: str) -> str:
    return f"{prefix}.generic-properties.properties.{name}"


def _is_endpoint(key: str) -> bool:
    """True for every spelling that Spring takes for the endpoint, so that none gets past the check."""
    return "".join(letter for letter in key.lower() if letter.isalnum()).endswith("telemetryendpoint")


def _require_loopback(url: str) -> None:
    host = urlsplit(url).hostname or ""
    try:
        loopback = host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        loopback = False
    if not loopback:
        raise EngineError(f"an engine of a test reports to loopback only, not to {url!r}")
