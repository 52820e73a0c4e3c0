"""The collector's calls by schemathesis, good and bad, against a running one: no 5xx, nothing that is not described."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

from telemetry_collector.openapi import document
from tests.batteries.fleet import place
from tests.batteries.tally import Tally, Verdict
from tests.support.collecting import Collector, exported

_SCHEMATHESIS = Path(sys.executable).with_name("st")
_AT_ONCE = 4_000
"""Cases of one run of it, each with a seed of its own: it remembers what it has tried."""

_PLENTIFUL = 2
"""Calls of which there are as many cases as one likes; of the others there are few."""

_TAKES = 3600.0


def run(count: int, seed: int) -> Tally:
    """At least so many cases, in several runs."""
    tally = Tally("collector_schema", seed)
    with place() as program, Collector(program) as collector:
        number = 0
        while len(tally.verdicts) < count and number <= count // 100:
            cases, wrong = _tested(
                collector, program.directory, min(count - len(tally.verdicts), _AT_ONCE), seed + number
            )
            tally.add("cases", Verdict(), cases - bool(wrong))
            if wrong:
                tally.add(f"seed {seed + number}", Verdict(wrong=wrong))
            number += 1
        ended = collector.end()
        if ended or collector.errors:
            tally.add("the end", Verdict(wrong=f"{ended} {collector.errors!r}"))
        tally.more = f", {len(exported(program))} stored"
    return tally


def _tested(collector: Collector, directory: Path, cases: int, seed: int) -> tuple[int, str]:
    """How many cases there were, and what was wrong."""
    (directory / "openapi.json").write_text(json.dumps(document()), encoding="utf-8")
    command = [str(_SCHEMATHESIS), "run", "openapi.json", "--url", f"http://127.0.0.1:{collector.port}"]
    options = ["--seed", str(seed), "--max-examples", str(max(cases // _PLENTIFUL, 10)), "--no-shrink"]
    options += ["--phases", "coverage,fuzzing", "--suppress-health-check", "all"]
    options += ["--exclude-checks", "positive_data_acceptance"]  # rules that no schema can say are tested elsewhere
    done = subprocess.run(
        [*command, *options], cwd=directory, capture_output=True, text=True, timeout=_TAKES, check=False
    )
    found = re.search(r"(\d+) generated", done.stdout)
    return int(found[1]) if found else 1, (done.stdout + done.stderr)[-3000:] if done.returncode else ""
