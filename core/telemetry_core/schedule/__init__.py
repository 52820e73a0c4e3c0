"""Schedules: the texts that make cron, systemd, Kubernetes and Windows call the program, and putting them in place."""

from telemetry_core.schedule.installing import HERE, Change, install, installed, remove
from telemetry_core.schedule.job import Every, Job, Kind, Part, offset, often_enough
from telemetry_core.schedule.machine import Machine
from telemetry_core.schedule.parts import Hook, parts

__all__ = [
    "HERE",
    "Change",
    "Every",
    "Hook",
    "Job",
    "Kind",
    "Machine",
    "Part",
    "install",
    "installed",
    "offset",
    "often_enough",
    "parts",
    "remove",
]
