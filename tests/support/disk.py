"""What lies on the disk while somebody may still write there."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

_ATTEMPTS = 20


def contents(*directories: Path) -> dict[Path, bytes]:
    """Every file below the directories, with its bytes.

    A server may remove or rename one meanwhile, as PostgreSQL does with its caches and its log. Then all are read
    anew, since one that has another name by now may be missing from the list.
    """
    for _ in range(_ATTEMPTS):
        with suppress(FileNotFoundError):
            files = [path for directory in directories for path in directory.rglob("*") if path.is_file()]
            return {path: path.read_bytes() for path in files}
    raise AssertionError(f"files come and go without an end: {directories}")
