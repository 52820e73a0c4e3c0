"""Whether anything may leave: the consent of now from all its layers, and the permits that only this module makes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import InitVar, dataclass, replace

from telemetry_core import wire
from telemetry_core.config import Config
from telemetry_core.errors import EndpointMissing, NotPermitted
from telemetry_core.model import Decision, Endpoint, Kind, Report, State

_SEAL = object()
_PASSING = (
    "The store goes with this container, and an initial report is sent once:"
    " mount a volume at the store's directory, or set TELEMETRY_STORE to a place that lasts."
)
_LOST = "The store was lost: the initial report counts as sent until telemetry is enabled or disabled again."
_NO_REQUESTS = "All requests were forbidden with `telemetry disable --no-requests`."


@dataclass(frozen=True, slots=True)
class Consent:
    """The consent for one engine's entry.

    Attributes:
        engine: The entry's name.
        state: What was decided last.
        decision: The last decision itself, None before the first.
        endpoint: Where reports would go now.
        veto: Why no request may leave at all, empty where one may: reporter switch, environment, `--no-requests`.
        passing: Whether the store goes with its container, so that an initial report would be sent at every start.
        lost: Whether the store follows one that was lost, which may have held a decision and an initial report.
        withheld: Names of fields that are left out.
    """

    engine: str
    state: State
    decision: Decision | None
    endpoint: Endpoint | None
    veto: str = ""
    passing: bool = False
    lost: bool = False
    withheld: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Permit:
    """The permission to send reports of a kind for an installation to an endpoint; made by `permit` alone."""

    kind: Kind
    installation: str
    endpoint: Endpoint
    seal: InitVar[object]

    def __post_init__(self, seal: object) -> None:
        if seal is not _SEAL:
            raise NotPermitted("Only the consent makes permits.")


def decide(
    config: Config, engine: str, history: Iterable[Decision], *, passing: bool = False, lost: bool = False
) -> Consent:
    """The consent of now for an engine's entry (DESIGN §3): its last decision under the layers that can only forbid.

    Args:
        config: With endpoint, reporter switch and fields to withhold.
        engine: The entry's name.
        history: All decisions, oldest first.
        passing: Whether the store goes with its container.
        lost: Whether the store follows one that was lost.
    """
    own = [decision for decision in history if decision.engine == engine]
    last = own[-1] if own else None
    return Consent(
        engine=engine,
        state=last.state if last else State.NOT_CONFIGURED,
        decision=last,
        endpoint=config.endpoint,
        veto=_veto(config, last),
        passing=passing,
        lost=lost,
        withheld=frozenset(config.withhold) | frozenset(last.withheld if last else ()),
    )


def strictest(consents: Sequence[Consent]) -> Consent:
    """One consent out of those of several entries with one installation (DESIGN §3).

    Args:
        consents: At least one, all under the same configuration.
    """
    order = {State.DISABLED: 0, State.NOT_CONFIGURED: 1, State.ENABLED: 2}
    by_state = sorted(consents, key=lambda one: (not one.veto, order[one.state], not _moved(one)))
    first = by_state[0]
    decision = first.decision
    if decision is not None and first.state is State.ENABLED:
        fields = [set(one.decision.fields) for one in consents if one.decision is not None]
        decision = replace(decision, fields=tuple(name for name in decision.fields if all(name in f for f in fields)))
    return replace(first, decision=decision, withheld=frozenset().union(*(one.withheld for one in consents)))


def left_out(consent: Consent, points: Iterable[str]) -> frozenset[str]:
    """Names of fields that a periodic report leaves out: what is withheld, and points that nobody agreed to.

    Args:
        consent: The consent of now; before it is given, everything is what would be agreed to.
        points: The names of all data points, such as `jdk`.
    """
    return consent.withheld | set(not_agreed(consent, points))


def not_agreed(consent: Consent, points: Iterable[str]) -> tuple[str, ...]:
    """Data points that came with a later release than the consent, held back until somebody agrees to them."""
    if consent.decision is None or consent.state is not State.ENABLED:
        return ()
    return tuple(name for name in points if name not in consent.decision.fields and name not in wire.ALWAYS)


def obstacle(consent: Consent, kind: Kind) -> str:
    """Why no report of this kind may leave, as a sentence; empty where it may.

    The initial report needs no consent (user guide, Initial Data Report), but none of the layers that forbid.
    """
    if consent.veto:
        return consent.veto
    if kind is Kind.PERIODIC and consent.state is not State.ENABLED:
        return _not_enabled(consent)
    if consent.endpoint is None:
        return "No endpoint is configured."
    if kind is Kind.INITIAL and consent.passing:
        return _PASSING
    if kind is Kind.INITIAL and consent.lost and consent.decision is None:
        return _LOST
    return _moved(consent)


def by_itself(engines: Iterable[str]) -> str:
    """Why none may leave while the engine's own reporter is on, as a sentence; by the names of the entries."""
    return f"Engine {', '.join(engines)} reports by itself."


