"""The running Java process of an engine on this host: found by its port or its home, for the paths that it names."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from telemetry_core.hostfiles.reading import Unread

if TYPE_CHECKING:
    import psutil

_HOMES = ("-Dcatalina.base=", "-Dcatalina.home=", "-Djboss.home.dir=", "-Dweblogic.home=", "-Dserver.root=")


@dataclass(frozen=True, slots=True)
class Process:
    """A running Java; of its command line only the paths of homes and jars are kept, for it may hold secrets.

    Attributes:
        id: The process's.
        java_home: The JDK or JRE that it runs on.
        homes: Of a server, or the jar that it runs; the first that tells something counts.
    """

    id: int
    java_home: Path
    homes: tuple[Path, ...]


def is_this_host(host: str) -> bool:
    """Whether an address is the loopback's; others are not asked for, for that would look up names."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def running(ports: Collection[int], home: Path | None) -> Process:
    """The Java process that listens on one of some ports, or else the one that runs from a home.

    Its environment is never read, and it must live among the same files as this process: of one in a container the
    paths mean nothing here, so that its Java is not found.

    Raises:
        Unread: psutil is not installed, this user may not see it, or there is none.
    """
    try:
        import psutil
    except ImportError:
        raise Unread("psutil is not installed (pip install 'telemetry-admin[host]')") from None
    try:
        for number in _listening(ports) if ports else ():
            found = _java(psutil.Process(number))
            if found is not None:
                return found
        for process in psutil.process_iter(["name"]) if home is not None else ():
            found = _java(process) if process.info["name"] in ("java", "java.exe") else None
            if found is not None and home is not None and home.resolve() in [one.resolve() for one in found.homes]:
                return found
    except (psutil.Error, OSError) as error:
        raise Unread(f"the running process cannot be looked at: {type(error).__name__}") from None
    raise Unread("no running Java process of it was found, or this user may not see it")


def _listening(ports: Collection[int]) -> list[int]:
    """The processes that listen on one of some ports, as far as this user may see."""
    import psutil

    return sorted(
        {
            one.pid
            for one in psutil.net_connections(kind="tcp")
            if one.status == psutil.CONN_LISTEN and one.laddr and one.laddr.port in ports and one.pid
        }
    )


def _java(process: psutil.Process) -> Process | None:
    """What a process tells, None where it is no Java of this host's files or may not be looked at."""
    import psutil

    try:
        executable = Path(process.exe())
        arguments, directory = process.cmdline(), Path(process.cwd())
    except psutil.Error:
        return None
    if executable.stem != "java" or not executable.is_file():
        return None
    return Process(process.pid, executable.parent.parent, tuple(_homes(arguments, directory)))


def _homes(arguments: Sequence[str], directory: Path) -> list[Path]:
    named = [one.removeprefix(sign) for sign in _HOMES for one in arguments if one.startswith(sign)]
    jars = [after for before, after in pairwise(arguments) if before == "-jar"]
    found = [directory / one for one in (*named, *jars) if one]
    return [one for one in dict.fromkeys(found) if one.exists()]
