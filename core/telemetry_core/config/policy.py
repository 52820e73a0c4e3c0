"""The policy of the host's administrator: a file of root's that forbids or forces, and never enables (DESIGN §3)."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from telemetry_core.config import sources, values
from telemetry_core.config.settings import Setting
from telemetry_core.config.sources import Said
from telemetry_core.errors import ConfigurationError
from telemetry_core.model import Endpoint

#: What a policy may say, and nothing else.
SETTINGS = (
    Setting("forbid", values.FLAG, "true: nothing leaves this host, the initial report included."),
    Setting(
        "withhold",
        values.FIELD_NAMES,
        "Fields that are left out of every report, whatever the configuration says.",
    ),
    Setting("endpoint", values.ENDPOINT, "Where reports go, whatever the configuration says."),
)
_BY_KEY = {setting.key: setting for setting in SETTINGS}
_TRUSTED_OWNER = 0


@dataclass(frozen=True, slots=True)
class Policy:
    """What it says; `origins` has the file and line of each key."""

    forbid: bool = False
    withhold: tuple[str, ...] = ()
    endpoint: Endpoint | None = None
    origins: Mapping[str, str] | None = None


def read(path: Path | None) -> Policy:
    """The policy in a file; without the file an empty one.

    Raises:
        ConfigurationError: Others than root can change it, so that it is nobody's policy; or it does not read.
    """
    if path is None or not sources.exists(path):
        return Policy()
    for place in (path, path.parent):
        _refuse_if_others_can_change(place)
    said = {one.key: one for one in sources.from_one(path)}
    found = {key: _value(one) for key, one in said.items()}
    return Policy(**found, origins={key: one.origin for key, one in said.items()})  # type: ignore[arg-type]  # each was made by its type


def _refuse_if_others_can_change(path: Path) -> None:
    found = path.stat()
    if hasattr(os, "geteuid") and (found.st_uid != _TRUSTED_OWNER or stat.S_IMODE(found.st_mode) & 0o022):
        raise ConfigurationError(
            f"{path} must be root's and writable for root alone, because it is a policy for all users.",
            hint=f"Run: chown root {path} && chmod go-w {path}",
        )


def _value(said: Said) -> object:
    if said.key not in _BY_KEY:
        raise ConfigurationError(
            f"{said.origin}: there is no {said.key} in a policy.", hint=f"It may say: {', '.join(_BY_KEY)}."
        )
    return sources.fitting(said, _BY_KEY[said.key])
