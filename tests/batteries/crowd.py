"""A process that becomes many programs at one moment, and answers with how each of them ended.

It reads a line with a list of runs, answers with the process ids of programs that wait, and begins them all at once
when another line comes. Its arguments are modules to import before.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import Any

from tests.batteries import warm


def main() -> None:
    """Fork them; each waits until the pipe ends, which it does for all of them at once."""
    runs = json.loads(sys.stdin.readline())
    waiting, starting = os.pipe()
    children = []
    for run in runs:
        child = os.fork()
        if child == 0:
            os.close(starting)
            _become(run, waiting)
            return
        children.append(child)
    os.close(waiting)
    print(json.dumps(children), flush=True)
    sys.stdin.readline()
    os.close(starting)
    print(json.dumps([os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]))
    sys.exit(0)


def _become(run: dict[str, Any], waiting: int) -> None:
    said = os.open(Path(run["directory"]) / "said", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for stream, file in ((0, os.open(os.devnull, os.O_RDONLY)), (1, said), (2, said)):
        os.dup2(file, stream)
    warm.dress(run)
    if "behind" in run:
        _set_back(run["behind"])
    os.read(waiting, 1)


def _set_back(length: int) -> None:
    """Take milliseconds off the clock of this machine, for this process."""
    from telemetry_admin.host import SystemClock

    def now(self: SystemClock) -> int:
        return time.time_ns() // 1_000_000 - length

    SystemClock.now = now  # type: ignore[method-assign]


if __name__ == "__main__":
    warm.import_most()
    for name in sys.argv[1:]:
        import_module(name)
    gc.freeze()  # or each child copies all memory when it ends
    main()
    from telemetry_admin.__main__ import main as program

    program()