def permit(consent: Consent, kind: Kind, installation: str) -> Permit:
    """The permit for a kind of report.

    Raises:
        EndpointMissing: All that is missing is where to send it.
        NotPermitted: There is an obstacle; the hint says how it can be removed.
    """
    reason = obstacle(consent, kind)
    if not reason and consent.endpoint is not None:
        return Permit(kind, installation, consent.endpoint, _SEAL)
    raise refusal(consent, reason)


def refusal(consent: Consent, reason: str) -> NotPermitted | EndpointMissing:
    """The error for an explicit command that meets an obstacle."""
    if consent.endpoint is None and not consent.veto and consent.state is not State.DISABLED:
        return EndpointMissing(reason, hint='Set endpoint = "https://..." in the configuration, or TELEMETRY_ENDPOINT.')
    return NotPermitted(reason, hint=_remedy(consent, reason))


def _remedy(consent: Consent, reason: str) -> str:
    if reason == _PASSING:
        return "Then it goes at the next `telemetry send`."
    if reason == _LOST:
        return f"Decide with `telemetry enable` or `telemetry disable`, with --engine {consent.engine}."
    if not consent.veto or consent.veto == _NO_REQUESTS:
        return f"`telemetry enable --engine {consent.engine}` permits it."
    if consent.veto.startswith("DO_NOT_TRACK"):
        return "Unset DO_NOT_TRACK for this command."
    if consent.veto.startswith("The policy"):
        return "Only the administrator of this host can change that."
    return "`telemetry config show` says where that is set."


def misfit(consent: Consent, report: Report) -> str:
    """Why a report prepared earlier no longer fits what was decided since, as a sentence; empty where it does.

    What only forbids for the time being (the environment of a process, the reporter switch, a missing endpoint) keeps
    a report waiting and is no misfit.
    """
    if consent.decision is not None and not consent.decision.requests:
        return _NO_REQUESTS
    if report.kind is Kind.PERIODIC and consent.state is not State.ENABLED:
        return _not_enabled(consent)
    if consent.endpoint is not None and consent.endpoint.origin != report.endpoint:
        return f"It was prepared for {report.endpoint}; the endpoint is {consent.endpoint.origin} now."
    newly = consent.withheld - set(report.withheld)
    withheld = sorted(name for name in newly if any(name == f or name.startswith(f"{f}.") for f in report.fields))
    if withheld:
        return f"It holds what is withheld now: {', '.join(withheld)}."
    return ""


def _not_enabled(consent: Consent) -> str:
    words = "not configured" if consent.state is State.NOT_CONFIGURED else "disabled"
    return f"Telemetry is {words} for {consent.engine}."


def _veto(config: Config, last: Decision | None) -> str:
    if config.forbidden_by:
        return f"The policy of this host forbids telemetry ({config.forbidden_by})."
    if config.do_not_track:
        return "DO_NOT_TRACK is set in this environment (cron may not see it)."
    if not config.reporter_activate:
        return "The reporter is switched off (telemetry-reporter-activate = false)."
    if last is not None and not last.requests:
        return _NO_REQUESTS
    return ""


def _moved(consent: Consent) -> str:
    if consent.state is not State.ENABLED or consent.decision is None or consent.endpoint is None:
        return ""
    agreed = consent.decision.endpoint
    if agreed == consent.endpoint.origin:
        return ""
    return f"Consent was given for {agreed or 'no endpoint'}, the endpoint is {consent.endpoint.origin} now."
