"""The stage of most tests of reporting, on every kind of store."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from telemetry_core.store import Place
from tests.support.stage import Stage


@pytest.fixture
def stage(tmp_path: Path, place: Place) -> Iterator[Stage]:
    """An engine, a receiver, and a desk whose store is made at its first use."""
    made = Stage(tmp_path)
    made.desk.place = place
    with made.engine, made.receiver:
        yield made
