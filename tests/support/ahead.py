"""The program in a process whose clock is ahead, by as many milliseconds as a file says at that moment.

The file is named by TELEMETRY_TESTS_AHEAD; everything else is as `python -m telemetry_admin`.
"""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path

from telemetry_admin.__main__ import run
from telemetry_admin.host import SystemClock, this_host
from tests.support.collecting import VARIABLE


class AheadClock(SystemClock):
    """The clock of this machine, and what the file says on top."""

    def now(self) -> int:
        return super().now() + int(Path(os.environ[VARIABLE]).read_text(encoding="utf-8"))


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:], replace(this_host(), clock=AheadClock())))
