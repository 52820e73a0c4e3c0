"""The task for Windows' Task Scheduler; written by its documentation and not tested on Windows."""

from __future__ import annotations

import subprocess
from pathlib import PureWindowsPath

from telemetry_core.schedule.job import Every, Job, Part

_ELSEWHERE = r"C:\Program Files\telemetry\Scripts\telemetry.exe"
_INTERVALS = {Every.FIVE_MINUTES: "PT5M", Every.QUARTER: "PT15M", Every.HOURLY: "PT1H", Every.DAILY: "P1D"}
_TASK = """\
<?xml version="1.0"?>
<!-- Printed by `telemetry schedule show windows`; not tested on Windows. Check the path of telemetry.exe, then:
     schtasks /Create /TN telemetry /XML FILE /RU USER /RP *
     where USER is who runs `telemetry enable`; schtasks /Delete /TN telemetry takes it away.
     Minute and second come from {origin}, so that not all hosts send at once. -->
<Task version="1.2" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">
  <RegistrationInfo>
    <Description>Send the telemetry reports that are due</Description>
  </RegistrationInfo>
  <Triggers>
    <TimeTrigger>
      <Repetition>
        <Interval>{interval}</Interval>
        <StopAtDurationEnd>false</StopAtDurationEnd>
      </Repetition>
      <StartBoundary>2026-01-01T{time}</StartBoundary>
      <Enabled>true</Enabled>
    </TimeTrigger>
  </Triggers>
  <Principals>
    <Principal id="Author">
      <LogonType>Password</LogonType>
      <RunLevel>LeastPrivilege</RunLevel>
    </Principal>
  </Principals>
  <Settings>
    <MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>
    <DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries>
    <StopIfGoingOnBatteries>false</StopIfGoingOnBatteries>
    <StartWhenAvailable>true</StartWhenAvailable>
    <ExecutionTimeLimit>PT15M</ExecutionTimeLimit>
  </Settings>
  <Actions Context="Author">
    <Exec>
      <Command>{command}</Command>
      <Arguments>{arguments}</Arguments>
    </Exec>
  </Actions>
</Task>
"""


def task(job: Job, origin: str) -> Part:
    """The task as XML, for `schtasks /Create /XML`, which takes no UTF-8 that its head calls so.

    Args:
        job: What is run.
        origin: What minute and second were derived from, for people.
    """
    from xml.sax.saxutils import escape  # which loads all that opens connections

    on_windows = bool(PureWindowsPath(job.program[0]).drive)
    command, *options = job.program if on_windows else (_ELSEWHERE,)
    text = _TASK.format(
        origin=origin,
        interval=_INTERVALS[job.every],
        time=f"{job.hour if job.every is Every.DAILY else 0:02}:{job.minute:02}:{job.second:02}",
        command=escape(command),
        arguments=escape(subprocess.list2cmdline([*options, "send"])),
    )
    return Part(None, text)
