"""The threads in which requests run, seen from outside: they must not outlive their time."""

from __future__ import annotations

import threading
import time


def helper_threads() -> list[threading.Thread]:
    """Those that run now."""
    return [thread for thread in threading.enumerate() if thread.name == "telemetry-http"]


def all_end_within(seconds: float) -> bool:
    """Whether none is left after a while."""
    ends_at = time.monotonic() + seconds
    while helper_threads() and time.monotonic() < ends_at:
        time.sleep(0.01)
    return not helper_threads()
