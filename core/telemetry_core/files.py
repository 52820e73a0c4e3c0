"""Files that others read or write at the same time: bounded reading, secrets for their owner alone."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path

from telemetry_core.errors import ConfigurationError, SecretExposed
from telemetry_core.secret import Secret

SECRET_LIMIT = 64 * 1024
"""Bytes; no password, token or key is larger."""


def read_limited(path: Path, limit: int) -> bytes:
    """The content of a file that is at most `limit` bytes long.

    Raises:
        OSError: The file cannot be read.
        ConfigurationError: It is larger.
    """
    with path.open("rb") as stream:
        content = stream.read(limit + 1)
    if len(content) > limit:
        raise ConfigurationError(
            f"{path} is larger than {limit} bytes.", hint="Check that the path names the file that was meant."
        )
    return content


def write_whole(path: Path, text: str) -> None:
    """Put a new file (mode 0644) in place of an old one: no reader ever sees half of it, also after a power cut.

    Raises:
        OSError: It cannot be written; what was there before is as it was.
    """
    temporary = path.with_name(f".{path.name}.new")
    try:
        with temporary.open("w", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.chmod(0o644)
        temporary.replace(path)
    except OSError:
        with suppress(OSError):
            temporary.unlink()
        raise
    sync(path.parent)


def sync(path: Path) -> None:
    """Have a file, or what a directory lists, on the disk before anything else is done.

    Raises:
        OSError: That cannot be.
    """
    opened = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def read_secret(path: Path) -> Secret:
    """The first line of a file that nobody but its owner may read.

    Raises:
        SecretExposed: Others can read it; the hint has the command that ends that.
        ConfigurationError: It cannot be read, is empty or is no text.
    """
    try:
        refuse_if_others_can_read(path)
        text = read_limited(path, SECRET_LIMIT).decode("utf-8").partition("\n")[0].strip()
    except OSError as error:
        raise ConfigurationError(
            f"{path} cannot be read: {error.strerror}.", hint="Check the path and that this user may read it."
        ) from error
    except UnicodeDecodeError:
        raise ConfigurationError(f"{path} is not UTF-8 text.", hint="Write the secret alone into it.") from None
    if not text:
        raise ConfigurationError(f"{path} is empty.", hint="Write the secret on its first line.")
    return Secret(text)


def refuse_if_others_can_read(path: Path) -> None:
    """Make sure that only the owner (and root) can read a file.

    Raises:
        SecretExposed: Group or others can read it.
        OSError: The file cannot be looked at.
    """
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        raise SecretExposed(
            f"{path} holds a secret and others can use it (mode {mode:04o}).", hint=f"Run: chmod 600 {path}"
        )
