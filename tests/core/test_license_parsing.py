"""Licence texts that are set here: what is data, what is refused, which of two counts, when one ends. All made up."""

from __future__ import annotations

import json
import time
import traceback
from contextlib import suppress
from dataclasses import replace

import pytest

from telemetry_core.errors import LicenseRefused
from telemetry_core.license import days_left, parse, prefer, warning
from telemetry_core.model import HOUR, License
from telemetry_core.secret import Secret
from tests.core.test_license import BEGIN, END, SIGNATURE

CANARY = "Q0FOQVJZY2FuYXJ5"
UNIFIED = "customer=ACME;expiryDate=2030-12-31;camundaBPM=true;optimize=false;cawemo=false"
UNIFIED_LICENSE = License(
    raw=UNIFIED,
    customer="ACME",
    type="UNIFIED",
    valid_until="2030-12-31",
    unlimited=False,
    features={"camundaBPM": "true"},
)
NOON = 1_795_521_600_000  # 2026-11-24T12:00:00Z


def parsed(text: str) -> License:
    return parse(Secret(text))


def refusal(text: str) -> LicenseRefused:
    with pytest.raises(LicenseRefused) as raised:
        parsed(text)
    return raised.value


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_the_whole_key_as_it_is_delivered_is_structured_without_its_signature(line_end: str) -> None:
    """The published example of the structured form (facts §7.2): features are those that are enabled."""
    lines = [BEGIN, SIGNATURE, SIGNATURE[:20], f";{UNIFIED}", END, ""]
    assert parsed(line_end.join(lines)) == UNIFIED_LICENSE


@pytest.mark.parametrize(
    "text",
    [
        f"{SIGNATURE};{UNIFIED}",
        f"\ufeff{SIGNATURE};{UNIFIED}\n",
        f"{BEGIN} {SIGNATURE};{UNIFIED} {END}",
        f"{BEGIN}{SIGNATURE};{UNIFIED}{END}",
        f"{BEGIN.replace('CAMUNDA BPM', 'OPTIMIZE')}\n{SIGNATURE};{UNIFIED}\n{END.replace('CAMUNDA BPM', 'OPTIMIZE')}",
    ],
)
def test_header_and_footer_may_be_missing_be_of_optimize_or_stand_in_one_line(text: str) -> None:
    assert parsed(text) == UNIFIED_LICENSE


@pytest.mark.parametrize(
    ("raw", "structured"),
    [
        ("my company;unlimited", {"customer": "my company", "unlimited": True}),
        (
            "Müller & Söhne;2030-12-31",
            {"customer": "Müller & Söhne", "valid_until": "2030-12-31", "unlimited": False},
        ),
        ("A; B;2030-12-31", {"customer": "A; B", "valid_until": "2030-12-31", "unlimited": False}),
        ("ACME;2030-02-31", {}),
        ("testLicenseKey", {}),
        ("testLicenseKey;more;data", {}),
        ("unlimited", {}),
        ("a=b;c=d", {}),
        (
            "customer=ACME;expiryDate=unlimited;nodes=5",
            {"customer": "ACME", "type": "UNIFIED", "unlimited": True, "features": {"nodes": "5"}},
        ),
        (
            "customer=ACME;expiryDate=2030-02-31;",
            {"customer": "ACME", "type": "UNIFIED", "features": {}},
        ),
    ],
)
def test_both_text_forms_are_structured_and_any_other_text_stays_raw(raw: str, structured: dict[str, object]) -> None:
    found = parsed(f"c2hvcnQ=;{raw}")
    assert found == replace(License(raw=raw), **structured)  # type: ignore[arg-type]


def test_a_text_without_a_semicolon_is_raw_whole() -> None:
    """As the engine does it (facts §7.1)."""
    assert parsed(" testLicenseKey\n") == License(raw="testLicenseKey")


