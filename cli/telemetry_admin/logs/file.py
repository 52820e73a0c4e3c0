"""A file of the log that several processes write to: it is put aside by its size, or by logrotate."""

from __future__ import annotations

import os
from contextlib import suppress
from io import TextIOWrapper
from logging import LogRecord
from logging.handlers import WatchedFileHandler
from pathlib import Path

_MODE = 0o640
"""Below warning it holds reports."""


class RotatedFile(WatchedFileHandler):
    """Appends to a file, opened anew whenever another one is in its place.

    The standard library's rotating handler is for one process alone: a second one would go on writing into what was
    put aside, and put the new file aside by the old one's size. Here whoever finds the file too large puts it aside
    under a lock, after looking again, and all others notice before their next record.
    """

    def __init__(self, path: Path, *, size: int, count: int) -> None:
        """`count` files are kept that were put aside; with 0 none is."""
        self._size = size
        self._count = count
        super().__init__(path, encoding="utf-8", errors="backslashreplace")

    def emit(self, record: LogRecord) -> None:
        """Write a record; where nothing can be put aside, into the file as it is."""
        with suppress(OSError):
            if self._count and self._is_large():
                self._put_aside()
        super().emit(record)

    def _open(self) -> TextIOWrapper:
        opened = os.open(self.baseFilename, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, _MODE)
        return os.fdopen(opened, "a", encoding=self.encoding, errors=self.errors)

    def _is_large(self) -> bool:
        return Path(self.baseFilename).stat().st_size >= self._size

    def _put_aside(self) -> None:
        from filelock import FileLock

        with FileLock(f"{self.baseFilename}.lock", timeout=1, mode=0o600):
            if not self._is_large():
                return
            names = [self.baseFilename, *(f"{self.baseFilename}.{number + 1}" for number in range(self._count))]
            for older, newer in reversed(list(zip(names[1:], names, strict=False))):
                with suppress(FileNotFoundError):
                    Path(newer).replace(older)
