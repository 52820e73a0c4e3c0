"""A reading: what the engine says now, added to its installation's ledger in one transaction with the new base."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from enum import Enum

from telemetry_core import consent as consents
from telemetry_core import counting, counting_rows, engines, environment, payload
from telemetry_core import license as licenses
from telemetry_core.config import Engine
from telemetry_core.consent import Consent
from telemetry_core.engines.flavours import has_public_metric_names
from telemetry_core.model import Base, Contact, Counts, Environment, Kind, Ledger, Millis, Product, Snapshot, State
from telemetry_core.payload import Usage
from telemetry_core.reporting.session import Session


@dataclass(frozen=True, slots=True)
class Observation:
    """What one reading of an engine showed.

    Attributes:
        engines: The entries that answered.
        usage: What was counted since the last report; without a base nothing.
        ledger: As it is after the reading; None where there is no base.
        own_reporter: Whether the engine reports by itself.
        initial_sent: Whether it has sent an initial report by itself, as its database says (7.14 to 7.16).
    """

    engines: tuple[str, ...]
    installation: str
    product: Product
    environment: Environment
    usage: Usage
    ledger: Ledger | None
    read_at: Millis
    own_reporter: bool
    initial_sent: bool | None


_NOTHING = Usage(Counts(), None, {})


class Begin(Enum):
    """Whether an observation is for a consent that is about to be given, and what that means for the base there is."""

    NO = "no"
    WHERE_THERE_IS_NONE = "where there is none"
    ANEW = "anew"
    JOINING = "anew, on top of what the entries of before have counted"


@dataclass(frozen=True, slots=True)
class _Reading:
    """What the nodes of one installation said, how many are listed, and the base there was before they were asked."""

    engines: tuple[str, ...]
    listed: int
    snapshots: tuple[Snapshot, ...]
    read_at: Millis
    own_reporter: bool
    begun_with: Base | None


@dataclass(frozen=True, slots=True)
class _Terms:
    """What holds for the counts of an installation now: whether any are kept, and what of them is dropped.

    Attributes:
        withheld: Fields that are left out of reports.
        carried: What a pending report carries.
        public: Whether metrics leave by their public names too.
    """

    enabled: bool
    withheld: frozenset[str]
    carried: Counts
    public: bool

    def permitted(self, counts: Counts) -> Counts:
        """The counts that may wait to be reported."""
        return counting.permitted(counts, self.withheld, self.carried, public=self.public)


def observe(
    session: Session, group: tuple[Engine, ...], *, keep: bool, begin: Begin = Begin.NO, thorough: bool = False
) -> Observation:
    """Read the entries of one installation; with `keep` ledger and contacts are written, else only computed.

    Args:
        session: Where the ledger is, and the consent, which is read after the engine has answered.
        group: Entries that are believed to show one installation; the first that answers decides which, and what
            others show of another one is left out.
        keep: Whether it is written.
        begin: Whether it is for a consent that is about to be given.
        thorough: Whether this host is asked too where that is not needed for a report.

    Raises:
        EngineError: It gives no answer that a report could be made from.
        ConfigurationError: Credentials cannot be used.
    """
    known = session.store.contacts.get(group[0].entry)
    before = None if known is None else session.store.ledgers.get(known.installation)
    snapshots = engines.read(group, _wanted(before, session.clock.now()), session.clock, thorough=thorough)
    found = environment.gather([*snapshots, *_configured(group)])
    installation, product = payload.identity(found)
    used = tuple(one for one in snapshots if one.answered and one.installation in (None, installation))
    unused = [_unused(one) for one in snapshots if one not in used]
    found = environment.gather([*used, *_configured(group), *license_set_here(session, installation), *unused])
    reading = _reading(group, used, before if before is not None and before.installation == installation else None)
    with session.store.transaction() if keep else nullcontext():
        consent = session.recorded_consent_of(group) if keep else session.consent_of(group)
        terms = _terms(session, consent, found, begin)
        before = session.store.ledgers.get(installation) if begin is not Begin.ANEW else None
        if before is not None and begin is Begin.JOINING:
            before = _joined(session, before, reading, terms)
        ledger, usage = _count(installation, before, reading, terms) if terms.enabled else (None, _NOTHING)
        seen = _seen(reading, installation, product, found=found, ledger=ledger, usage=usage)
        if keep:
            if ledger is not None and (begin is Begin.NO or before is not None):  # else the decision takes the base
                session.store.ledgers.put(ledger)
            _keep_contacts(session, seen, snapshots)
    return seen


def _terms(session: Session, consent: Consent, found: Environment, begin: Begin) -> _Terms:
    """What the consent of now means for what was found; what the first run will decide takes no base yet."""
    installation, product = payload.identity(found)
    pending = session.store.reports.pending(installation, Kind.PERIODIC)
    return _Terms(
        enabled=begin is not Begin.NO or consent.state is State.ENABLED,
        withheld=consents.left_out(consent, found.findings),
        carried=Counts() if pending is None else pending.carried,
        public=has_public_metric_names(product),
    )


def _reading(group: tuple[Engine, ...], used: tuple[Snapshot, ...], before: Ledger | None) -> _Reading:
    """What was counted, as the nodes and the database say it; this host counts nothing."""
    counted = tuple(one for one in used if not one.on_host)
    return _Reading(
        engines=tuple(dict.fromkeys(snapshot.engine for snapshot in counted)),
        listed=sum(len(engine.addresses) for engine in group),
        snapshots=counted,
        read_at=max(snapshot.read_at for snapshot in counted),
        own_reporter=any(snapshot.own_reporter for snapshot in counted),
        begun_with=None if before is None else before.base,
    )


def _seen(
    reading: _Reading, installation: str, product: Product, *, found: Environment, ledger: Ledger | None, usage: Usage
) -> Observation:
    sent = (snapshot.initial_sent for snapshot in reading.snapshots if snapshot.initial_sent is not None)
    return Observation(
        engines=reading.engines,
        installation=installation,
        product=product,
        environment=found,
        usage=usage,
        ledger=ledger,
        read_at=reading.read_at,
        own_reporter=reading.own_reporter,
        initial_sent=next(sent, None),
    )


def keep_base(session: Session, seen: Observation, *, anew: bool) -> None:
    """Write the contacts, and the base that an observation has taken: where there is none, or `anew` in any case."""
    if seen.ledger is not None and (anew or session.store.ledgers.get(seen.installation) is None):
        session.store.ledgers.put(seen.ledger)
    _keep_contacts(session, seen)


def _keep_contacts(session: Session, seen: Observation, snapshots: Sequence[Snapshot] = ()) -> None:
    """Note who was read, and who shows another installation now than those beside it: theirs is a turn of its own."""
    for entry in seen.engines:
        _keep_contact(session, entry, seen, seen.installation, seen.product)
    for one in snapshots:
        if (
            not one.on_host
            and one.engine not in seen.engines
            and one.installation is not None
            and one.product is not None
        ):
            _keep_contact(session, one.engine, one, one.installation, one.product)


def _keep_contact(
    session: Session, entry: str, seen: Observation | Snapshot, installation: str, product: Product
) -> None:
    known = session.store.contacts.get(entry)
    first_at = known.first_at if known is not None and known.installation == installation else seen.read_at
    session.store.contacts.put(
        Contact(entry, seen.read_at, first_at, installation, product, seen.own_reporter, seen.initial_sent)
    )


def _wanted(before: Ledger | None, now: Millis) -> engines.Wanted:
    base = None if before is None else before.base
    since, next_since = counting.wanted(base, now)
    return engines.Wanted(since, next_since, counting_rows.wanted(None if base is None else base.rows, now))


def _count(installation: str, before: Ledger | None, reading: _Reading, terms: _Terms) -> tuple[Ledger, Usage]:
    if before is None:
        base = counting.begin(reading.snapshots, reading.read_at, listed=reading.listed)
        ledger = Ledger(installation, base, _zeros(base), window_start=reading.read_at)
        return ledger, Usage(ledger.accumulated, ledger.window_start, _just_begun(ledger.base))
    seen = counting.read(before.base, reading.snapshots, listed=reading.listed, begun_with=reading.begun_with)
    if reading.own_reporter:
        base, accumulated = counting.stay_out(seen.base), before.accumulated
    else:
        base, accumulated = seen.base, counting.add(before.accumulated, seen.counts)
    accumulated = terms.permitted(accumulated)
    window_start = min(before.window_start, reading.read_at)  # later only where a clock was wrong
    ledger = Ledger(installation, base, accumulated, window_start)
    counts = Counts(
        metrics=None if seen.counts.metrics is None else accumulated.metrics,
        commands=None if seen.counts.commands is None else accumulated.commands,
    )
    return ledger, Usage(counts, window_start, seen.problems)


def _joined(session: Session, before: Ledger, reading: _Reading, terms: _Terms) -> Ledger:
    """A ledger with what the entries of before have counted until now, and a new base of all entries.

    Commands of an entry that joins are of before its consent.
    """
    of_before = {engine.entry for engine in session.sharing(before.installation)}
    theirs = tuple(one if one.engine in of_before else replace(one, commands=None) for one in reading.snapshots)
    ledger, _ = _count(before.installation, before, replace(reading, snapshots=theirs), terms)
    base = counting.begin(reading.snapshots, reading.read_at, listed=reading.listed)
    return replace(ledger, base=base)


def _zeros(base: Base) -> Counts:
    names = {name for counts in base.nodes.values() for name in counts}
    metrics = None if base.names is None else dict.fromkeys(base.names, 0)
    return Counts(metrics, dict.fromkeys(sorted(names), 0) if base.nodes else None)


def _just_begun(base: Base) -> Mapping[str, str]:
    reason = "the base could not be taken yet"
    return {
        point: reason
        for point, known in (("metrics", base.names is not None), ("commands", bool(base.nodes)))
        if not known
    }


def _unused(snapshot: Snapshot) -> Snapshot:
    """A node that gave no answer, or a source of another installation: nothing of it is used but that it is one."""
    if not snapshot.answered:
        return snapshot
    problem = f"it shows another installation ({snapshot.installation}); nothing of it is used"
    return Snapshot(snapshot.engine, snapshot.source, snapshot.read_at, problems={"installation": problem})


def license_set_here(session: Session, installation: str) -> tuple[Snapshot, ...]:
    """The licence that `license set` has set for an installation, as one more source."""
    kept = session.store.licenses.get(installation)
    if kept is None:
        return ()
    return (Snapshot("", licenses.SET_HERE, kept.set_at, license_key=kept.license),)


def _configured(group: tuple[Engine, ...]) -> tuple[Snapshot, ...]:
    """The configuration as the last source, for an engine that does not say its installation (7.14 to 7.16)."""
    return tuple(
        Snapshot(engine.entry, "configuration", 0, installation=engine.installation)
        for engine in group
        if engine.installation is not None
    )
