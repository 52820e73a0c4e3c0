"""What a schedule of this call would run: the job, where its minute comes from, and what it will lack."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from telemetry_admin.invocation import Invocation
from telemetry_core.config import Config, Url
from telemetry_core.errors import UsageError
from telemetry_core.schedule import Every, Job, Machine, offset, often_enough

if TYPE_CHECKING:
    from telemetry_core.reporting import Session

_FROM_INSTALLATION = "the installation"
_FROM_MACHINE = "this machine (no installation is known yet)"
_WHERE_USERS_FILES_ARE = ("XDG_CONFIG_HOME", "XDG_STATE_HOME")


@dataclass(frozen=True, slots=True)
class Planned:
    """A job with what belongs to be said about it.

    Attributes:
        origin: What minute and second were derived from.
        notes: Sentences about what will be otherwise than in this shell.
    """

    job: Job
    origin: str
    notes: tuple[str, ...]


def machine(invocation: Invocation, image: Path | None) -> Machine:
    """This host, or an image below a directory."""
    host = invocation.host
    return Machine(host.environment, host.is_root, None if image is None else image.absolute())


def plan(invocation: Invocation, session: Session, on: Machine, every: Every | None, *, resident: bool) -> Planned:
    """The job that a schedule is made of.

    Raises:
        UsageError: It would run less often than reports are due.
        NotSchedulable: A path has characters that no schedule can hold.
    """
    config, host = session.config, invocation.host
    identity, origin = _identity(invocation, session)
    explicit = invocation.layers.explicit
    store = invocation.store_place(config)
    job = Job(
        program=(*host.program(), *(() if explicit is None else ("--config", str(explicit.absolute())))),
        every=_fitting(config, every),
        offset=offset(identity),
        variables=_carried(invocation, config, on),
        user=_user(invocation, on, store),
        reads=(*host.program_lies_in(), *_named(config, invocation)),
        writes=store.absolute().parent if isinstance(store, Path) else None,
        resident=resident,
    )
    return Planned(job, origin, (*_lacking(invocation, config), *_too_rare(job, config)))


def _identity(invocation: Invocation, session: Session) -> tuple[str, str]:
    for engine in session.config.engines:
        installation = session.installation(engine)
        if installation is not None:
            return installation, _FROM_INSTALLATION
    return invocation.host.machine(), _FROM_MACHINE


def _fitting(config: Config, every: Every | None) -> Every:
    usual = often_enough(config.reporter.period)
    if every is not None and every.length > config.reporter.period and every is not usual:
        raise UsageError(
            f"--every {every} is less often than a report is due (reporter.period).",
            hint=f"Leave it out, or take --every {usual}.",
        )
    return every or usual


def _user(invocation: Invocation, on: Machine, store: object) -> str | None:
    """Who owns the store runs the program, so that all can use what each of them writes."""
    if not on.for_system:
        return None
    owner = invocation.host.owner(store) if isinstance(store, Path) and on.image is None else None
    return owner or "root"


def _named(config: Config, invocation: Invocation) -> list[Path]:
    values = [one.value for one in config.values if isinstance(one.value, Path)]
    return [path.absolute() for path in (*values, *invocation.layers.files)]


def _carried(invocation: Invocation, config: Config, on: Machine) -> tuple[tuple[str, str], ...]:
    """What this shell has and a schedule needs as well: where the store and a user's own files are."""
    environment = invocation.host.environment
    carried = [
        (name, environment[name]) for name in _WHERE_USERS_FILES_ARE if environment.get(name) and not on.for_system
    ]
    if isinstance(config.store, Url) and environment.get("PGPASSFILE"):
        carried.append(("PGPASSFILE", environment["PGPASSFILE"]))
    if "TELEMETRY_STORE" in environment and _can_be_shown(config.store):
        place = config.store.absolute() if isinstance(config.store, Path) else config.store
        carried.append(("TELEMETRY_STORE", str(place)))
    return tuple(carried)


def _can_be_shown(store: object) -> bool:
    return getattr(store, "password", None) is None


def _lacking(invocation: Invocation, config: Config) -> list[str]:
    """What is said by variables of this shell alone: cron and systemd do not have them."""
    lacking: dict[str, list[str]] = {}
    for one in config.values:
        if one.origin in invocation.host.environment and (one.key != "store" or not _can_be_shown(config.store)):
            lacking.setdefault(one.origin, []).append(one.key)
    notes = [
        f"The schedule does not have the variable {name}: write into the configuration what it says of"
        f" {', '.join(keys)}."
        for name, keys in lacking.items()
    ]
    if config.do_not_track:
        notes.append(
            "DO_NOT_TRACK holds for this shell alone: `telemetry config set telemetry-reporter-activate false` does for"
            " the schedule too."
        )
    return notes


def _too_rare(job: Job, config: Config) -> list[str]:
    if job.resident or config.reporter.period >= Every.FIVE_MINUTES.length:
        return []
    return ["reporter.period is shorter than 5 minutes: `telemetry run` (--resident) keeps up with it, a schedule not."]
