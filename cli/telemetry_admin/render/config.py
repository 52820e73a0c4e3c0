"""The configuration as a table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from telemetry_admin.render.console import pairs, safe
from telemetry_core.config import LogTarget, Rate, Size, Url, Value
from telemetry_core.config.loading import setting_of
from telemetry_core.config.values import DURATION, duration_text
from telemetry_core.model import Endpoint

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console


def plain(setting: Value) -> object:
    """A value as JSON, and as it would be written; credentials of an address are left out."""
    return _plain(setting.value, is_duration=_is_duration(setting.key))


def show(console: Console, settings: Sequence[Value], store: str) -> None:
    """Print every setting."""
    rows = [(one.key, f"{words(one)}  [{one.origin}]") for one in settings]
    pairs(console, [*rows, ("(store in use)", store)], indent=0)


def words(setting: Value) -> str:
    """A value as a text, as `config set` takes it."""
    return _words(plain(setting))


def show_files(console: Console, read: Sequence[Path], written: Path, schema: Path) -> None:
    """Print which files are read, and which one is written."""
    for path in read:
        console.print(f"{safe(path)}{'' if path.exists() else ' (not there)'}")
    console.print(f"`telemetry config set` writes {safe(written)}.")
    console.print(f"Schema for editors: {safe(schema)}")


def _is_duration(key: str) -> bool:
    setting = setting_of(key)
    return setting is not None and setting.type is DURATION


def _plain(value: object, *, is_duration: bool) -> object:
    if isinstance(value, int) and is_duration:
        return duration_text(value)
    if isinstance(value, Endpoint):
        return value.url
    if isinstance(value, (Url, Path, LogTarget, Rate, Size)):
        return str(value)
    if isinstance(value, tuple):
        return [_plain(item, is_duration=False) for item in value]
    return value


def _words(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return ",".join(_words(item) for item in value) or "none"
    return safe(value)
