"""What systemd is told by a service of `Type=notify`, and how often it wants a sign of life.

Ours, because it is a dozen lines: of the packages for it, sdnotify rests since 2017, systemd-watchdog knows no reload,
systemd-python and cysystemd are compiled against libsystemd, and all of them read the environment by themselves.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from contextlib import suppress

from telemetry_core.model import Clock


class Service:
    """The service that this process is; where systemd did not start it as one, nothing is told."""

    def __init__(self, environment: Mapping[str, str], clock: Clock) -> None:
        self._address = environment.get("NOTIFY_SOCKET", "")
        self._clock = clock
        self.beat = _beat(environment)
        """Seconds between two signs of life, half of what systemd waits for one; None where it wants none."""

    def ready(self) -> None:
        """It works, with the configuration that holds now."""
        self._tell("READY=1")

    def reloading(self) -> None:
        """It reads its configuration; `ready` ends that."""
        self._tell(f"RELOADING=1\nMONOTONIC_USEC={round(self._clock.monotonic() * 1_000_000)}")

    def stopping(self) -> None:
        """It ends by itself, or as it was told."""
        self._tell("STOPPING=1")

    def alive(self) -> None:
        """A sign of life."""
        self._tell("WATCHDOG=1")

    def _tell(self, text: str) -> None:
        """One datagram; a manager that does not listen keeps nothing from being done."""
        if not self._address.startswith(("/", "@")):
            return
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as datagrams:
            datagrams.sendto(text.encode(), address)


def _beat(environment: Mapping[str, str]) -> float | None:
    microseconds = environment.get("WATCHDOG_USEC", "")
    mine = environment.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
    return int(microseconds) / 2_000_000 if mine and microseconds.isdecimal() and int(microseconds) else None
