"""Checking what a configuration names: files with secrets and certificates, before they are needed at night."""

from __future__ import annotations

from pathlib import Path

from telemetry_core import files
from telemetry_core.config.settings import Config, Engine, Reporter
from telemetry_core.errors import ConfigurationError, TelemetryError

_SECRETS = ("token_file", "password_file", "database_password_file", "store_password_file")
_PLAIN = ("ca_file", "client_cert", "java_home", "home")
_KEYS = ("client_key",)


def check_files(config: Config) -> list[TelemetryError]:
    """What is wrong with the files that a configuration names; empty where all can be used."""
    found: list[TelemetryError] = []
    tables: tuple[Config | Reporter | Engine, ...] = (config, config.reporter, *config.engines)
    for table in tables:
        found += [error for name in (*_SECRETS, *_KEYS, *_PLAIN) for error in _check(table, name)]
    return found


def _check(table: Config | Reporter | Engine, name: str) -> list[TelemetryError]:
    path: Path | None = getattr(table, name, None)
    if path is None:
        return []
    try:
        if name in _SECRETS:
            files.read_secret(path)
        elif name in _KEYS:
            files.refuse_if_others_can_read(path)
        else:
            path.stat()
    except TelemetryError as error:
        return [error]
    except OSError as error:
        where = f"engines.{table.entry}." if isinstance(table, Engine) else "reporter."
        return [
            ConfigurationError(
                f"{where}{name.replace('_', '-')}: {path} cannot be used: {error.strerror}.",
                hint="Check the path and that this user may read it.",
            )
        ]
    return []
