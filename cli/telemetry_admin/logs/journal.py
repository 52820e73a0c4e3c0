"""Records of the log to journald, each with fields that `journalctl` can look for."""

from __future__ import annotations

import logging
from pathlib import Path

from logging_journald import JournaldTransport  # type: ignore[import-untyped]  # it has annotations but no py.typed

from telemetry_admin.logs.formats import code, context

_PRIORITIES = {logging.DEBUG: 7, logging.INFO: 6, logging.WARNING: 4}


class Journal(logging.Handler):
    """Sends each record as one datagram, or by a file descriptor where it is too large for one."""

    def __init__(self, socket: Path, identity: str) -> None:
        """Nothing is connected: journald may be started anew at any time."""
        super().__init__()
        self._transport = JournaldTransport(socket, connected=False)
        self._identity = identity

    def emit(self, record: logging.LogRecord) -> None:
        """Send a record."""
        fields = {
            "MESSAGE": record.getMessage(),
            "PRIORITY": _PRIORITIES.get(record.levelno, 4),
            "SYSLOG_IDENTIFIER": self._identity,
            "LOGGER": record.name,
            "TELEMETRY_CODE": code(record),
            **{f"TELEMETRY_{name.upper()}": _word(value) for name, value in context(record).items()},
        }
        try:
            self._transport.send((name, str(value).encode(errors="backslashreplace")) for name, value in fields.items())
        except OSError:
            self.handleError(record)

    def close(self) -> None:
        """Close the socket."""
        self._transport.socket.close()
        super().close()


def _word(value: object) -> object:
    return ",".join(value) if isinstance(value, tuple) else value
