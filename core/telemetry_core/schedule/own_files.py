"""Files of a schedule: written where they differ, removed where they are ours; what others wrote is never touched."""

from __future__ import annotations

import errno
from pathlib import Path

from telemetry_core import files
from telemetry_core.errors import NotSchedulable
from telemetry_core.schedule.job import Kind, Part, written_by

_LIMIT = 1024 * 1024


def is_ours(path: Path, kind: Kind) -> bool:
    """Whether a file is there that `schedule install` wrote for this kind.

    Raises:
        NotSchedulable: It cannot be read.
    """
    return _content(path).startswith(written_by(kind).encode())


def write(path: Path, part: Part, kind: Kind) -> bool:
    """Write a text to its file; whether that was necessary.

    Raises:
        NotSchedulable: The file is somebody else's, or this user may not write it.
    """
    before = _content(path)
    if before == part.text.encode():
        return False
    if before and not before.startswith(written_by(kind).encode()):
        raise NotSchedulable(
            f"{path} is there and was not written by `telemetry schedule install`.",
            hint="Look what it does, move it away, then run this again.",
        )
    try:
        path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        files.write_whole(path, part.text)
    except OSError as error:
        raise _unwritable(path, error) from error
    return True


def remove(path: Path, kind: Kind) -> bool:
    """Remove a file of ours, and a directory of drop-ins that is empty then; whether there was one.

    Raises:
        NotSchedulable: This user may not.
    """
    if not is_ours(path, kind):
        return False
    try:
        path.unlink()
        if path.parent.suffix == ".d" and path.parent.name != "cron.d" and not any(path.parent.iterdir()):
            path.parent.rmdir()
    except OSError as error:
        raise _unwritable(path, error) from error
    return True


def _content(path: Path) -> bytes:
    try:
        return files.read_limited(path, _LIMIT)
    except (FileNotFoundError, NotADirectoryError):
        return b""
    except OSError as error:
        raise NotSchedulable(
            f"{path} cannot be read: {error.strerror or error}.", hint="Run as root: sudo telemetry schedule ..."
        ) from error


def _unwritable(path: Path, error: OSError) -> NotSchedulable:
    if error.errno == errno.EROFS:
        hint = "Make it writable for a while, or give the image that this system comes from the schedule: --image DIR."
    elif error.errno in (errno.EACCES, errno.EPERM):
        hint = "Run as root: sudo telemetry schedule ..."
    else:
        hint = "Check this path; `telemetry schedule show` prints what belongs there."
    return NotSchedulable(f"{path} cannot be changed: {error.strerror or error}.", hint=hint)
