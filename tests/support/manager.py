"""A service manager as systemd is one: a socket that services tell how they are."""

from __future__ import annotations

import socket
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.support.waiting import until


class Manager:
    """What it was told, in that order. Use it as a context manager.

    Args:
        address: A path, or a name behind an @ for a socket that is in no directory.
    """

    def __init__(self, address: str) -> None:
        self.address = address
        self.told: list[str] = []
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind("\0" + address[1:] if address.startswith("@") else address)
        self._socket.settimeout(0)

    @classmethod
    def at(cls, directory: Path) -> Manager:
        return cls(str(directory / "notify"))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()

    def listen(self) -> list[str]:
        """All it was told so far."""
        while True:
            try:
                self.told.append(self._socket.recv(4096).decode())
            except BlockingIOError:
                return self.told

    def await_word(self, text: str, times: int = 1) -> None:
        """Wait until it was told something so often."""
        until(lambda: sum(text in one for one in self.listen()) >= times, text)
