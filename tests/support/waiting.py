"""Waiting for what other processes and threads do, without knowing how long it takes them."""

from __future__ import annotations

import time
from collections.abc import Callable


def until(condition: Callable[[], object], what: str, *, seconds: float = 60) -> None:
    """Wait until something is so; after far too long a time it is an error."""
    limit = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < limit, f"{what}: not within {seconds:.0f} s"
        time.sleep(0.02)
