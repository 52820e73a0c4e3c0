"""The signals that end a server, which handles them itself and raises them anew once it has ended."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def noted_signals() -> Iterator[list[str]]:
    """The names of the signals that ended the server within the block."""
    noted: list[str] = []
    known = (signal.SIGINT, signal.SIGTERM)
    before = {
        one: signal.signal(one, lambda number, _frame: noted.append(signal.Signals(number).name)) for one in known
    }
    try:
        yield noted
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
