"""A report prepared earlier is held against the consent of now before every attempt."""

from __future__ import annotations

from dataclasses import replace

import pytest

from telemetry_core.consent import Consent, misfit
from telemetry_core.model import Counts, Decision, Document, Endpoint, Kind, Report, ReportState, State, Trigger

ENDPOINT = Endpoint("https://telemetry.example/pings", "https", "telemetry.example", 443)
DECISION = Decision("orders", State.ENABLED, requests=True, decided_at=1, decided_by="root", how="command",
                    endpoint="https://telemetry.example:443")  # fmt: skip
CONSENT = Consent("orders", State.ENABLED, DECISION, ENDPOINT)
REPORT = Report(
    id="3613a97f-d27a-5c6d-a98a-59a50957b1ae",
    installation="i",
    kind=Kind.PERIODIC,
    trigger=Trigger.DUE,
    state=ReportState.PENDING,
    engines=("orders",),
    endpoint="https://telemetry.example:443",
    document=Document(b"{}", ""),
    carried=Counts(),
    fields=("installation", "jdk", "commands", "integration", "license-key"),
    withheld=("webapps", "jdk.vendor"),
    slot=None,
    window_start=0,
    window_end=0,
    created_at=0,
)
INITIAL = replace(REPORT, kind=Kind.INITIAL, fields=("installation", "telemetry-enabled"), withheld=())


def test_a_report_that_was_prepared_under_the_same_consent_fits() -> None:
    assert misfit(CONSENT, REPORT) == ""
    assert misfit(CONSENT, INITIAL) == ""


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        (State.DISABLED, "Telemetry is disabled for orders."),
        (State.NOT_CONFIGURED, "Telemetry is not configured for orders."),
    ],
)
def test_a_periodic_report_fits_only_while_telemetry_is_enabled(state: State, reason: str) -> None:
    assert misfit(replace(CONSENT, state=state), REPORT) == reason
    assert misfit(replace(CONSENT, state=state), INITIAL) == ""


@pytest.mark.parametrize("report", [REPORT, INITIAL])
def test_no_report_fits_after_all_requests_were_forbidden(report: Report) -> None:
    silenced = replace(CONSENT, state=State.DISABLED, decision=replace(DECISION, requests=False))
    assert misfit(silenced, report) == "All requests were forbidden with `telemetry disable --no-requests`."


@pytest.mark.parametrize("report", [REPORT, INITIAL])
def test_a_report_for_another_endpoint_does_not_fit(report: Report) -> None:
    moved = replace(CONSENT, endpoint=Endpoint("https://other.example/pings", "https", "other.example", 443))
    assert misfit(moved, report) == (
        "It was prepared for https://telemetry.example:443; the endpoint is https://other.example:443 now."
    )


def test_another_path_of_the_same_endpoint_fits() -> None:
    other = Endpoint("https://telemetry.example/v2", "https", "telemetry.example", 443)
    assert misfit(replace(CONSENT, endpoint=other), REPORT) == ""


@pytest.mark.parametrize("name", ["jdk", "jdk.version", "commands.DeployCmd", "integration", "license-key.raw"])
def test_a_report_that_holds_what_is_withheld_now_does_not_fit(name: str) -> None:
    withheld = frozenset({name, "webapps", "jdk.vendor"})
    assert misfit(replace(CONSENT, withheld=withheld), REPORT) == f"It holds what is withheld now: {name}."


@pytest.mark.parametrize("name", ["webapps", "jdk.vendor", "database", "metrics.process-instances"])
def test_a_report_that_has_nothing_of_what_is_withheld_now_fits(name: str) -> None:
    assert misfit(replace(CONSENT, withheld=frozenset({name})), REPORT) == ""


@pytest.mark.parametrize("for_now", [{"veto": "DO_NOT_TRACK is set in this environment."}, {"endpoint": None}])
def test_what_forbids_for_the_time_being_keeps_a_report_waiting(for_now: dict[str, str | None]) -> None:
    assert misfit(replace(CONSENT, **for_now), REPORT) == ""  # type: ignore[arg-type]  # names of fields
