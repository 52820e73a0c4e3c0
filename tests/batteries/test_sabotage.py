"""Each battery finds a bug that was planted for it, in a copy of the code."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.batteries import nodes, tracing
from tests.batteries.planting import ROOT, Bug, plant

#: Each attempt is told apart by the receiver, which then has a report as often as it was sent.
NEW_KEY = Bug(
    "telemetry_core/delivery.py",
    "wire.request(report.document, permit.endpoint, report.id)",
    'wire.request(report.document, permit.endpoint, f"{report.id}-{report.attempts}")',
)
#: The counts stay after the report was accepted.
COUNTS_STAY = Bug("telemetry_core/delivery.py", "rest = counting.subtract(", "rest = (lambda all_, _: all_)(")
#: What a report carries is forgotten when it is prepared, not when it is accepted, and the store takes no transactions.
COUNTS_LEAVE_EARLY = Bug(
    "telemetry_core/store/reports.py",
    "return int(str(found[0][0]))",
    "self._database.change('DELETE FROM base'); return int(str(found[0][0]))",
)
#: Whoever wants to send a report may, also while another node does.
NO_LEASE = Bug(
    "telemetry_core/store/leases.py",
    'f" WHERE id = ? AND coalesce(lease_until, 0) < {self._now} RETURNING lease_until"',
    '" WHERE id = ? RETURNING lease_until"',
)
NO_LOCK = Bug("telemetry_core/store/__init__.py", "        lock.acquire()\n", "        pass\n")
NO_TRANSLATION = Bug(
    "telemetry_core/store/sqlite.py", "raise _unavailable(path, text) from error", "raise RuntimeError(text)"
)
ECHO = Bug("telemetry_core/http/client.py", "return redacted(text, *known)", "return text")
CHATTY = Bug(
    "telemetry_core/delivery.py",
    "    log.sending(report)\n",
    "    log.sending(report); log.disabled((), client._with_authorization(request).headers[-1][1])\n",
)
DEAF = Bug("telemetry_admin/__main__.py", "raise Interrupted(number)", "return")


shared = pytest.mark.skipif(nodes.missing_here() is not None, reason=str(nodes.missing_here()))


@pytest.mark.skipif(tracing.missing() is not None, reason=str(tracing.missing()))
@pytest.mark.parametrize(
    ("battery", "count", "bug", "found"),
    [
        pytest.param("kills", 12, NEW_KEY, "doubled", id="kills, another key at each attempt"),
        pytest.param("answers", 3, NEW_KEY, "doubled", id="answers, another key at each attempt"),
        pytest.param("answers", 3, COUNTS_STAY, "doubled", id="answers, counts that stay"),
        pytest.param("answers", 3, COUNTS_LEAVE_EARLY, "lost", id="answers, counts that are gone"),
        pytest.param("disk", 6, NEW_KEY, "doubled", id="disk, another key at each attempt"),
        pytest.param("disk", 6, NO_TRANSLATION, "died", id="disk, errors of the store as they come"),
        pytest.param("ends", 3, COUNTS_STAY, "doubled", id="ends, counts that stay"),
        pytest.param("nodes", 8, NO_LEASE, "doubled", id="nodes, no lease", marks=shared),
        pytest.param("starts", 2, NO_LOCK, "doubled", id="starts, no lock"),
        pytest.param("canaries", 60, ECHO, "died", id="canaries, what the other side repeats"),
        pytest.param("canaries", 40, CHATTY, "died", id="canaries, a token in the log"),
        pytest.param("signals", 3, DEAF, "died", id="signals, nobody listens"),
    ],
)
def test_a_planted_bug_is_found(battery: str, count: int, bug: Bug, found: str, tmp_path: Path) -> None:
    plant(bug, tmp_path)
    done = subprocess.run(
        [sys.executable, "-m", "tests.batteries", battery, "--count", str(count), "--seed", "1", "--crowd", "20"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    line = re.match(r"\w+: tried (\d+) survived (\d+) lost (\d+) doubled (\d+) late (\d+)", done.stdout)
    assert line, done.stdout + done.stderr
    tried, survived, lost, doubled, _ = (int(number) for number in line.groups())
    assert {"died": tried - survived, "lost": lost, "doubled": doubled}[found] > 0, done.stdout
    assert done.returncode == 1
