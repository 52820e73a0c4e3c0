"""The command `telemetry`: the hands of telemetry_core; and what Python programs begin with."""

from __future__ import annotations

TYPE_CHECKING = False  # as `typing` says, which takes its time
if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from pathlib import Path

    from telemetry_core.reporting import Session

__all__ = ["open_session"]


def open_session(config: Path | None = None) -> AbstractContextManager[Session]:
    """What the functions of `telemetry_core` work on: configuration and store of this host and user, as commands do.

    Use it as a context manager. It may write, and takes `initialize-telemetry` at its word at the first run of a store.

    Args:
        config: This configuration file instead of the system's and the user's.

    Raises:
        ConfigurationError: The configuration is wrong.
        StoreError: The store cannot be used.
    """
    from telemetry_admin.host import this_host
    from telemetry_admin.invocation import Invocation

    return Invocation(this_host(), config).writing()
