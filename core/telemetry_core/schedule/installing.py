"""Putting a schedule in place and taking it away, and telling what runs it; twice changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from telemetry_core.errors import NotSchedulable
from telemetry_core.schedule import cron, own_files, systemd
from telemetry_core.schedule.job import Kind, Part
from telemetry_core.schedule.machine import Machine, Refused

HERE = (Kind.CRON, Kind.SYSTEMD, Kind.STOP_HOOK)
CRONTAB = "crontab"


@dataclass(frozen=True, slots=True)
class Change:
    """What installing or removing came to: files, and `crontab` for lines in the user's."""

    written: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)


def installed(machine: Machine) -> tuple[Kind, ...]:
    """The kinds of schedules that are in place.

    Raises:
        NotSchedulable: They cannot be read.
    """
    present = {
        Kind.CRON: lambda: _cron_is_there(machine),
        Kind.SYSTEMD: lambda: _started(machine) is not None,
        Kind.STOP_HOOK: lambda: bool(_hooks(machine)),
    }
    return tuple(kind for kind in HERE if present[kind]())


def install(machine: Machine, kind: Kind, parts: Sequence[Part], *, unit: str = "") -> Change:
    """Put a schedule in place.

    Args:
        machine: This host.
        kind: Which.
        parts: The texts, as `show` prints them.
        unit: The engine's service, for a stop hook.

    Raises:
        NotSchedulable: This host or this user cannot, or a file is there that somebody else wrote.
        UsageError: No host has schedules of this kind.
    """
    machine.require(kind)
    change = Change()
    if kind is Kind.SYSTEMD:
        _install_units(machine, parts, change)
    elif kind is Kind.STOP_HOOK:
        _install_hook(machine, parts, unit, change)
    elif machine.cron_file is None:
        _rewrite(machine, cron.with_block(_crontab(machine), parts[0].text), change.written)
    else:
        _write(parts, kind, change)
    return change


def remove(machine: Machine, kind: Kind, *, unit: str = "") -> Change:
    """Take a schedule away, as far as it is there.

    Args:
        machine: This host.
        kind: Which.
        unit: The engine's service, for one stop hook; all of them without it.

    Raises:
        NotSchedulable: This user cannot.
        UsageError: No host has schedules of this kind.
    """
    change = Change()
    if kind is Kind.SYSTEMD:
        _remove_units(machine, change)
    elif kind is Kind.STOP_HOOK:
        _remove_hooks(machine, unit, change)
    elif kind is not Kind.CRON:
        machine.require(kind)
    elif machine.cron_file is None:
        _rewrite(machine, cron.without_block(_crontab(machine)), change.removed)
    else:
        _remove([machine.cron_file], kind, change)
    return change


def _write(parts: Sequence[Part], kind: Kind, change: Change) -> None:
    change.written.extend(
        str(part.path) for part in parts if part.path is not None and own_files.write(part.path, part, kind)
    )


def _remove(paths: Sequence[Path], kind: Kind, change: Change) -> None:
    change.removed.extend(str(path) for path in paths if own_files.remove(path, kind))


def _cron_is_there(machine: Machine) -> bool:
    if machine.cron_file is not None:
        return own_files.is_ours(machine.cron_file, Kind.CRON)
    text = _crontab(machine)
    return cron.without_block(text) != text


def _crontab(machine: Machine) -> str:
    """The user's crontab, empty where there is none."""
    try:
        return machine.run("crontab", "-l")
    except Refused as refused:
        if any(words in str(refused) for words in ("no crontab", "No such file", "there is no crontab")):
            return ""
        raise _crontab_refuses(refused) from None


def _rewrite(machine: Machine, text: str, changed: list[str]) -> None:
    """Give the user another crontab, or none where nothing is left of it."""
    if text == _crontab(machine):
        return
    try:
        if text:
            machine.run("crontab", "-", stdin=text)
        else:
            machine.run("crontab", "-r")
    except Refused as refused:
        raise _crontab_refuses(refused) from None
    changed.append(CRONTAB)


def _crontab_refuses(refused: Refused) -> NotSchedulable:
    return NotSchedulable(
        f"`crontab` failed: {refused}.",
        hint="/etc/cron.allow and /etc/cron.deny say who may have one; root may install a schedule of the system.",
    )


def _started(machine: Machine) -> str | None:
    """The unit of ours that is enabled: the timer, or the service of a resident reporter."""
    names = (systemd.TIMER, systemd.SERVICE)
    return next((name for name in names if own_files.is_ours(machine.units / name, Kind.SYSTEMD)), None)


def _install_units(machine: Machine, parts: Sequence[Part], change: Change) -> None:
    before, now = _started(machine), systemd.SERVICE if len(parts) == 1 else systemd.TIMER
    if before not in (None, now):
        _remove_units(machine, change)
    _write(parts, Kind.SYSTEMD, change)
    change.removed[:] = [path for path in change.removed if path not in change.written]
    if machine.is_live and change.written:
        machine.systemctl("daemon-reload")
    machine.systemctl("enable", now)
    if machine.is_live:
        machine.systemctl("restart" if change.written else "start", now)


def _remove_units(machine: Machine, change: Change) -> None:
    before = _started(machine)
    if before is None:
        return
    machine.systemctl("disable", *(["--now"] if machine.is_live else []), before)
    _remove([machine.units / systemd.TIMER, machine.units / systemd.SERVICE], Kind.SYSTEMD, change)
    with suppress(OSError):
        (machine.stamps / f"stamp-{systemd.TIMER}").unlink()
    _forget(machine)


def _install_hook(machine: Machine, parts: Sequence[Part], unit: str, change: Change) -> None:
    state = machine.systemctl("show", "--property=LoadState,ActiveState", unit) if machine.is_live else ""
    if machine.is_live and "LoadState=loaded" not in state:
        raise NotSchedulable(
            f"systemd knows no {unit}.", hint="`systemctl list-units --type=service` lists what it knows; mind --unit."
        )
    _write(parts, Kind.STOP_HOOK, change)
    if machine.is_live and change.written:
        machine.systemctl("daemon-reload")
    if "ActiveState=active" in state:
        machine.systemctl("start", systemd.hook_of(unit))  # never again: a restart would be a stop, which sends


def _remove_hooks(machine: Machine, unit: str, change: Change) -> None:
    """Files first, then the unit, which has nothing to do at its stop any more: otherwise this would send a report."""
    hooks = [machine.units / systemd.hook_of(unit)] if unit else _hooks(machine)
    for hook in hooks:
        engine = hook.name.removeprefix(systemd.HOOK)
        _remove([machine.units / f"{engine}.d" / systemd.DROP_IN, hook], Kind.STOP_HOOK, change)
    if change.removed:
        _forget(machine)
    for hook in hooks:
        if change.removed and machine.is_live:
            with suppress(NotSchedulable):  # not loaded: the engine does not run
                machine.systemctl("stop", hook.name)


def _hooks(machine: Machine) -> list[Path]:
    found = sorted(machine.units.glob(f"{systemd.HOOK}*.service"))
    return [path for path in found if own_files.is_ours(path, Kind.STOP_HOOK)]


def _forget(machine: Machine) -> None:
    """Let systemd see that units are gone, and forget that one of them had failed."""
    if machine.is_live:
        machine.systemctl("daemon-reload")
        with suppress(NotSchedulable):  # it is not loaded, as it should be
            machine.systemctl("reset-failed", systemd.SERVICE)
