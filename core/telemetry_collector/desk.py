"""What the page needs of whoever runs the service."""

from __future__ import annotations

from typing import Protocol

from telemetry_collector.store import Store
from telemetry_core.model import Clock


class Desk(Protocol):
    """What the page needs of whoever runs it; called in the thread of a request."""

    @property
    def clock(self) -> Clock:
        """Time."""

    def token(self) -> str:
        """A new word that nobody can guess, safe in a cookie."""

    def reading(self) -> Store | None:
        """The store, opened to be read; None where there is none.

        Raises:
            StoreError: It cannot be read.
        """

    def note_bug(self) -> None:
        """Told, while it is handled, of an exception that nobody expected."""
