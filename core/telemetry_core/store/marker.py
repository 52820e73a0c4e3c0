"""The marker beside a store: while it is there, a store that is not is a lost one, and no first run (DESIGN §6)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from telemetry_core import files
from telemetry_core.errors import StoreUnavailable
from telemetry_core.store.database import Place

_TEXT = b"""A store of telemetry was made here. While this file is here, a missing store counts as lost and not as new:
telemetry stays off, and no second initial report goes, until `telemetry enable` or `telemetry disable` decides.
"""


@dataclass(frozen=True, slots=True)
class Marker:
    """The marker of one store; without a path there is none and none is made."""

    path: Path | None

    @classmethod
    def of(cls, place: Place, directory: Path | None = None) -> Marker:
        """The marker of a store: beside its file, or for one on a server in a directory of this host."""
        if isinstance(place, Path):
            return cls(place.with_name(f"{place.name}.marker"))
        if directory is None:
            return cls(None)
        return cls(directory / f"shared-{hashlib.sha256(str(place).encode()).hexdigest()[:16]}.marker")

    @property
    def is_there(self) -> bool:
        """Whether a store was made here."""
        return self.path is not None and self.path.exists()

    def make(self) -> None:
        """Note that a store was made here.

        Raises:
            StoreUnavailable: This user cannot.
        """
        if self.path is None or self.is_there:
            return
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.path.write_bytes(_TEXT)
            self.path.chmod(0o600)
            files.sync(self.path)
            files.sync(self.path.parent)
        except OSError as error:
            raise StoreUnavailable(
                f"The marker of the store {self.path} cannot be made: {error.strerror}.",
                hint="The directory of the store must be writable for this user.",
            ) from error
