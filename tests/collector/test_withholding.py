"""No licence signature is kept (promise 5): engines pass a text without any `;` on whole, and send it as `raw`."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from telemetry_collector.withholding import PLACE, is_withheld, storable
from telemetry_core.store import Place
from tests.support.collecting import Collector, captured, exported
from tests.support.disk import contents
from tests.support.postgresql import PostgreSQL
from tests.support.program import Program

SIGNATURE = "CanarySignatureOfALicenceThatMustNotLeaveTheMemoryOfTheService0123456789/abc+d=="
RAW = "customer=ACME;expiryDate=2030-12-31"


def with_license(raw: str, *, installation: str | None = None, gson: bool = True) -> bytes:
    """What a real engine sent, with a licence text, spelled as the engine's JSON does (facts §1.1)."""
    body = captured("7.17.0", 2)
    if installation is not None:
        body = body.replace(json.loads(body)["installation"].encode(), installation.encode())
    license_key = dict.fromkeys(("customer", "type", "valid-until", "unlimited", "features")) | {"raw": raw}
    text = json.dumps(license_key, separators=(",", ":"))
    if gson:
        text = text.replace("=", "\\u003d").replace("'", "\\u0027")
    changed = body.replace(b'"license-key":null', b'"license-key":' + text.encode())
    assert changed != body
    return changed


def spellings() -> list[bytes]:
    """The signature as it could lie on a disk."""
    return [SIGNATURE.encode(), SIGNATURE.replace("=", "\\u003d").encode(), SIGNATURE[:40].encode()]


def guilty(*directories: Path) -> list[str]:
    """Files that have it."""
    return [str(path) for path, content in contents(*directories).items() if any(one in content for one in spellings())]


def test_a_signature_is_nowhere_on_the_disk_and_in_no_export(
    ready: Program, place: Place, request: pytest.FixtureRequest
) -> None:
    directories = [ready.directory]
    with Collector(ready) as collector:
        alone = collector.send(with_license(SIGNATURE))
        keyed = collector.send(with_license(SIGNATURE, installation="keyed"), "key")
        batch = collector.send_batch((None, with_license(SIGNATURE, installation="of a batch", gson=False)))
        plain = collector.send(with_license(RAW, installation="plain"))
        assert [one.status for one in (alone, keyed, batch, plain)] == [202] * 4
        if place != ready.store:
            server: PostgreSQL = request.getfixturevalue("postgresql")
            server.execute("postgres", "CHECKPOINT")
            directories.append(server.directory)  # with its write-ahead log, and its log of every statement
        assert guilty(*directories) == []
        given = ready("collector", "export").stdout + ready("collector", "export", "--format", "csv").stdout
        assert not any(one in given for one in spellings())
        assert [one.get("withheld") for one in exported(ready)] == [[PLACE]] * 3 + [None]
        assert alone.json["sha256"] == hashlib.sha256(with_license(SIGNATURE)).hexdigest(), "as the sender has it"
        assert collector.send(with_license(SIGNATURE)).json == {**alone.json, "duplicate": True}
    assert guilty(*directories) == []
    assert collector.errors == b""


def test_all_else_of_the_report_is_exported_as_it_came(program: Program) -> None:
    program.config.touch()
    with Collector(program) as collector:
        collector.send(with_license(SIGNATURE))
        (one,) = exported(program)
    expected = json.loads(with_license(SIGNATURE))
    expected["product"]["internals"]["license-key"]["raw"] = "[withheld]"
    assert one["report"] == expected


@pytest.mark.parametrize(
    "raw",
    [RAW, "ACME;2030-12-31", "ACME;unlimited", "", "customer=ACME", "-----BEGIN X LICENSE KEY-----\nACME;2030-12-31"],
)
def test_a_licence_text_without_a_signature_is_kept_byte_for_byte(raw: str) -> None:
    body = with_license(raw)
    assert storable(body, raw) == body


@pytest.mark.parametrize(
    "raw",
    [
        SIGNATURE,
        f"{SIGNATURE[:50]}\n{SIGNATURE[50:]}",
        f'{{"customer": "ACME", "signature": "{SIGNATURE[:20]}"}}',
        f"-----BEGIN X LICENSE KEY-----\n{SIGNATURE[:30]}",
        f"{SIGNATURE} \\ \" ' \u2028 ö",
    ],
)
@pytest.mark.parametrize("gson", [True, False])
def test_one_that_may_hold_a_signature_is_taken_out_in_every_spelling(raw: str, gson: bool) -> None:
    body = with_license(raw, gson=gson)
    kept = storable(body, raw)
    assert kept == with_license("[withheld]")
    assert is_withheld(kept, hashlib.sha256(body).hexdigest())


def test_the_same_text_elsewhere_in_the_report_is_taken_out_too() -> None:
    text = json.dumps(SIGNATURE).encode()
    body = b'{"product":{"name":"x","internals":{"license-key":{"raw":%s,"whole":%s}}},%s:[%s]}' % (
        text,
        text,
        text,
        text,
    )
    assert SIGNATURE.encode() not in storable(body, SIGNATURE)
    json.loads(storable(body, SIGNATURE))


def test_what_a_sender_has_withheld_itself_is_not_marked() -> None:
    body = with_license("[withheld]")
    assert not is_withheld(body, hashlib.sha256(body).hexdigest())
    assert is_withheld(body, hashlib.sha256(b"other bytes").hexdigest())
