"""Which texts a schedule consists of: the same for showing and for installing."""

from __future__ import annotations

from dataclasses import dataclass

from telemetry_core.errors import UsageError
from telemetry_core.schedule import cron, kubernetes, systemd, windows
from telemetry_core.schedule.job import Job, Kind, Part
from telemetry_core.schedule.machine import Machine


@dataclass(frozen=True, slots=True)
class Hook:
    """What a stop hook is for: the engine's service, and the names of the entries that are reported (none for all)."""

    unit: str
    engines: tuple[str, ...] = ()


def parts(kind: Kind, job: Job, machine: Machine, *, origin: str, hook: Hook | None = None) -> tuple[Part, ...]:
    """The texts of a schedule, in the order in which they are written.

    Args:
        kind: Which.
        job: What is run.
        machine: Where it would be written.
        origin: What minute and second were derived from, for people.
        hook: For a stop hook.

    Raises:
        UsageError: A stop hook without the service it is for, or one with a name that none has.
        NotSchedulable: A path cannot stand in this kind of schedule.
    """
    if kind is Kind.SYSTEMD:
        return systemd.units(job, machine.units, origin)
    if kind is Kind.STOP_HOOK:
        if hook is None:
            raise UsageError("A stop hook needs the engine's service.", hint="Name it: --unit camunda.service")
        return systemd.stop_hook(job, machine.units, hook.unit, hook.engines)
    if kind is Kind.KUBERNETES:
        return (kubernetes.manifests(job, origin),)
    if kind is Kind.WINDOWS:
        return (windows.task(job, origin),)
    if machine.cron_file is not None:
        return (Part(machine.cron_file, cron.system_file(job, origin)),)
    return (Part(None, cron.block(job, origin)),)
