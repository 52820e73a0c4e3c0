"""Why a periodic report of an engine may leave or not: every layer in order, and the one that decides (DESIGN §3)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from telemetry_core import consent as consents
from telemetry_core.config import Config, Engine
from telemetry_core.consent import Consent
from telemetry_core.model import Kind, State
from telemetry_core.reporting.session import Session


class Result(IntEnum):
    """What the layers come to, and the exit status of `status --exit-code`; above all of the program's own."""

    PERMITTED = 0
    POLICY = 20
    DO_NOT_TRACK = 21
    REPORTER_SWITCH = 22
    NO_REQUESTS = 23
    NOT_CONFIGURED = 24
    DISABLED = 25
    NO_ENDPOINT = 26
    OTHER_ENDPOINT = 27
    OWN_REPORTER = 28


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer.

    Attributes:
        name: For people.
        value: What it says.
        origin: Where that was said.
        result: What it comes to if this layer decides; `PERMITTED` where it forbids nothing.
    """

    name: str
    value: str
    origin: str
    result: Result = Result.PERMITTED


@dataclass(frozen=True, slots=True)
class Explanation:
    """All layers of an engine's entry, and the first that forbids; None where none does."""

    engine: str
    layers: tuple[Layer, ...]

    @property
    def deciding(self) -> Layer | None:
        """The layer that decides."""
        return next((layer for layer in self.layers if layer.result is not Result.PERMITTED), None)

    @property
    def result(self) -> Result:
        """What it comes to."""
        return Result.PERMITTED if self.deciding is None else self.deciding.result


def explain(session: Session, engine: Engine) -> Explanation:
    """The layers of an engine's entry; opens no connection.

    Of entries that show one installation the strictest consent counts.
    """
    config = session.config
    consent = session.consent_of(session.group(engine))
    layers = (
        _policy(config),
        _do_not_track(config),
        _switch(config),
        _requests(session, consent),
        _decision(session, consent),
        _endpoint(config, consent),
        _own_reporter(session, engine),
    )
    return Explanation(engine.entry, layers)


def _policy(config: Config) -> Layer:
    if config.forbidden_by:
        return Layer("policy", "forbids telemetry", config.forbidden_by, Result.POLICY)
    return Layer("policy", "forbids nothing", "-")


def _do_not_track(config: Config) -> Layer:
    said = "set" if config.do_not_track else "not set"
    result = Result.DO_NOT_TRACK if config.do_not_track else Result.PERMITTED
    return Layer("DO_NOT_TRACK", said, "this environment (cron may have another)", result)


def _switch(config: Config) -> Layer:
    result = Result.PERMITTED if config.reporter_activate else Result.REPORTER_SWITCH
    key = "telemetry-reporter-activate"
    return Layer("reporter switch", str(config.reporter_activate).lower(), _origin(config, key), result)


def _requests(session: Session, consent: Consent) -> Layer:
    decision = consent.decision
    if decision is None or decision.requests:
        return Layer("requests", "not forbidden", "-")
    return Layer(
        "requests", "all forbidden", f"`telemetry disable --no-requests`, {_when(session, consent)}", Result.NO_REQUESTS
    )


def _decision(session: Session, consent: Consent) -> Layer:
    results = {
        State.ENABLED: Result.PERMITTED,
        State.DISABLED: Result.DISABLED,
        State.NOT_CONFIGURED: Result.NOT_CONFIGURED,
    }
    words = consent.state.replace("-", " ")
    lost = " (the store was lost)" if consent.lost and consent.decision is None else ""
    return Layer("consent", f"{words}{lost}", _when(session, consent), results[consent.state])


def _when(session: Session, consent: Consent) -> str:
    decision = consent.decision
    if decision is None:
        return "no decision yet"
    if session.recorded_consent(decision.engine).decision is None:
        return "initialize-telemetry, at the first run"
    return f"{decision.how} of {decision.decided_by} for {decision.engine}"


def _endpoint(config: Config, consent: Consent) -> Layer:
    if consent.endpoint is None:
        return Layer("configuration", "no endpoint", _origin(config, "endpoint"), Result.NO_ENDPOINT)
    moved = not consent.veto and consent.state is State.ENABLED and bool(consents.obstacle(consent, Kind.PERIODIC))
    agreed = consent.decision.endpoint if moved and consent.decision is not None else None
    said = (
        f"{consent.endpoint.origin}, but consent was given for {agreed or 'none'}" if moved else consent.endpoint.origin
    )
    result = Result.OTHER_ENDPOINT if moved else Result.PERMITTED
    return Layer("configuration", f"endpoint {said}", _origin(config, "endpoint"), result)


def _own_reporter(session: Session, engine: Engine) -> Layer:
    contact = session.store.contacts.get(engine.entry)
    if contact is None:
        return Layer("engine's own reporter", "not known yet", "no contact yet")
    if contact.own_reporter:
        return Layer(
            "engine's own reporter", "on: the engine reports by itself", "the last contact", Result.OWN_REPORTER
        )
    return Layer("engine's own reporter", "off or none", "the last contact")


def _origin(config: Config, key: str) -> str:
    return next((one.origin for one in config.values if one.key == key), "default")
