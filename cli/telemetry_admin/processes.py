"""Another process's end, such as an engine's: awaited without polling where the kernel tells it."""

from __future__ import annotations

import os
import select
import threading
import time
from collections.abc import Callable
from contextlib import suppress

from telemetry_core.errors import UsageError


def when_gone(pid: int, then: Callable[[], None]) -> None:
    """Call something, in a thread of its own, once a process has ended.

    Raises:
        UsageError: There is none of that id, or this system does not tell.
    """
    try:
        wait = _by_descriptor(pid) if hasattr(os, "pidfd_open") else _by_asking(pid)
    except ProcessLookupError:
        raise UsageError(f"There is no process {pid}.", hint="Give --with the id of a process that runs.") from None

    def wait_then_call() -> None:
        wait()
        then()

    threading.Thread(target=wait_then_call, name="telemetry-with", daemon=True).start()


def _by_descriptor(pid: int) -> Callable[[], object]:
    """Linux tells it by a descriptor, which stays this process's even where its id is given to another one."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        raise
    except OSError:  # an old kernel, or a container that may not ask it
        return _by_asking(pid)
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return poll.poll


def _by_asking(pid: int) -> Callable[[], object]:
    if os.name != "posix":  # there, asking would end it
        raise UsageError("--with cannot be used on this system.", hint="Leave it out.")
    _ask(pid)

    def wait() -> None:
        with suppress(ProcessLookupError):
            while True:
                _ask(pid)
                time.sleep(1)

    return wait


def _ask(pid: int) -> None:
    with suppress(PermissionError):  # it is there, and another user's
        os.kill(pid, 0)
