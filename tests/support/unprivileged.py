"""A while as a user who may not read everything: tests often run as root, who may."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

NOBODY = 65_534


@contextmanager
def unprivileged() -> Iterator[None]:
    """Everything inside is done as nobody, where the process is root's; else as whoever it is."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@contextmanager
def visible_directory() -> Iterator[Path]:
    """A new directory that everybody may enter and read; those of pytest are their owner's alone."""
    directory = Path(tempfile.mkdtemp(prefix="telemetry-test-"))
    directory.chmod(0o755)
    try:
        yield directory
    finally:
        shutil.rmtree(directory)
