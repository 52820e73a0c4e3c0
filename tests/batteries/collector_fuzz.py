"""The collector's reading of what strangers send, fuzzed by atheris: whatever the bytes, a submission or a reason."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.batteries.planting import ROOT
from tests.batteries.tally import Tally, Verdict

_LONGEST = 4096
"""Bytes of an input; seeds that are larger stay what they are."""

_HANGS_AFTER = 10
_MEMORY = 1024
_TAKES = 3600.0


def missing() -> str | None:
    """Why nothing can be fuzzed here."""
    if importlib.util.find_spec("atheris") or os.environ.get("TELEMETRY_TESTS_SKIP_NOTHING"):
        return None
    return "there is no atheris for this Python"


def run(count: int, seed: int) -> Tally:
    """So many inputs."""
    tally = Tally("collector_fuzz", seed)
    with TemporaryDirectory() as name:
        corpus, found = Path(name) / "corpus", Path(name) / "found"
        for directory in (corpus, found):
            directory.mkdir()
        done = _fuzzed(corpus, [f"-runs={count}", f"-seed={seed}", f"-artifact_prefix={found}/"])
        said = done.stdout + done.stderr
        ran = re.search(r"number_of_executed_units: +(\d+)", said)
        number = 0 if ran is None else int(ran[1])
        bad = [path.read_bytes() for path in sorted(found.iterdir())]
        tally.add("inputs", Verdict(), number - len(bad))
        if done.returncode or bad or number < count or " cov: " not in said:  # else it does not see our code
            tally.add(f"{bad}", Verdict(wrong=said[-2000:]), max(len(bad), 1))
        rate = re.search(r"average_exec_per_sec: +(\d+)", said)
        tally.more = f", {rate[1]} a second" if rate else ""
    return tally


def _fuzzed(corpus: Path, options: list[str]) -> subprocess.CompletedProcess[str]:
    limits = [f"-max_len={_LONGEST}", f"-timeout={_HANGS_AFTER}", f"-rss_limit_mb={_MEMORY}", "-print_final_stats=1"]
    command = [sys.executable, "-m", "tests.support.fuzzing", str(corpus), *options, *limits]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=_TAKES, check=False)
