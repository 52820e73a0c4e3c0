"""The examples of the Python API run as they stand in the documentation, each in a process of its own."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import telemetry_core
from tests.support.program import Program

PAGE = (Path(__file__).parent.parent / "docs" / "python-api.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^## (.+?)$.*?^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("example", [example for _, example in EXAMPLES], ids=[heading for heading, _ in EXAMPLES])
def test_an_example_runs_as_it_stands(example: str, configured: Program) -> None:
    done = subprocess.run(
        [sys.executable, "-c", example],
        env=configured.environment(),
        cwd=configured.directory,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    assert done.returncode == 0


def test_every_example_is_run() -> None:
    assert len(EXAMPLES) == PAGE.count("```python")


def test_every_function_that_is_offered_is_documented() -> None:
    offered = [name for name in telemetry_core.__all__ if callable(getattr(telemetry_core, name))]
    assert offered
    for name in offered:
        assert name in PAGE
