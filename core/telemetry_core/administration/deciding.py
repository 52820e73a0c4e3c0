"""Enabling and disabling: each decision is recorded whole, and what follows from it for base and reports is done."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

from telemetry_core.administration import legal_note
from telemetry_core.config import Engine
from telemetry_core.config.values import FIELD_NAMES, Unfit
from telemetry_core.consent import Consent
from telemetry_core.environment import POINTS
from telemetry_core.errors import DecidedMeanwhile, EndpointMissing, UsageError
from telemetry_core.model import Decision, Endpoint, Millis, State
from telemetry_core.reporting import Begin, Observation, Session, close_misfits, failures, keep_base, observe
from telemetry_core.reporting.session import FIELDS, FIRST_RUN
from telemetry_core.wire import ALWAYS


@dataclass(frozen=True, slots=True)
class Author:
    """Who decides, and how: the user, on whose authority, why, by which way, and in which language the note was."""

    user: str
    how: str
    authorized_by: str | None = None
    reason: str | None = None
    note_shown: bool = False
    language: str = "en"


@dataclass(frozen=True, slots=True)
class Decided:
    """What a decision came to; `changed` is False where it was so already, `again` says that it was enabled before."""

    engine: str
    decision: Decision
    changed: bool
    observation: Observation | None = None
    again: bool = False


def require_endpoint(session: Session) -> Endpoint:
    """The endpoint that consent is given for.

    Raises:
        EndpointMissing: There is none.
    """
    if session.config.endpoint is None:
        raise EndpointMissing(
            "Consent is given for an endpoint, and none is configured.",
            hint='Set endpoint = "https://..." in the configuration, or TELEMETRY_ENDPOINT.',
        )
    return session.config.endpoint


@dataclass(frozen=True, slots=True)
class Choice:
    """What is agreed to or not beside what was chosen before: fields, or categories of fields (user guide)."""

    without: tuple[str, ...] = ()
    with_: tuple[str, ...] = ()

    def withheld(self, before: Decision | None) -> tuple[str, ...]:
        """What an enabling decision withholds: as before, and what is chosen now."""
        chosen = set(before.withheld if before is not None else ()) | fields_of(self.without)
        return tuple(sorted(chosen - fields_of(self.with_)))


def fields_of(names: Iterable[str]) -> set[str]:
    """The fields of some categories, and fields themselves, checked.

    Raises:
        UsageError: There is no such field or category, or it is in every report.
    """
    found: set[str] = set()
    for name in names:
        inside = {point.name for point in POINTS if point.category == name} - set(ALWAYS)
        if name == "general":
            raise UsageError("general (installation and product) is in every report.", hint="`telemetry disable`?")
        try:
            found |= inside or set(cast("tuple[str, ...]", FIELD_NAMES.read([name], Path())))
        except Unfit as error:
            raise UsageError(
                f"{name} cannot be withheld: {error}.", hint="Name license, meta, usage, or fields such as jdk.vendor."
            ) from None
    return found


AS_BEFORE = Choice()


def enable(
    session: Session, engine: Engine, author: Author, choice: Choice = AS_BEFORE, *, seen: Consent | None = None
) -> Decided:
    """Give consent for an engine: its base is taken now, so that nothing counted before ever leaves (DESIGN §3).

    Enabling what is enabled for the same endpoint and fields changes nothing; for others it moves neither base nor
    slots. What was withheld by choice stays so until it is agreed to.

    Args:
        session: Where it is recorded.
        engine: The entry.
        author: Who decides.
        choice: What is withheld or agreed to beside what was before.
        seen: The recorded consent that the author was shown; without it that of now.

    Raises:
        DecidedMeanwhile: Somebody has decided otherwise since, be it while the engine was read; nothing was changed.
        EndpointMissing: There is nowhere to send reports to.
        EngineError: The engine does not answer, so that no base can be taken; nothing was changed.
    """
    origin = require_endpoint(session).origin
    before = (session.recorded_consent(engine.entry) if seen is None else seen).decision
    wanted = _Wanted(origin, choice.withheld(before))
    enabled = _enabled_already(session, engine, wanted, before)
    if enabled is not None:
        return Decided(engine.entry, enabled, changed=False)
    observation, begin = _read(session, engine, wanted, before)
    decision = replace(
        _decision(session, engine.entry, author, State.ENABLED, installation=observation.installation),
        withheld=wanted.withheld,
    )
    with session.store.transaction():
        enabled = _enabled_already(session, engine, wanted, before)
        if enabled is not None:
            return Decided(engine.entry, enabled, changed=False)
        session.store.consents.append(decision)
        failures.forget(session, engine.entry)
        keep_base(session, observation, anew=begin is Begin.ANEW)
    again_enabled = before is not None and before.state is State.ENABLED
    return Decided(engine.entry, decision, changed=True, observation=observation, again=again_enabled)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What is to be enabled: reports to an origin, without the fields that are withheld."""

    origin: str
    withheld: tuple[str, ...]

    def is_met_by(self, decision: Decision) -> bool:
        """Whether it enables that already."""
        if decision.state is not State.ENABLED or not decision.requests or not set(FIELDS) <= set(decision.fields):
            return False
        return (decision.endpoint, decision.withheld) == (self.origin, self.withheld)


