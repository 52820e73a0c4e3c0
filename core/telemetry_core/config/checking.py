"""Checking what a configuration names: files with secrets and certificates, before they are needed at night."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TypeAlias

from telemetry_core import files
from telemetry_core.config.log_values import LogTarget
from telemetry_core.config.settings import Config, Engine, Log, Reporter, Serve
from telemetry_core.errors import ConfigurationError, TelemetryError

_SECRETS = ("token_file", "password_file", "database_password_file", "store_password_file")
_PLAIN = ("java_home", "home")


_Table: TypeAlias = Config | Reporter | Serve | Engine


def check_files(config: Config) -> list[TelemetryError]:
    """What is wrong with the files that a configuration names; empty where all can be used."""
    found: list[TelemetryError] = []
    tables: tuple[_Table, ...] = (config, config.reporter, config.serve, *config.engines)
    for table in tables:
        found += [error for name in (*_SECRETS, *_PLAIN) for error in _check(table, name)]
        found += [] if isinstance(table, Config) else _check_tls(table)
    return found + _check_log(config.log)


def _check_log(log: Log) -> list[TelemetryError]:
    """Whether the log can be written; the file itself is not made."""
    path = None if log.to is None else log.to.path
    if path is None:
        return []
    place = path if path.exists() else path.parent
    if os.access(place, os.W_OK) and (log.to == LogTarget("file", path) or path.exists()):
        return []
    hint = "Name a place that is there and that this user may write to, or unset log.to."
    return [ConfigurationError(f"log.to: {path} cannot be written.", hint=hint)]


def _check_tls(table: Reporter | Serve | Engine) -> list[TelemetryError]:
    named = (table.tls_cert,) if isinstance(table, Serve) else (table.ca_file, table.client_cert, table.client_key)
    if not any(named):
        return []
    from telemetry_core.http import Security, tls  # `ssl` takes its time

    name = _prefix(table).removesuffix(".")
    try:
        if not isinstance(table, Serve):
            tls.context(Security(table.ca_file, table.client_cert, table.client_key, name))
        elif table.tls_cert is not None:
            tls.server_context(table.tls_cert, table.tls_key, table=name)
    except TelemetryError as error:
        return [error]
    return []


def _prefix(table: _Table) -> str:
    """How the keys of a table begin."""
    if isinstance(table, Engine):
        return f"engines.{table.entry}."
    return {Config: "", Reporter: "reporter.", Serve: "serve."}[type(table)]


def _check(table: _Table, name: str) -> list[TelemetryError]:
    path: Path | None = getattr(table, name, None)
    if path is None:
        return []
    try:
        if name in _SECRETS:
            files.read_secret(path)
        else:
            path.stat()
    except TelemetryError as error:
        return [error]
    except OSError as error:
        return [
            ConfigurationError(
                f"{_prefix(table)}{name.replace('_', '-')}: {path} cannot be used: {error.strerror}.",
                hint="Check the path and that this user may read it.",
            )
        ]
    return []
