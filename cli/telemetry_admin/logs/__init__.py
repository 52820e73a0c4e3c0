"""Where the log goes while something is sent: the handlers that the settings name, and how records are written."""

from telemetry_admin.logs.targets import opened

__all__ = ["opened"]
