"""The tree of errors: exit statuses that a script can rely on, codes that stay, a message and a next step."""

from __future__ import annotations

import re

import pytest

from telemetry_core import errors
from telemetry_core.errors import TelemetryError, all_errors, first_by_precedence


def test_every_kind_of_failure_has_the_exit_status_of_the_design() -> None:
    """DESIGN §2. A new kind belongs in here with its status."""
    assert {kind.code: kind.exit_status for kind in all_errors()} == {
        "bug": 1,
        "usage": 2,
        "unknown-engine": 2,
        "unknown-report": 2,
        "license-refused": 2,
        "configuration": 3,
        "endpoint-missing": 3,
        "secret-exposed": 3,
        "not-schedulable": 3,
        "not-permitted": 4,
        "decided-meanwhile": 4,
        "engine": 5,
        "engine-unreachable": 5,
        "engine-refused": 5,
        "not-an-engine": 5,
        "nothing-there": 5,
        "engine-name-unknown": 5,
        "application-server-unknown": 5,
        "installation-unknown": 5,
        "delivery-failed": 6,
        "already-sending": 7,
        "store": 8,
        "store-damaged": 8,
        "store-lost": 8,
        "store-unavailable": 8,
        "store-foreign": 8,
        "store-too-new": 8,
    }


def test_every_kind_has_a_code_of_its_own() -> None:
    codes = [kind.code for kind in all_errors()]
    assert len(set(codes)) == len(codes)
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", code) for code in codes)


def test_parents_come_before_their_children() -> None:
    kinds = all_errors()
    assert kinds[0] is TelemetryError
    for kind in kinds[1:]:
        assert kinds.index(kind.__mro__[1]) < kinds.index(kind)


def test_an_error_has_a_message_and_may_have_a_next_step() -> None:
    error = errors.StoreDamaged("The store is damaged.", hint="Keep it.")
    assert (error.message, error.hint, str(error)) == ("The store is damaged.", "Keep it.", "The store is damaged.")
    assert errors.StoreDamaged("The store is damaged.").hint == ""


STORE = errors.StoreDamaged("s")
CONFIGURATION = errors.EndpointMissing("c")
ENGINE = errors.EngineUnreachable("e")
DELIVERY = errors.DeliveryFailed("d")
PERMIT = errors.NotPermitted("p")


@pytest.mark.parametrize(
    ("failures", "first"),
    [
        ([PERMIT, DELIVERY, ENGINE, CONFIGURATION, STORE], STORE),
        ([PERMIT, DELIVERY, ENGINE, CONFIGURATION], CONFIGURATION),
        ([PERMIT, DELIVERY, ENGINE], ENGINE),
        ([PERMIT, DELIVERY], DELIVERY),
        ([PERMIT], PERMIT),
    ],
)
def test_of_several_failures_the_most_serious_one_decides(
    failures: list[TelemetryError], first: TelemetryError
) -> None:
    assert first_by_precedence(failures) is first
    assert first_by_precedence(failures[::-1]) is first


def test_of_failures_of_one_kind_the_first_one_decides() -> None:
    other = errors.EngineRefused("r")
    assert first_by_precedence([ENGINE, other]) is ENGINE


def test_a_bug_is_never_hidden_behind_a_failure_of_the_design() -> None:
    bug = TelemetryError("b")
    assert first_by_precedence([STORE, bug]) is bug
