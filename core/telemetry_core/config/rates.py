"""The type of settings that say how much may come: so much in a length of time, and at once after a rest."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from telemetry_core.config.values import Type, Unfit

_RATE = re.compile(r"(\d{1,9})/([smh]) burst (\d{1,9})")
_SECONDS = {"s": 1, "m": 60, "h": 3600}


@dataclass(frozen=True, slots=True)
class Rate:
    """So many each second, minute or hour (`unit` is `s`, `m` or `h`), and `burst` at once after a rest."""

    count: int
    unit: str
    burst: int

    @property
    def per_second(self) -> float:
        """How many in a second."""
        return self.count / _SECONDS[self.unit]

    def __str__(self) -> str:
        return f"{self.count}/{self.unit} burst {self.burst}"


def _rate(value: object, _base: Path) -> Rate:
    match = _RATE.fullmatch(value) if isinstance(value, str) else None
    if match is None or not int(match[1]) or not int(match[3]):
        raise Unfit("")
    return Rate(int(match[1]), match[2], int(match[3]))


RATE = Type('a rate such as "50/s burst 5000", of a second (s), minute (m) or hour (h)', _rate,
            {"type": "string", "pattern": "^\\d{1,9}/[smh] burst \\d{1,9}$"})  # fmt: skip
