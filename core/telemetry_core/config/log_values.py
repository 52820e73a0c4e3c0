"""The types of the table `[log]`: where the log goes, and how large a file of it gets."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path

from telemetry_core.config.values import TEXT, Type, Unfit, choice

STDERR, SYSLOG, JOURNALD = "stderr", "syslog", "journald"

_SOCKETS = {SYSLOG: Path("/dev/log"), JOURNALD: Path("/run/systemd/journal/socket")}
_UNITS = {"G": 1024**3, "M": 1024**2, "k": 1024, "": 1}
_SIZE = re.compile(r"(\d{1,12})([kMG]?)")


@dataclass(frozen=True, slots=True)
class LogTarget:
    """Where the log goes: `kind` is `stderr`, `syslog`, `journald` or `file`; `path` the file, or the socket."""

    kind: str
    path: Path | None = None

    def __str__(self) -> str:
        if self.kind == "file":
            return str(self.path)
        return self.kind if self.path == _SOCKETS.get(self.kind) else f"{self.kind}:{self.path}"


class Size(int):
    """A number of bytes, shown as `10M`."""

    __slots__ = ()

    def __str__(self) -> str:
        unit = next(unit for unit, bytes_ in _UNITS.items() if self % bytes_ == 0)
        return f"{self // _UNITS[unit]}{unit}"


def _level(value: object, base: Path) -> object:
    return _LEVELS.read(value.lower() if isinstance(value, str) else value, base)


def _target(value: object, base: Path) -> LogTarget:
    text = str(TEXT.read(value, base))
    word, colon, path = text.partition(":")
    if text == STDERR:
        return LogTarget(STDERR)
    if word in _SOCKETS and bool(colon) == bool(path):
        return LogTarget(word, base / path if colon else _SOCKETS[word])
    if not set(text) & {"/", "\\"}:
        raise Unfit("a file is named with its directory, such as ./telemetry.log")
    return LogTarget("file", base / text)


def _size(value: object, _base: Path) -> Size:
    match = _SIZE.fullmatch(value) if isinstance(value, str) else None
    size = 0 if match is None else int(match[1]) * _UNITS[match[2]]
    if size == 0:
        raise Unfit("")
    return Size(size)


_LEVELS = choice("debug", "info", "warning")
LEVEL = replace(_LEVELS, read=_level)  # in capitals too, as logging has them everywhere
TARGET = Type('"stderr", "syslog", "journald" or a file such as "/var/log/telemetry.log"', _target,
              {"type": "string", "minLength": 1})  # fmt: skip
SIZE = Type('a size such as "10M" or "500k"', _size, {"type": "string", "pattern": "^\\d{1,12}[kMG]?$"})
