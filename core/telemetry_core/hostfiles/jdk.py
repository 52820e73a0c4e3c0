"""The JDK of a directory, by its file `release` (facts §6.4)."""

from __future__ import annotations

from pathlib import Path

from telemetry_core.hostfiles import reading
from telemetry_core.model import Software


def read_release(home: Path) -> Software:
    """Vendor and version of a JDK; builds of Java 8 do not name their vendor.

    The vendor is `IMPLEMENTOR`, which tells Azul's Zulu from Oracle's JDK; the engine cannot (user guide, Meta Data).

    Args:
        home: `JAVA_HOME`; where it is the `jre` within a JDK, the JDK's file counts.

    Raises:
        Unread: There is no such file, or it says no version.
    """
    file = home / "release"
    if not file.is_file() and home.name == "jre":
        file = home.parent / "release"
    content = reading.text(file)
    version = reading.property_of(content, "JAVA_VERSION")
    if version is None:
        raise reading.Unread(f"{file} says no JAVA_VERSION")
    return Software(reading.property_of(content, "IMPLEMENTOR"), version)
