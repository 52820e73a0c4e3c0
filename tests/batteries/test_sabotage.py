"""Each battery finds a bug that was planted for it, in a copy of the code."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.batteries import collector_fuzz, nodes, tracing
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
#: A report is answered before it is on the disk.
EARLY = Bug(
    "telemetry_collector/writer.py",
    "PATIENCE, submissions, size=size))",
    "PATIENCE, submissions, size=size)); from telemetry_collector import judging;"
    " return judging.judge_all(submissions, judging.Known([], 1))",
)
NO_SYNC = Bug("telemetry_core/store/sqlite.py", "PRAGMA synchronous = FULL", "PRAGMA synchronous = OFF")
#: Whoever comes when there are many is sent away, and not who keeps the others waiting.
NO_ROOM = Bug(
    "telemetry_collector/slow.py",
    "len(self.connections) > self.most:\n            next(iter(self.waiting))._cut()",
    "len(self.connections) > 500:\n            self._cut()",
)
NO_LIMITS = Bug("telemetry_collector/server.py", "http=slow.protocol(files)", 'http="httptools"')
NO_BOUND = Bug("telemetry_collector/intake.py", "inflater.decompress(body, limit + 1)", "inflater.decompress(body)")
NO_DATE = Bug("telemetry_collector/report.py", "except (ValueError, OverflowError):", "except OverflowError:")
NO_KEY = Bug("telemetry_collector/intake.py", 'return Refusal(400, "key", ', "raise ValueError(")
DEAF = Bug("telemetry_admin/__main__.py", "raise Interrupted(number)", "return")


shared = pytest.mark.skipif(nodes.missing_here() is not None, reason=str(nodes.missing_here()))
fuzzed = pytest.mark.skipif(collector_fuzz.missing() is not None, reason=str(collector_fuzz.missing()))


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
        pytest.param("collector_kills", 6, EARLY, "lost", id="collector_kills, an answer before the commit"),
        pytest.param("collector_disk", 5, EARLY, "died", id="collector_disk, an answer before the commit"),
        pytest.param("collector_disk", 5, NO_SYNC, "died", id="collector_disk, no sync"),
        pytest.param("collector_slow", 500, NO_ROOM, "died", id="collector_slow, the newest goes"),
        pytest.param("collector_slow", 500, NO_LIMITS, "died", id="collector_slow, nobody is cut off"),
        pytest.param(
            "collector_fuzz", 500_000, NO_DATE, "died", id="collector_fuzz, a date that is none", marks=fuzzed
        ),
        pytest.param("collector_schema", 400, NO_KEY, "died", id="collector_schema, a key that is none"),
        pytest.param("collector_bombs", 240, NO_BOUND, "died", id="collector_bombs, inflated without a bound"),
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
