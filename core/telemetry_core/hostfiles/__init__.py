"""What files and processes of this host tell of the Java, the server and the engine on it; all of it bounded."""

from telemetry_core.hostfiles.homes import Home, look
from telemetry_core.hostfiles.jdk import read_release
from telemetry_core.hostfiles.libraries import Library
from telemetry_core.hostfiles.processes import Process, is_this_host, running
from telemetry_core.hostfiles.reading import Unread

__all__ = ["Home", "Library", "Process", "Unread", "is_this_host", "look", "read_release", "running"]
