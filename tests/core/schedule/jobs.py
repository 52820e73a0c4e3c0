"""Jobs for the tests of schedules."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from telemetry_core.schedule import Every, Job

AT = 5 * 3600 + 17 * 60 + 42
"""The second of the day that `JOB` has for itself: 05:17:42."""

JOB = Job(
    program=("/opt/telemetry/bin/telemetry",),
    every=Every.HOURLY,
    offset=AT,
    user="root",
    reads=(Path("/opt/telemetry"),),
    writes=Path("/var/lib/telemetry"),
)
OWN = replace(JOB, user=None)
#: A path with all that shells, crontabs and units take for something else.
AWKWARD = '/srv/50%h of $HOME\'s "best" #1'
