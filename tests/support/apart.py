"""A script with mounts and processes of its own: what it mounts nobody else sees, and all it starts ends with it."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest


def apart(
    script: str,
    environment: Mapping[str, str],
    *,
    etc: Path | None = None,
    timeout: float = 180,
    own_processes: bool = True,
) -> subprocess.CompletedProcess[str]:
    """Run a shell script, which ends at its first failure; needs root.

    Args:
        script: What is run.
        environment: Its variables.
        etc: A place for a copy of /etc, which lies there for the script, so that it may write into it.
        timeout: Seconds.
        own_processes: Whether it sees those that it starts alone.
    """
    if (os.geteuid() != 0 or shutil.which("unshare") is None) and not os.environ.get("TELEMETRY_TESTS_SKIP_NOTHING"):
        pytest.skip("needs root, to have mounts of its own")
    if etc is not None:  # the copy is without what somebody removes meanwhile
        script = f"cp -a /etc {etc} 2>/dev/null || true\nmount --bind {etc} /etc\n{script}"
    processes = ["--pid", "--fork", "--kill-child", "--mount-proc"] if own_processes else []
    return subprocess.run(
        ["unshare", "--mount", *processes, "sh", "-ec", script],
        env=dict(environment), capture_output=True, text=True, timeout=timeout, check=False,
    )  # fmt: skip
