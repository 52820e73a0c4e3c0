"""Jars by their names: which engine a directory or an archive holds, and what else of the family."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from telemetry_core.hostfiles import reading

_JAR = re.compile(r"([a-z][a-z0-9.-]*?)-(\d[A-Za-z0-9._-]{0,60})\.jar")
_ENGINE = re.compile(r"(?:camunda|operaton|cibseven)-engine")
_NESTED_LIMIT = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Library:
    """A jar: `artifact` such as `camunda-engine`, and its version."""

    artifact: str
    version: str

    @property
    def is_engine(self) -> bool:
        """Whether it is the engine itself."""
        return _ENGINE.fullmatch(self.artifact) is not None


def in_directory(directory: Path) -> Iterator[Library]:
    """The jars of a directory; an engine's version is what it says inside (facts §8.7).

    Raises:
        Unread: The directory, or an engine in it, cannot be read.
    """
    for name in reading.names(directory):
        library = _named(name)
        if library is not None and library.is_engine:
            with reading.archive(directory / name, str(directory / name)) as opened:
                library = _inside(opened, library)
        if library is not None:
            yield library


def in_archive(opened: zipfile.ZipFile, folder: str) -> Iterator[Library]:
    """The jars in a folder of an archive, such as `BOOT-INF/lib/` or `WEB-INF/lib/`.

    Raises:
        Unread: An engine in it cannot be read.
    """
    for item in opened.infolist():
        head, _, name = item.filename.rpartition("/")
        library = _named(name) if f"{head}/" == folder else None
        if library is not None and library.is_engine and item.file_size <= _NESTED_LIMIT:
            with opened.open(item) as stream, reading.archive(stream, name) as nested:
                library = _inside(nested, library)
        if library is not None:
            yield library


def version_of(libraries: Iterable[Library], artifact: str) -> str | None:
    """The version of the one library of that name; None where there is none."""
    return next((library.version for library in libraries if library.artifact == artifact), None)


def _named(name: str) -> Library | None:
    match = _JAR.fullmatch(name)
    return None if match is None else Library(match[1], match[2])


def _inside(opened: zipfile.ZipFile, library: Library) -> Library:
    """From 7.15 on a file of properties says the version, then the manifest, then the jar's name (facts §8.7)."""
    family = library.artifact.partition("-")[0]
    properties = reading.entry(opened, f"org/{family}/bpm/engine/product-info.properties") or ""
    said = (reading.property_of(properties, f"{name}.version") for name in ("camunda", "operaton"))
    manifest = reading.entry(opened, "META-INF/MANIFEST.MF") or ""
    found = next(filter(None, said), None) or reading.property_of(manifest, "Implementation-Version")
    return Library(library.artifact, (found or library.version)[:100])
