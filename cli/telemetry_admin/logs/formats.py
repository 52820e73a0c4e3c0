"""A record of the log as a line of text, and as a line of JSON."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any


class TextLines(logging.Formatter):
    """A line a record; what continues it is indented, so that no text from outside looks like a record of its own."""

    def __init__(self, *, dated: bool) -> None:
        """Without a date for syslog, which has one."""
        super().__init__()
        self._dated = dated

    def format(self, record: logging.LogRecord) -> str:
        """The text of a record."""
        text = "\n    ".join(_printable(line) for line in record.getMessage().split("\n"))
        parts = [f"{_time(record)} {record.levelname}"] if self._dated else [record.levelname]
        parts.append(record.name)
        engines = context(record).get("engines")
        if engines:
            parts.append(f"[{','.join(engines)}]")
        return " ".join((*parts, text))


class JsonLines(logging.Formatter):
    """An object a line, in ASCII, so that no program takes a character in a text for the end of the line."""

    def format(self, record: logging.LogRecord) -> str:
        """The object of a record."""
        known = {"time": _time(record), "level": record.levelname, "logger": record.name, "code": code(record)}
        return json.dumps({**known, "message": record.getMessage(), **context(record)})


def code(record: logging.LogRecord) -> str:
    """The engine's code of a record, such as `ENGINE-28002`."""
    return str(getattr(record, "code", ""))


def context(record: logging.LogRecord) -> Mapping[str, Any]:
    """What a record is about: engines, report, endpoint, outcome."""
    about: Mapping[str, Any] = getattr(record, "context", {})
    return about


def _time(record: logging.LogRecord) -> str:
    moment = datetime.fromtimestamp(record.created, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"


def _printable(line: str) -> str:
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode("ascii") for one in line)
