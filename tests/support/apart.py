"""A script with mounts and processes of its own: what it mounts nobody else sees, and all it starts ends with it."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping

import pytest

OWN_ETC = """\
cp -a /etc {directory}/etc 2>/dev/null || true  # without what is removed meanwhile
mount --bind {directory}/etc /etc
"""
"""How a script begins that writes into /etc: into a copy in a directory, which lies in its place."""


def apart(
    script: str, environment: Mapping[str, str], *, timeout: float = 180, own_processes: bool = True
) -> subprocess.CompletedProcess[str]:
    """Run a shell script, which ends at its first failure; needs root. It may see the processes of others, too."""
    if (os.geteuid() != 0 or shutil.which("unshare") is None) and not os.environ.get("TELEMETRY_TESTS_SKIP_NOTHING"):
        pytest.skip("needs root, to have mounts of its own")
    processes = ["--pid", "--fork", "--kill-child", "--mount-proc"] if own_processes else []
    return subprocess.run(
        ["unshare", "--mount", *processes, "sh", "-ec", script],
        env=dict(environment), capture_output=True, text=True, timeout=timeout, check=False,
    )  # fmt: skip
