"""The targets of the log: standard error, a file, syslog or journald, open while they are needed."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from telemetry_admin.logs.formats import JsonLines, TextLines
from telemetry_core.config.log_values import JOURNALD, STDERR, SYSLOG, LogTarget
from telemetry_core.errors import ConfigurationError
from telemetry_core.log import NAME

if TYPE_CHECKING:
    from telemetry_core.config import Log

_IDENTITY = "telemetry"


@contextmanager
def opened(settings: Log) -> Iterator[None]:
    """Have the log go where the settings say: without a target nowhere, or below warning to standard error.

    A target that fails later is left alone: the log is never what keeps a report from being sent.

    Raises:
        ConfigurationError: It cannot be opened.
    """
    if settings.to is None and settings.level == "warning":
        yield
        return
    target = settings.to or LogTarget(STDERR)
    try:
        handler = _handler(target, settings)
    except OSError as error:
        raise ConfigurationError(
            f"log.to: {target.path} cannot be used: {error.strerror}.",
            hint="Name a place that is there and that this user may write to, or unset log.to.",
        ) from error
    logging.raiseExceptions = False
    logger = logging.getLogger(NAME)
    logger.setLevel(settings.level.upper())
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        with suppress(OSError):  # what could not be written before cannot be now
            handler.close()


def _handler(target: LogTarget, settings: Log) -> logging.Handler:
    if target.path is None:
        handler: logging.Handler = logging.StreamHandler(sys.stderr)
    elif target.kind == JOURNALD:
        return _journal(target.path)
    elif target.kind == SYSLOG:
        handler = _syslog(target.path)
    else:
        from telemetry_admin.logs.file import RotatedFile

        handler = RotatedFile(target.path, size=settings.rotate_size, count=settings.rotate_count)
    handler.setFormatter(JsonLines() if settings.format == "json" else TextLines(dated=target.kind != SYSLOG))
    return handler


def _syslog(path: Path) -> logging.Handler:
    from logging.handlers import SysLogHandler

    path.stat()  # the handler itself is silent where there is none
    handler = SysLogHandler(str(path), SysLogHandler.LOG_DAEMON)
    handler.ident = f"{_IDENTITY}[{os.getpid()}]: "
    return handler


def _journal(path: Path) -> logging.Handler:
    path.stat()
    try:
        from telemetry_admin.logs.journal import Journal
    except ModuleNotFoundError:
        raise ConfigurationError(
            "log.to: what speaks to journald is not installed.", hint="pip install 'telemetry-admin[journald]'"
        ) from None
    return Journal(path, _IDENTITY)
