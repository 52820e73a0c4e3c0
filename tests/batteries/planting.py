"""A bug that is planted in a copy of the code, to see that it is found."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent


@dataclass(frozen=True)
class Bug:
    """One line of the code, and what it becomes."""

    file: str
    line: str
    becomes: str


def plant(bug: Bug, directory: Path) -> None:
    """Copy the code into a directory, for PYTHONPATH, with the bug in it."""
    for source in ("core/telemetry_core", "core/telemetry_collector", "cli/telemetry_admin"):
        shutil.copytree(ROOT / source, directory / Path(source).name)
    file = directory / bug.file
    code = file.read_text(encoding="utf-8")
    assert code.count(bug.line) == 1
    file.write_text(code.replace(bug.line, bug.becomes), encoding="utf-8")
