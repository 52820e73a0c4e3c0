"""The one place that reads clock, environment, user and terminal; everything else is given them."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from telemetry_core.model import Clock


class SystemClock:
    """The clock of this machine."""

    def now(self) -> int:
        """Milliseconds since 1970 (UTC)."""
        return time.time_ns() // 1_000_000

    def monotonic(self) -> float:
        """Seconds of a clock that is never set."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)

    def random(self) -> float:
        """For jitter between attempts."""
        import random

        return random.random()  # noqa: S311  # no secret depends on it


@dataclass(frozen=True, slots=True)
class Host:
    """The machine and the user as this process sees them."""

    clock: Clock
    environment: Mapping[str, str]
    is_root: bool
    is_terminal: bool
    can_ask: bool
    is_container: bool = False

    def user(self) -> str:
        """The operating system's user, with the one behind `sudo`, for the record of a decision."""
        try:
            import pwd
        except ImportError:
            return self.environment.get("USERNAME", "unknown")
        try:
            name = pwd.getpwuid(os.geteuid()).pw_name
        except KeyError:  # containers run with ids that no user has
            name = f"uid {os.geteuid()}"
        behind = self.environment.get("SUDO_USER")
        return f"{name} (sudo: {behind})" if behind and behind != name else name

    def program(self) -> tuple[str, ...]:
        """The words that start this program again: absolute, for what has no `PATH`."""
        called = Path(sys.argv[0])
        beside = Path(sys.executable).with_name("telemetry.exe" if os.name == "nt" else "telemetry")
        for path in (called, beside):
            if path.name == beside.name and path.is_file():
                return (str(path.absolute()),)
        return (sys.executable, "-m", "telemetry_admin")

    def program_lies_in(self) -> tuple[Path, ...]:
        """Where the interpreter and the packages of this program are, links followed."""
        return tuple(Path(path).resolve() for path in (sys.executable, sys.prefix, sys.base_prefix))

    def machine(self) -> str:
        """What tells this machine from others: its id, else its name. Never shown: the id is confidential."""
        import platform

        try:
            found = Path("/etc/machine-id").read_text(encoding="utf-8").strip()
        except (OSError, ValueError):
            found = ""
        return found or platform.node()

    def token(self) -> str:
        """A new word that nobody can guess: 256 bits, safe in a cookie."""
        import secrets

        return secrets.token_urlsafe(32)

    def owner(self, path: Path) -> str | None:
        """The user whom a file, or the directory it would lie in, belongs to; None where neither is there."""
        for one in (path, path.parent):
            try:
                return one.owner()
            except KeyError:
                return str(one.stat().st_uid)
            except (OSError, NotImplementedError):
                continue
        return None


def _is_container() -> bool:
    """Whether this is a container, as Docker, Podman, Kubernetes and systemd-nspawn tell their processes."""
    told = any(name in os.environ for name in ("container", "KUBERNETES_SERVICE_HOST"))
    return told or Path("/.dockerenv").exists() or Path("/run/.containerenv").exists()


def this_host() -> Host:
    """What this process runs on."""
    return Host(
        clock=SystemClock(),
        environment=dict(os.environ),
        is_root=hasattr(os, "geteuid") and os.geteuid() == 0,
        is_terminal=sys.stdout.isatty(),
        is_container=_is_container(),
        can_ask=sys.stdin is not None and sys.stdin.isatty() and sys.stdout.isatty(),
    )
