"""Whether anything may leave: the last decision, and the layers that can only forbid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from telemetry_core import consent
from telemetry_core.config import Config, Layers, load
from telemetry_core.consent import Consent, Permit, decide, obstacle, permit, strictest
from telemetry_core.errors import EndpointMissing, NotPermitted
from telemetry_core.model import Decision, Endpoint, Kind, State

ENDPOINT = Endpoint("https://telemetry.example/pings", "https", "telemetry.example", 443)
CONFIG = replace(load(Layers()), endpoint=ENDPOINT)


def decision(state: State, engine: str = "orders", **details: object) -> Decision:
    agreed = "https://telemetry.example:443" if state is State.ENABLED else None
    made = Decision(engine, state, requests=True, decided_at=1, decided_by="root", how="command", endpoint=agreed)
    return replace(made, **details)  # type: ignore[arg-type]  # names of fields with their values


ENABLED = decision(State.ENABLED)
DISABLED = decision(State.DISABLED)
SILENCED = decision(State.DISABLED, requests=False)


def now(history: Sequence[Decision], config: Config = CONFIG) -> Consent:
    return decide(config, "orders", history)


def test_before_any_decision_the_state_is_not_configured() -> None:
    assert now([]) == Consent("orders", State.NOT_CONFIGURED, None, ENDPOINT)


def test_the_last_decision_for_the_entry_is_the_state() -> None:
    assert now([ENABLED, DISABLED]).state is State.DISABLED
    assert now([DISABLED, ENABLED]).state is State.ENABLED
    assert now([ENABLED, DISABLED]).decision is DISABLED


def test_a_decision_for_one_entry_says_nothing_for_another() -> None:
    assert now([decision(State.ENABLED, "billing")]).state is State.NOT_CONFIGURED
    assert now([ENABLED, decision(State.DISABLED, "billing")]).state is State.ENABLED


def test_initialize_telemetry_in_the_configuration_is_no_consent_here() -> None:
    assert now([], replace(CONFIG, initialize_telemetry=True)).state is State.NOT_CONFIGURED


@pytest.mark.parametrize(
    ("history", "kind", "reason"),
    [
        ([], Kind.PERIODIC, "Telemetry is not configured for orders."),
        ([], Kind.INITIAL, ""),
        ([ENABLED], Kind.PERIODIC, ""),
        ([ENABLED], Kind.INITIAL, ""),
        ([DISABLED], Kind.PERIODIC, "Telemetry is disabled for orders."),
        ([DISABLED], Kind.INITIAL, ""),
        ([SILENCED], Kind.PERIODIC, "All requests were forbidden with `telemetry disable --no-requests`."),
        ([SILENCED], Kind.INITIAL, "All requests were forbidden with `telemetry disable --no-requests`."),
        ([SILENCED, ENABLED], Kind.PERIODIC, ""),
    ],
)
def test_the_periodic_report_needs_consent_and_the_initial_one_does_not(
    history: Sequence[Decision], kind: Kind, reason: str
) -> None:
    assert obstacle(now(history), kind) == reason


@pytest.mark.parametrize("kind", list(Kind))
@pytest.mark.parametrize(
    ("config", "reason"),
    [
        (replace(CONFIG, do_not_track=True), "DO_NOT_TRACK is set in this environment (cron may not see it)."),
        (
            replace(CONFIG, reporter_activate=False),
            "The reporter is switched off (telemetry-reporter-activate = false).",
        ),
        (replace(CONFIG, endpoint=None), "No endpoint is configured."),
    ],
)
def test_what_forbids_forbids_both_reports_whatever_was_decided(config: Config, reason: str, kind: Kind) -> None:
    assert obstacle(now([ENABLED], config), kind) == reason
    with pytest.raises((NotPermitted, EndpointMissing)):
        permit(now([ENABLED], config), kind, "i")


@pytest.mark.parametrize(
    ("endpoint", "permitted"),
    [
        (Endpoint("https://telemetry.example/other", "https", "telemetry.example", 443), True),
        (Endpoint("https://telemetry.example:8443/pings", "https", "telemetry.example", 8443), False),
        (Endpoint("http://telemetry.example/pings", "http", "telemetry.example", 80), False),
        (Endpoint("https://other.example/pings", "https", "other.example", 443), False),
    ],
)
def test_consent_holds_for_scheme_host_and_port_alone(endpoint: Endpoint, permitted: bool) -> None:
    reason = obstacle(now([ENABLED], replace(CONFIG, endpoint=endpoint)), Kind.PERIODIC)
    assert (reason == "") is permitted
    if not permitted:
        assert reason.startswith("Consent was given for https://telemetry.example:443, the endpoint is ")


def test_a_consent_that_named_no_endpoint_holds_for_none() -> None:
    agreed = decision(State.ENABLED, endpoint=None)
    assert obstacle(now([agreed]), Kind.PERIODIC) == (
        "Consent was given for no endpoint, the endpoint is https://telemetry.example:443 now."
    )


def test_a_permit_is_for_one_kind_one_installation_and_one_endpoint() -> None:
    made = permit(now([ENABLED]), Kind.PERIODIC, "i")
    assert (made.kind, made.installation, made.endpoint) == (Kind.PERIODIC, "i", ENDPOINT)


def test_nobody_else_makes_permits() -> None:
    with pytest.raises(NotPermitted) as raised:
        Permit(Kind.PERIODIC, "i", ENDPOINT, object())
    assert raised.value.message == "Only the consent makes permits."


@pytest.mark.parametrize(
    ("history", "config", "error", "hint"),
    [
        ([], CONFIG, NotPermitted, "`telemetry enable --engine orders` permits it."),
        ([DISABLED], CONFIG, NotPermitted, "`telemetry enable --engine orders` permits it."),
        ([ENABLED], replace(CONFIG, do_not_track=True), NotPermitted, "Unset DO_NOT_TRACK for this command."),
        ([ENABLED], replace(CONFIG, endpoint=None), EndpointMissing,
         'Set endpoint = "https://..." in the configuration, or TELEMETRY_ENDPOINT.'),
        ([DISABLED], replace(CONFIG, endpoint=None), NotPermitted, "`telemetry enable --engine orders` permits it."),
    ],
)  # fmt: skip
def test_a_refusal_says_what_would_remove_the_obstacle(
    history: Sequence[Decision], config: Config, error: type[NotPermitted | EndpointMissing], hint: str
) -> None:
    with pytest.raises(error) as raised:
        permit(now(history, config), Kind.PERIODIC, "i")
    assert type(raised.value) is error
    assert raised.value.hint == hint


def consent_of(engine: str, state: State, **details: object) -> Consent:
    made = Consent(engine, state, None if state is State.NOT_CONFIGURED else decision(state, engine), ENDPOINT)
    return replace(made, **details)  # type: ignore[arg-type]  # names of fields with their values


@pytest.mark.parametrize(
    ("one", "other", "state"),
    [
        (State.ENABLED, State.ENABLED, State.ENABLED),
        (State.ENABLED, State.NOT_CONFIGURED, State.NOT_CONFIGURED),
        (State.ENABLED, State.DISABLED, State.DISABLED),
        (State.NOT_CONFIGURED, State.DISABLED, State.DISABLED),
    ],
)
def test_entries_of_one_installation_are_permitted_only_if_each_permits(one: State, other: State, state: State) -> None:
    a, b = consent_of("a", one), consent_of("b", other)
    assert strictest([a, b]).state is state
    assert strictest([b, a]).state is state


def test_a_veto_of_one_entry_is_one_for_the_installation() -> None:
    vetoed = consent_of("b", State.ENABLED, veto="No.")
    assert obstacle(strictest([consent_of("a", State.DISABLED), vetoed]), Kind.INITIAL) == "No."


def test_a_consent_for_another_endpoint_of_one_entry_holds_up_the_installation() -> None:
    moved = consent_of("b", State.ENABLED, decision=decision(State.ENABLED, "b", endpoint="https://old.example:443"))
    for order in ([consent_of("a", State.ENABLED), moved], [moved, consent_of("a", State.ENABLED)]):
        assert obstacle(strictest(order), Kind.PERIODIC).startswith("Consent was given for https://old.example:443")


def test_of_several_entries_the_withheld_fields_are_the_union_and_the_agreed_ones_the_common_ones() -> None:
    a = consent_of("a", State.ENABLED, withheld=frozenset({"jdk"}),
                   decision=decision(State.ENABLED, "a", fields=("database", "webapps")))  # fmt: skip
    b = consent_of("b", State.ENABLED, withheld=frozenset({"webapps"}),
                   decision=decision(State.ENABLED, "b", fields=("webapps", "metrics")))  # fmt: skip
    both = strictest([a, b])
    assert both.withheld == {"jdk", "webapps"}
    assert both.decision is not None
    assert both.decision.fields == ("webapps",)


def test_the_fields_to_withhold_come_from_the_configuration() -> None:
    assert now([ENABLED], replace(CONFIG, withhold=("jdk.vendor",))).withheld == {"jdk.vendor"}
    assert consent.strictest([now([ENABLED])]) == now([ENABLED])
