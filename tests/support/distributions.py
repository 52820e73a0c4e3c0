"""Distributions of real servers from Maven Central, fetched once and unpacked for each test."""

from __future__ import annotations

import subprocess
import zipfile
from pathlib import Path

_KEPT = Path(__file__).parent.parent / "engines" / "build" / "distributions"

#: Group, artifact and version of each.
ALL = (
    "org.apache.tomcat:tomcat:9.0.98",
    "org.apache.tomcat:tomcat:10.1.34",
    "org.wildfly:wildfly-dist:26.1.3.Final",
)


def unpacked(artifact: str, directory: Path) -> Path:
    """The home of a fresh server of that artifact."""
    _, name, version = artifact.split(":")
    kept = _KEPT / f"{name}-{version}.zip"
    if not kept.is_file():
        copy = f"-Dartifact={artifact}:zip", f"-DoutputDirectory={_KEPT}"
        subprocess.run(["mvn", "-q", "-B", "dependency:copy", *copy], check=True, stdin=subprocess.DEVNULL, timeout=900)
    with zipfile.ZipFile(kept) as opened:
        opened.extractall(directory)
    return next(path for path in directory.iterdir() if path.is_dir())
