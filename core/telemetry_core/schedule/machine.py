"""This host as far as schedules are concerned: where they lie, and the programs that take them."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from telemetry_core.errors import NotSchedulable, UsageError
from telemetry_core.schedule.job import Kind

_CRON_DIRECTORY = Path("/etc/cron.d")
_SYSTEM_UNITS = Path("/etc/systemd/system")
_SYSTEM_STAMPS = Path("/var/lib/systemd/timers")
_SYSTEMD_RUNS = Path("/run/systemd/system")
_DAEMONS = ("cron", "crond")
_WHERE_DAEMONS_ARE = "/usr/sbin:/sbin:/usr/local/sbin"
_SECONDS = 60


class Refused(Exception):
    """Not of the tree, callers translate it: a program ended with a failure; the text is what it said."""


@dataclass(frozen=True, slots=True)
class Machine:
    """Where schedules lie on this host.

    Attributes:
        environment: Of this process.
        is_root: Whether schedules are the system's, rather than the user's own.
        image: Write below this directory, of a system that does not run; None for this host.
    """

    environment: Mapping[str, str]
    is_root: bool
    image: Path | None = None

    @property
    def for_system(self) -> bool:
        """Whether the schedule is the system's and not the user's own."""
        return self.is_root or self.image is not None

    @property
    def cron_file(self) -> Path | None:
        """The file for cron; None where it is the user's crontab: of a plain user, and where cron reads no files."""
        if self.image is not None or (self.is_root and _CRON_DIRECTORY.is_dir()):
            return self._below(_CRON_DIRECTORY / "telemetry")
        return None

    @property
    def units(self) -> Path:
        """The directory of units.

        Raises:
            NotSchedulable: This user has no home.
        """
        return self._below(_SYSTEM_UNITS) if self.for_system else self._of_user("XDG_CONFIG_HOME", ".config") / "user"

    @property
    def stamps(self) -> Path:
        """Where systemd keeps when a persistent timer ran last.

        Raises:
            NotSchedulable: This user has no home.
        """
        if self.for_system:
            return self._below(_SYSTEM_STAMPS)
        return self._of_user("XDG_DATA_HOME", ".local/share") / "timers"

    @property
    def is_live(self) -> bool:
        """Whether systemd runs, and is to know at once what is changed."""
        return self.image is None and self._systemd_runs()

    def usual(self) -> Kind:
        """What `install` takes by itself: systemd where it runs, else cron; for a plain user rather crontab."""
        if self.is_live and (self.is_root or self._find("crontab") is None):
            return Kind.SYSTEMD
        return Kind.CRON

    def require(self, kind: Kind) -> None:
        """Make sure that a kind of schedule can be put in place here.

        Raises:
            NotSchedulable: What would run it is not there.
            UsageError: No host has such schedules.
        """
        if kind in (Kind.KUBERNETES, Kind.WINDOWS):
            raise UsageError(
                f"A schedule for {kind} is not installed from here.",
                hint=f"`telemetry schedule show {kind}` prints it, and says in its head how it is put in place.",
            )
        if self.image is not None:
            return
        if kind is not Kind.CRON and not self.is_live:
            raise NotSchedulable(
                "systemd does not run here.",
                hint="Take `telemetry schedule install cron`; for a system that does not run yet, add --image DIR.",
            )
        if kind is Kind.CRON and self.cron_file is None and self._find("crontab") is None:
            raise NotSchedulable(
                "There is no crontab here.",
                hint="Install cron (Debian: apt-get install cron), or take `telemetry schedule install systemd`.",
            )
        if kind is Kind.CRON and self.cron_file is not None and self._find(*_DAEMONS) is None:
            raise NotSchedulable(
                "There is /etc/cron.d, but no cron that reads it.",
                hint="Install cron (Debian: apt-get install cron), or take `telemetry schedule install systemd`.",
            )

    def systemctl(self, *words: str) -> str:
        """Call systemctl for the system, for this user, or for an image, where it can enable and disable alone.

        Raises:
            NotSchedulable: It refuses; what it says is in the message.
        """
        where = ["--user"] if not self.for_system else [] if self.image is None else [f"--root={self.image}"]
        try:
            return self.run("systemctl", *where, *words)
        except Refused as refused:
            raise NotSchedulable(
                f"`{' '.join(['systemctl', *where, *words])}` failed: {refused}.",
                hint="What was written stays; once that is mended run this again, or `telemetry schedule remove`.",
            ) from None

    def run(self, name: str, *words: str, stdin: str = "") -> str:
        """What a program writes to its standard output.

        Raises:
            Refused: It is not there, or ended with a failure.
        """
        program = self._find(name)
        if program is None:
            raise Refused(f"there is no {name}")
        try:
            done = subprocess.run(
                [program, *words], input=stdin, env={**self.environment, "LC_ALL": "C"}, timeout=_SECONDS,
                capture_output=True, text=True, encoding="utf-8", errors="surrogateescape", check=False,
            )  # fmt: skip
        except (OSError, subprocess.TimeoutExpired) as error:
            raise Refused(str(error)) from error
        if done.returncode != 0:
            raise Refused(" ".join(done.stderr.split()).rstrip(".") or f"exit status {done.returncode}")
        return done.stdout

    def _systemd_runs(self) -> bool:
        return _SYSTEMD_RUNS.is_dir() and self._find("systemctl") is not None

    def _find(self, *names: str) -> str | None:
        search = f"{self.environment.get('PATH', '')}:{_WHERE_DAEMONS_ARE}"
        return next((found for name in names if (found := shutil.which(name, path=search)) is not None), None)

    def _below(self, path: Path) -> Path:
        return path if self.image is None else self.image / path.relative_to("/")

    def _of_user(self, variable: str, inside: str) -> Path:
        base, home = self.environment.get(variable), self.environment.get("HOME")
        if base and Path(base).is_absolute():
            return Path(base) / "systemd"
        if not home:
            raise NotSchedulable("HOME is not set.", hint="Set it, or let root install a schedule of the system.")
        return Path(home) / inside / "systemd"