def test_a_json_licence_of_cib_seven_is_understood_without_its_signature() -> None:
    given = {
        "customer": "ACME; Sons",
        "type": "ENTERPRISE",
        "expires": "2030-12-31",
        "unlimited": False,
        "features": {"cockpit": True, "nodes": 5, "x": "y"},
        "signature": SIGNATURE,
        "another": SIGNATURE,
    }
    assert parsed(json.dumps(given, indent=2)) == License(
        customer="ACME; Sons",
        type="ENTERPRISE",
        valid_until="2030-12-31",
        unlimited=False,
        features={"cockpit": "true", "nodes": "5", "x": "y"},
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        " \n ",
        f"{BEGIN}\n{END}",
        f"{BEGIN}\n{CANARY}\n{END}",
        f"{BEGIN} {CANARY}",
        f"{CANARY};",
        f"{CANARY};\n{END}",
        CANARY * 4,
        f"x;{CANARY * 4}",
        f"x;{(CANARY * 2)}\n{CANARY * 2}",
        f'"signature": "{CANARY}"',
        f'[{{"signature": "{CANARY}"}}]',
        f'x;{{"signature" : "{CANARY}"}}',
        f'{{"signature": "{CANARY}"',
        f'{{"signature": "{CANARY}"}}',
        f'{{"licenseKey": "{CANARY}"}}',
        f'{{"customer": ["{CANARY}"]}}',
        f'{{"customer": "{CANARY * 4}"}}',
        f'{{"customer": "a", "features": {{"{CANARY * 4}": "b"}}}}',
        "{" * 100_000,
        f"{CANARY};a\x00b",
        f"{CANARY};a\x1b[2J",
        f"{CANARY};\udcff",
    ],
)
def test_a_text_that_may_be_signature_or_is_none_is_refused_and_never_repeated(text: str) -> None:
    error = refusal(text)
    assert error.exit_status == 2
    assert error.hint
    assert CANARY not in "".join(traceback.format_exception(error, chain=True))
    assert error.__context__ is None or error.__suppress_context__


@pytest.mark.parametrize("text", ["-" * 65_000, "---BEGIN" * 8_000, "--- " * 16_000, "; " * 32_000, "=;" * 32_000])
def test_the_largest_keys_are_read_in_a_moment(text: str) -> None:
    begun = time.process_time()
    with suppress(LicenseRefused):
        parsed(text)
    assert time.process_time() - begun < 1


def test_the_same_raw_text_keeps_the_richer_form() -> None:
    engine = License(raw=UNIFIED.replace(";", ";", 1) + "\n")
    assert prefer(UNIFIED_LICENSE, engine) == (UNIFIED_LICENSE, True)
    own = License(raw=UNIFIED)
    assert prefer(own, UNIFIED_LICENSE) == (UNIFIED_LICENSE, True)
    assert prefer(own, engine) == (engine, True), "of two as rich ones the engine's"


def test_of_two_that_differ_the_one_set_here_counts_however_poor_it_is() -> None:
    own = License(raw="my company")
    assert prefer(own, UNIFIED_LICENSE) == (own, False)


def test_licences_without_raw_are_the_same_where_all_else_is() -> None:
    own = License(customer="ACME", valid_until="2030-12-31")
    assert prefer(own, replace(own, raw=None)) == (own, True)
    assert prefer(own, replace(own, customer="B")) == (own, False)


@pytest.mark.parametrize(
    ("end", "left", "words"),
    [
        ("2027-01-24", 61, ""),
        ("2027-01-23", 60, "The licence ends on 2027-01-23, in 60 days."),
        ("2026-11-25", 1, "The licence ends on 2026-11-25, in 1 day."),
        ("2026-11-24", 0, "The licence ends on 2026-11-24, today."),
        ("2026-11-23", -1, "The licence ended on 2026-11-23."),
        ("2026-11-25T00:00:00Z", 1, "The licence ends on 2026-11-25, in 1 day."),
        ("soon", None, ""),
    ],
)
def test_a_licence_is_warned_about_from_60_days_before_its_end_on(end: str, left: int | None, words: str) -> None:
    found = License(valid_until=end)
    assert (days_left(found, NOON), warning(found, NOON)) == (left, words)


def test_an_unlimited_licence_and_one_without_an_end_are_never_warned_about() -> None:
    assert days_left(License(raw="r"), NOON) is None
    assert warning(License(valid_until="2026-11-25", unlimited=True), NOON) == ""
    assert warning(License(valid_until="2026-11-25"), 10**18) == "", "a clock beyond all calendars"
    assert warning(License(valid_until="2026-11-25"), NOON + 11 * HOUR) != ""
