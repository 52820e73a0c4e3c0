"""The look at the stamp before anything is loaded: where it holds, a plain `send` has nothing to do.

Beside `host`, which takes its time to load, this is where clock, environment and user are read.
"""

import os
import sys
import time

from telemetry_core import stamp

TYPE_CHECKING = False  # as type checkers know it; to load `typing` takes as long as the interpreter's start
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def nothing_is_due(arguments: "Sequence[str]") -> bool:
    """Whether a call can end at once, in silence: a plain `send` without a terminal, while a stamp holds.

    Args:
        arguments: The command line without the program's name.
    """
    if list(arguments) != ["send"] or sys.stdout is None or sys.stdout.isatty():
        return False
    return stamp_holds(os.environ, time.time_ns() // 1_000_000)


def stamp_holds(environment: "Mapping[str, str]", now: int) -> bool:
    """Whether the stamp of a process with an environment holds."""
    place, told = stamp_place(environment), surroundings(environment)
    return place is not None and told is not None and stamp.holds(place, told, now)


def stamp_place(environment: "Mapping[str, str]") -> str | None:
    """Where the stamp of such a process is."""
    return stamp.place(environment, is_root=_user() == 0)


def surroundings(environment: "Mapping[str, str]") -> str | None:
    """What the stamp of such a process was written in; None where it has no working directory."""
    try:
        return stamp.surroundings(environment, _user(), os.getcwd())
    except OSError:
        return None


def _user() -> int:
    return os.geteuid() if hasattr(os, "geteuid") else -1