def _enabled_already(session: Session, engine: Engine, wanted: _Wanted, before: Decision | None) -> Decision | None:
    """The decision of now, where that is met by it.

    Raises:
        DecidedMeanwhile: It is not, and is another one than before.
    """
    now = session.recorded_consent(engine.entry).decision
    if now is not None and wanted.is_met_by(now):
        return now
    if now != before:
        raise DecidedMeanwhile(
            f"Somebody else has decided for {engine.entry} meanwhile; nothing was changed.",
            hint=f"`telemetry consent --engine {engine.entry}` says what; look at it, and decide again.",
        )
    return None


def _read(session: Session, engine: Engine, wanted: _Wanted, before: Decision | None) -> tuple[Observation, Begin]:
    """Read the engine for a consent that is about to be given; how its base begins."""
    group = session.group(engine)
    known = session.store.contacts.get(engine.entry) is not None
    was_enabled = session.recorded_consent_of(group).state is State.ENABLED
    begin = Begin.ANEW if known and not was_enabled else Begin.WHERE_THERE_IS_NONE
    freed = set(before.withheld) - set(wanted.withheld) if before is not None else set()
    # What was counted until now of that which was withheld is dropped by a reading under the decision of before.
    keep = known and begin is Begin.WHERE_THERE_IS_NONE and bool(freed)
    observation = observe(session, group, keep=keep, begin=begin)
    others = session.sharing(observation.installation)
    if not known and others and session.recorded_consent_of(others).state is State.ENABLED:
        joined = tuple(one for one in session.config.engines if one == engine or one in others)
        observation = observe(session, joined, keep=True, begin=Begin.JOINING)
    return observation, begin


def disable(session: Session, engine: Engine, author: Author, *, no_requests: bool = False) -> Decided:
    """Take consent back: contacts nothing; what was counted and not sent by now never leaves (DESIGN §3).

    Args:
        session: Where it is recorded.
        engine: The entry.
        author: Who decides.
        no_requests: Forbid the initial report too; once said it holds until `enable`.
    """
    store = session.store
    with store.transaction():
        before = session.recorded_consent(engine.entry).decision
        requests = not no_requests and _permits_requests(before)
        if before is not None and before.state is State.DISABLED and before.requests == requests:
            return Decided(engine.entry, before, changed=False)
        contact = store.contacts.get(engine.entry)
        installation = None if contact is None else contact.installation
        decision = _decision(
            session, engine.entry, author, State.DISABLED, installation=installation, requests=requests
        )
        decision = replace(decision, withheld=before.withheld if before is not None else ())
        store.consents.append(decision)
        failures.forget(session, engine.entry)
        if installation is not None:
            store.ledgers.remove(installation)
            close_misfits(session, installation, session.consent(engine.entry))
    return Decided(engine.entry, decision, changed=True)


def as_disabled(session: Session, engine: Engine) -> Session:
    """A session in which an engine's telemetry counts as disabled, as `disable` would do it; nothing is recorded."""
    requests = _permits_requests(session.recorded_consent(engine.entry).decision)
    nobody = Author(user="", how="")
    supposed = _decision(session, engine.entry, nobody, State.DISABLED, installation=None, requests=requests)
    return replace(session, supposed=(supposed,))


def first_run(session: Session, user: Callable[[], str]) -> None:
    """Take `initialize-telemetry` at its word, at the first run of a store and never again (user guide, Configuration).

    It decides for engines that nobody has decided for before. After a loss it is void: it might enable what an
    administrator has disabled since (DESIGN §6).

    Args:
        session: Where it is recorded.
        user: Asked for the operating system's user where something is.

    Raises:
        EndpointMissing: It says true, and there is nowhere to send reports to.
    """
    store, config = session.store, session.config
    if store.lost_at is not None or store.properties.get("", FIRST_RUN) is not None:
        return
    if config.initialize_telemetry and config.endpoint is None:
        raise EndpointMissing(
            "initialize-telemetry is true, and no endpoint is configured.",
            hint='Set endpoint = "https://..." in the configuration, or TELEMETRY_ENDPOINT.',
        )
    name = user()
    with store.transaction():
        for engine in config.engines:
            decision = session.first_run_decision(engine.entry, name)
            if decision is not None:
                store.consents.append(decision)
        if store.properties.get("", FIRST_RUN) is None:
            store.properties.put("", FIRST_RUN, str(session.clock.now()))


def _permits_requests(decision: Decision | None) -> bool:
    return decision is None or decision.requests


def _decision(
    session: Session, entry: str, author: Author, state: State, *, installation: str | None, requests: bool = True
) -> Decision:
    now: Millis = session.clock.now()
    endpoint = session.config.endpoint
    enabled = state is State.ENABLED
    return Decision(
        engine=entry,
        state=state,
        requests=requests,
        decided_at=now,
        decided_by=author.user,
        how=author.how,
        installation=installation,
        authorized_by=author.authorized_by,
        reason=author.reason,
        fields=FIELDS if enabled else (),
        endpoint=endpoint.origin if enabled and endpoint is not None else None,
        note_sha256=legal_note.sha256_of(author.language) if enabled else None,
        note_shown=author.note_shown,
    )
