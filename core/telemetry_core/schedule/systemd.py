"""Units of systemd: timer and service, the service of the resident reporter, and the hook of an engine that stops."""

from __future__ import annotations

import re
from pathlib import Path

from telemetry_core.errors import UsageError
from telemetry_core.paths import SYSTEM_STATE
from telemetry_core.schedule.job import Every, Job, Kind, Part, written_by

SERVICE, TIMER = "telemetry.service", "telemetry.timer"
DROP_IN = "telemetry.conf"
HOOK = "telemetry-final-"

_UNIT = re.compile(r"[A-Za-z0-9:_.@-]{1,200}\.service")
_PLAIN = re.compile(r"[A-Za-z0-9_./:=@,+-]+")
_ONLINE = "Wants=network-online.target\n"
_SEND = """\
[Service]
Type=oneshot
ExecStart={command}
# 7: another `send` is sending, which is well.
SuccessExitStatus=7
TimeoutStartSec=15min
"""
_RUN = """\
[Service]
Type=notify
ExecStart={command}
# 7: another `run` or `send` is sending; this one waits its turn.
SuccessExitStatus=7
Restart=always
RestartSec=1min
# 2, 3: the command line or the configuration is wrong, which no start mends.
RestartPreventExitStatus=2 3
WatchdogSec=10min
TimeoutStopSec=90s
"""
_FINAL = """\
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStop={command}
SuccessExitStatus=7
# The engine's own stop waits for this: some seconds, and never longer than so.
TimeoutStopSec=30s
"""
#: All that the program needs is its files, its store and the network. Root without capabilities is the owner of root's
#: files, such as the store after `sudo telemetry enable`, and nothing more.
_HARDENING = """\
CapabilityBoundingSet=
NoNewPrivileges=yes
ProtectSystem=strict
ProtectHome={homes}
PrivateTmp=yes
PrivateDevices=yes
PrivateMounts=yes
PrivateUsers=yes
ProtectHostname=yes
ProtectClock=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
# These two hide the processes of engines, and the JDK that is found by them: see "What hardening hides" in the guide.
ProtectProc=invisible
ProcSubset=pid
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
MemoryDenyWriteExecute=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
# SQLite gives its files to the owner of the store when it runs as root: in vain, and not worth an end by a signal.
SystemCallErrorNumber=EPERM
"""
_TIMER = """\
[Unit]
Description=Send telemetry reports that are due, {words}

[Timer]
# `send` sends one report per period, however often it runs. Minute and second come from {origin}, so that
# not all hosts send at once; a delay that stays the same for each machine keeps the nodes of a cluster apart.
OnCalendar={times}
RandomizedDelaySec=30s
FixedRandomDelay=true
AccuracySec=1s
# What was missed while the host was off is caught up.
Persistent=true

[Install]
WantedBy=timers.target
"""


def units(job: Job, directory: Path, origin: str) -> tuple[Part, ...]:
    """Service and timer; for a resident reporter the service alone.

    Args:
        job: What is run.
        directory: Where units of the system, or of the user, lie.
        origin: What minute and second were derived from, for people.
    """
    if job.resident:
        wanted = "multi-user.target" if job.user is not None else "default.target"
        head = _head("Report the telemetry of process engines", job)
        text = head + _service(job, _RUN, "run") + f"\n[Install]\nWantedBy={wanted}\n"
        return (_part(directory / SERVICE, Kind.SYSTEMD, text),)
    text = _head("Send the telemetry reports that are due", job) + _service(job, _SEND, "send")
    timer = _TIMER.format(words=job.every.words, origin=origin, times=_times(job))
    return _part(directory / SERVICE, Kind.SYSTEMD, text), _part(directory / TIMER, Kind.SYSTEMD, timer)


def stop_hook(job: Job, directory: Path, unit: str, engines: tuple[str, ...] = ()) -> tuple[Part, ...]:
    """What sends the last report before the service of an engine stops: a unit of our own, and a drop-in that wants it.

    A unit of our own instead of one more `ExecStop=` in the engine's, because those run in their order, ours behind the
    engine's own; as the engine's user, who may not open the store; and in the engine's sandbox. Ours is started after
    the engine, so systemd stops it before: its `ExecStop=` runs while the engine still answers (user guide, Data
    collection: what was counted is reported when the engine is shut down).

    Args:
        job: What is run.
        directory: Where units of the system, or of the user, lie.
        unit: The engine's service, such as `camunda.service`.
        engines: Names of the entries that are reported; none for all.

    Raises:
        UsageError: It is no name of a service.
    """
    hook = hook_of(unit)
    named = [word for name in engines for word in ("--engine", name)]
    relation = f"PartOf={unit}\nAfter={unit}\n"
    text = _head(f"Send the last telemetry report before {unit} stops", job, relation)
    text += _service(job, _FINAL, "send", "--final", *named)
    return (
        _part(directory / hook, Kind.STOP_HOOK, text),
        _part(directory / f"{unit}.d" / DROP_IN, Kind.STOP_HOOK, f"[Unit]\nWants={hook}\n"),
    )


def hook_of(unit: str) -> str:
    """The name of our unit for an engine's.

    Raises:
        UsageError: It is no name of a service.
    """
    if not _UNIT.fullmatch(unit):
        raise UsageError(
            f"{unit!r} is not the name of a systemd service.",
            hint="It ends with .service (--unit camunda.service); `systemctl list-units --type=service` lists all.",
        )
    return f"{HOOK}{unit}"


def _part(path: Path, kind: Kind, text: str) -> Part:
    return Part(path, f"{written_by(kind)}\n{text}")


def _head(description: str, job: Job, relation: str = "") -> str:
    """The network is a target of the system's manager, which a user's one does not know."""
    online = "" if job.user is None else f"{_ONLINE}After=network-online.target\n"
    return f"[Unit]\nDescription={description}\n{relation}{online}\n"


def _service(job: Job, template: str, *words: str) -> str:
    command = " ".join(_quoted(word, dollar="$$" if place else "$") for place, word in enumerate(job.call(*words)))
    lines = [template.format(command=command), "UMask=0077\n"]
    lines += [f"Environment={_quoted(f'{name}={value}')}\n" for name, value in job.variables]
    if job.user is None:
        return "".join(lines)
    lines.append(f"# Whose the store is.\nUser={job.user}\n")
    if job.writes == SYSTEM_STATE:
        lines.append(f"StateDirectory={SYSTEM_STATE.name}\nStateDirectoryMode=0700\n")
    elif job.writes is not None:
        lines.append(f"ReadWritePaths={_quoted(f'-{job.writes}')}\n")
    return "".join(lines) + _HARDENING.format(homes="read-only" if job.needs_homes else "yes")


def _times(job: Job) -> str:
    second = f"{job.second:02}"
    if job.every is Every.DAILY:
        return f"*-*-* {job.hour:02}:{job.minute:02}:{second}"
    if job.every is Every.HOURLY:
        return f"*-*-* *:{job.minute:02}:{second}"
    step = 5 if job.every is Every.FIVE_MINUTES else 15
    return f"*-*-* *:{job.minute:02}/{step}:{second}"


def _quoted(word: str, *, dollar: str = "$") -> str:
    """A word as systemd reads it back; the path of a program is the one place where it leaves `$` alone."""
    text = word.replace("%", "%%")
    if _PLAIN.fullmatch(word):
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("$", dollar)
    return f'"{escaped}"'
