"""Reading files and archives that others wrote: never more than a limit of bytes, every failure a reason."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

LIMIT = 256 * 1024
"""Bytes of one file or entry; version files are much smaller."""

ENTRIES = 100_000
"""Entries of one archive, one with more is not looked into; the engine of CIB seven has more than 20,000."""

NAMES = 5_000
"""Names of one directory."""


class Unread(Exception):
    """Not of the tree, whoever looks makes a missing value of it: the text says why something could not be read."""


def text(path: Path) -> str:
    """The content of a small file; bytes that are no UTF-8 are replaced.

    Raises:
        Unread: It is not there, unreadable or too large.
    """
    try:
        _refuse_pipes(path)
        with path.open("rb") as stream:
            content = stream.read(LIMIT + 1)
    except OSError as error:
        raise Unread(f"{path} cannot be read: {error.strerror}") from error
    if len(content) > LIMIT:
        raise Unread(f"{path} is larger than a version file")
    return content.decode("utf-8", "replace")


def _refuse_pipes(path: Path) -> None:
    """What is there and no file would hold up whoever opens it."""
    if path.exists() and not path.is_file():
        raise Unread(f"{path} is no file")


def names(directory: Path) -> list[str]:
    """The sorted names in a directory; none where it is not there.

    Raises:
        Unread: It cannot be listed, or has too many.
    """
    found = []
    try:
        for path in directory.iterdir():
            found.append(path.name)
            if len(found) > NAMES:
                raise Unread(f"{directory} has more than {NAMES} entries")
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise Unread(f"{directory} cannot be listed: {error.strerror}") from error
    return sorted(found)


@contextmanager
def archive(source: Path | IO[bytes], name: str) -> Iterator[zipfile.ZipFile]:
    """An open jar or war.

    Raises:
        Unread: It is not there, unreadable, no archive, or broken while it is read.
    """
    try:
        if isinstance(source, Path):
            _refuse_pipes(source)
        with zipfile.ZipFile(source) as opened:
            if len(opened.infolist()) > ENTRIES:
                raise Unread(f"{name} has more than {ENTRIES} entries")
            yield opened
    except OSError as error:
        raise Unread(f"{name} cannot be read: {error.strerror or error}") from error
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
        raise Unread(f"{name} is no archive that can be read") from error


def entry(opened: zipfile.ZipFile, name: str) -> str | None:
    """The text of a small entry, None where there is none; a bomb is read up to the limit only.

    Raises:
        Unread: It is too large.
    """
    try:
        with opened.open(name) as stream:
            content = stream.read(LIMIT + 1)
    except KeyError:
        return None
    if len(content) > LIMIT:
        raise Unread(f"{name} in {opened.filename} is larger than a version file")
    return content.decode("utf-8", "replace")


def property_of(content: str, key: str) -> str | None:
    """The value of a key in a file of properties, of a manifest, or of a JDK's `release`; None where there is none."""
    for line in content.splitlines():
        name, separator, value = line.partition("=")
        if not separator or ":" in name:
            name, separator, value = line.partition(":")
        if separator and name.strip() == key:
            return value.strip().strip('"') or None
    return None
