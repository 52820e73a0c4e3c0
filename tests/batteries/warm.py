"""A process that has imported the program once, and becomes it again and again by forking: imports are most of a run.

It reads one line of JSON per run, answers with the process id of a child that has stopped itself, and then, when that
child has ended, with how. A child that is continued is the program from `main` to the end of the interpreter.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from importlib import import_module
from pathlib import Path
from typing import Any


def serve() -> None:
    """Serve until there is no more to read; a child returns from here as the program."""
    answers = os.fdopen(os.dup(1), "w")
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            answers.close()
            _become(json.loads(line))
            return
        answers.write(f"{child}\n")
        answers.flush()
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        answers.write(f"{status}\n")
        answers.flush()
    sys.exit(0)


def _become(run: dict[str, Any]) -> None:
    directory = Path(run["directory"])
    for number, name, mode in ((0, os.devnull, os.O_RDONLY), (1, "stdout", os.O_WRONLY), (2, "stderr", os.O_WRONLY)):
        opened = os.open(directory / name, mode | os.O_CREAT | os.O_TRUNC, 0o600)
        os.dup2(opened, number)
        os.close(opened)
    dress(run)
    os.kill(os.getpid(), signal.SIGSTOP)


def dress(run: dict[str, Any]) -> None:
    """Give this process the directory, the environment and the arguments of a run."""
    os.chdir(run["directory"])
    os.environ.clear()
    os.environ.update(run["environment"])
    sys.argv = ["telemetry", *run["arguments"]]


def import_most() -> None:
    """What each `send` imports, also one that has nothing to send."""
    import_module("filelock")
    for name in ("admin.app", "admin.commands.send", "admin.render.send", "core.administration", "core.reporting"):
        import_module(f"telemetry_{name}")


def import_everything() -> None:
    """What a `send` imports."""
    import httpx

    import_most()
    httpx.Client().close()


if __name__ == "__main__":
    import_everything()
    serve()
    from telemetry_admin.__main__ import main

    main()
