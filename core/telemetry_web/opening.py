"""What the server needs of whoever runs it: configuration and store, opened anew for each request, and a clock."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol, TypeVar

from telemetry_core.config import Config
from telemetry_core.model import Clock
from telemetry_core.reporting import Session

T = TypeVar("T")


class Opener(Protocol):
    """Everything is called in the thread of a request."""

    @property
    def clock(self) -> Clock:
        """Time, for limits and for the record."""

    def token(self) -> str:
        """A new word that nobody can guess, safe in a cookie."""

    def config(self) -> Config:
        """The configuration as it is now.

        Raises:
            ConfigurationError: It is wrong.
        """

    def reading(self) -> AbstractContextManager[Session]:
        """A session that writes nothing.

        Raises:
            ConfigurationError: The configuration is wrong.
            StoreError: The store cannot be used.
        """

    def writing(self) -> AbstractContextManager[Session]:
        """A session that may write, where the store is sound.

        Raises:
            ConfigurationError: The configuration is wrong.
            StoreError: The store cannot be used.
        """

    def deciding(self, do: Callable[[Session], T]) -> T:
        """Do something with a session that may write, after a loss of the store too.

        Raises:
            ConfigurationError: The configuration is wrong.
            StoreError: The store cannot be used.
        """

    def note_bug(self) -> None:
        """Told, while it is handled, of an exception that nobody expected; who asked is told that there was one."""
