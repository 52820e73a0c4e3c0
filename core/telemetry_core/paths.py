"""Where configuration and store live by default: one system place, a user's own only where there is no system one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from telemetry_core import system

SYSTEM_CONFIG = Path(system.CONFIG)
SYSTEM_POLICY = Path(system.POLICY)
SYSTEM_STATE = Path(system.STATE)
STORE_NAME = system.STORE_NAME


@dataclass(frozen=True, slots=True)
class Places:
    """The files that a process uses; `user_config` is None where the system's place is the only one."""

    system_config: Path | None
    user_config: Path | None
    store: Path

    @property
    def editable(self) -> Path:
        """The configuration file whose drop-in directory `config set` writes to."""
        return self.user_config or self.system_config or SYSTEM_CONFIG


def drop_in_directory(config: Path) -> Path:
    """The directory of the files that are read after `config`: `X.d` beside `X.toml`."""
    return config.with_suffix(".d")


def outlives_the_container(directory: Path) -> bool:
    """Whether a directory, or the nearest one above it that exists, lies on a mount of its own and not in the image."""
    existing = next(path for path in (directory, *directory.absolute().parents) if _is_there(path))
    try:
        return existing.stat().st_dev != Path("/").stat().st_dev
    except OSError:
        return True  # nothing that this user can see speaks against it


def default_places(*, is_root: bool) -> Places:
    """The default places of this user (DESIGN §6).

    Args:
        is_root: Whether the process runs as the system's administrator.
    """
    system = is_root or _is_there(SYSTEM_CONFIG) or _is_there(SYSTEM_STATE)
    if system:
        return Places(system_config=SYSTEM_CONFIG, user_config=None, store=SYSTEM_STATE / STORE_NAME)
    from platformdirs import user_config_path, user_state_path

    own = user_config_path("telemetry", appauthor=False) / SYSTEM_CONFIG.name
    return Places(system_config=None, user_config=own, store=user_state_path("telemetry", appauthor=False) / STORE_NAME)


def _is_there(path: Path) -> bool:
    """Whether a path exists; one that this user may not even look at does, as far as the user's place is concerned."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True
    return True
