"""Licence texts from an engine: what is data stays, what may hold a signature does not pass. All texts are made up."""

from __future__ import annotations

import time

import pytest

from telemetry_core.license import clean

BEGIN = "--------------- BEGIN CAMUNDA BPM LICENSE KEY ---------------"
END = "---------------  END CAMUNDA BPM LICENSE KEY  ---------------"
SIGNATURE = "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAmadeupmadeupmadeup01"


@pytest.mark.parametrize(
    "raw",
    [
        "my company;unlimited",
        "customer=ACME;expiryDate=2030-12-31;camundaBPM=true;optimize=false;cawemo=false",
        "testLicenseKey",
        "testLicenseKey;more;data",
        "Müller & Söhne <AG>;2030-12-31",
        "two\nlines;unlimited",
        "a - b;---;2030-12-31",
        "",
    ],
)
def test_plain_data_passes_unchanged(raw: str) -> None:
    assert clean(raw) == raw


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
@pytest.mark.parametrize(
    "footer", [END, f"  {END}  ", END.replace("LICENSE", "LICENCE"), END.replace("BPM", "OPTIMIZE")]
)
def test_the_footer_that_the_engine_leaves_in_is_cut(footer: str, line_end: str) -> None:
    """The engine cuts before the first `;` alone (facts §7.1)."""
    assert clean(f"ACME;2030-12-31{line_end}{footer}{line_end}") == "ACME;2030-12-31"


def test_a_header_is_cut_too() -> None:
    assert clean(f"{BEGIN}\nACME;2030-12-31\n{END}") == "ACME;2030-12-31"


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_a_text_with_a_header_and_no_semicolon_may_be_all_signature(line_end: str) -> None:
    assert clean(line_end.join([BEGIN, "c2hvcnQ=", END, ""])) is None


@pytest.mark.parametrize(
    "raw",
    [
        '{"customer":"ACME","signature":"c2hvcnQ="}',
        '{"signature" : "c2hvcnQ=", "a": 1}',
        '{"customer":"ACME;Sons","signature":"c2hvcnQ="}',
        '{"signature"\n:"c2hvcnQ="}',
    ],
)
def test_a_json_signature_does_not_pass(raw: str) -> None:
    assert clean(raw) is None


@pytest.mark.parametrize(
    "raw",
    [
        SIGNATURE,
        f"{SIGNATURE};ACME;unlimited",
        f"ACME;{SIGNATURE}",
        f"{SIGNATURE[:40]}\n{SIGNATURE[40:]}",
        f"{SIGNATURE[:40]}\r\n  {SIGNATURE[40:]}",
        f"{SIGNATURE[:40]}\r{SIGNATURE[40:]}",
        "\n".join([SIGNATURE[:20], SIGNATURE[20:40], SIGNATURE[40:]]),
    ],
)
def test_a_base64_run_of_64_characters_does_not_pass_wrapped_or_not(raw: str) -> None:
    assert len(SIGNATURE) == 64
    assert clean(raw) is None


def test_a_base64_run_of_63_characters_is_a_name() -> None:
    assert clean(SIGNATURE[:63]) == SIGNATURE[:63]


@pytest.mark.parametrize(
    "text", ["-" * 1_000_000, "a" + " " * 1_000_000 + "b", "---LICENSE KEY" * 70_000, "\n" * 1_000_000]
)
def test_the_largest_answers_are_looked_through_in_a_moment(text: str) -> None:
    started = time.process_time()
    clean(text)
    assert time.process_time() - started < 2
