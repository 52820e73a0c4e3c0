"""The line for cron: in a file of its own below /etc/cron.d, or between two marks in the crontab of a user."""

from __future__ import annotations

import shlex

from telemetry_core.errors import NotSchedulable
from telemetry_core.schedule.job import Every, Job, Kind, written_by

_BEGIN = "# telemetry: begin. `telemetry schedule remove cron` takes all up to `end` away.\n"
_END = "# telemetry: end\n"
_WHY = """\
# It sends what is due, one report per period however often it runs, and writes nothing but failures. Minute and second
# come from {origin}, so that not all hosts send at once.
"""


def system_file(job: Job, origin: str) -> str:
    """The whole text of a file in /etc/cron.d.

    Args:
        job: What is run.
        origin: What minute and second were derived from, for people.

    Raises:
        NotSchedulable: A path cannot stand in a crontab.
    """
    return f"{written_by(Kind.CRON)}{_WHY.format(origin=origin)}{times(job)} {job.user or 'root'} {_command(job)}\n"


def block(job: Job, origin: str) -> str:
    """The lines for a crontab, with the marks around them.

    Raises:
        NotSchedulable: A path cannot stand in a crontab.
    """
    return f"{_BEGIN}{_WHY.format(origin=origin)}{times(job)} {_command(job)}\n{_END}"


def with_block(crontab: str, new: str) -> str:
    """A crontab with our lines, in the place where they were, else at its end; all other lines as they are.

    Raises:
        NotSchedulable: Only one of our two marks is there.
    """
    before, old, after = _parted(crontab)
    if not old and before and not before.endswith("\n"):
        before += "\n"
    return before + new + after


def without_block(crontab: str) -> str:
    """A crontab without our lines; all others as they are.

    Raises:
        NotSchedulable: Only one of our two marks is there.
    """
    before, _, after = _parted(crontab)
    return before + after


def _parted(crontab: str) -> tuple[str, str, str]:
    """What stands before our lines, our lines, what stands behind them."""
    lines = crontab.splitlines(keepends=True)
    begins = [number for number, line in enumerate(lines) if line == _BEGIN]
    ends = [number for number, line in enumerate(lines) if line.rstrip("\n") == _END.rstrip("\n")]
    if not begins and not ends:
        return crontab, "", ""
    if len(begins) != 1 or len(ends) != 1 or ends[0] < begins[0]:
        raise NotSchedulable(
            "The crontab has lines `# telemetry: begin` and `# telemetry: end` that do not belong together.",
            hint="Take what is ours out by hand (crontab -e), then run this again.",
        )
    first, last = begins[0], ends[0] + 1
    return "".join(lines[:first]), "".join(lines[first:last]), "".join(lines[last:])


def times(job: Job) -> str:
    """The five fields of cron."""
    if job.every is Every.DAILY:
        return f"{job.minute} {job.hour} * * *"
    if job.every is Every.HOURLY:
        return f"{job.minute} * * * *"
    step = 5 if job.every is Every.FIVE_MINUTES else 15
    return f"{job.minute}-59/{step} * * * *"


def _command(job: Job) -> str:
    """The command for cron's shell: cron knows minutes alone, and its environment is almost empty."""
    variables = [f"{name}={shlex.quote(value)}" for name, value in job.variables]
    command = " ".join([f"sleep {job.second};", *variables, shlex.join(job.call("send"))])
    if "\\" in command:
        raise NotSchedulable(
            "A path with a backslash cannot stand in a crontab.", hint="Give the file a path without it."
        )
    return command.replace("%", "\\%")
