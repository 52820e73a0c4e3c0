"""The request that carries a report: its headers, its id, and dates as the engines write them."""

from __future__ import annotations

import pytest

from telemetry_core import wire
from telemetry_core.model import Document, Endpoint

DOCUMENT = Document(b'{"a":1}', "015abd7f5cc57a2dd94b7590f04ad8084273905ee33ec5cebeae62276a97f862")
INSTALLATION = "8343cc7a-8ad1-42d4-97d2-43452c0bdfa3"


def endpoint(scheme: str, host: str, port: int) -> Endpoint:
    return Endpoint(f"{scheme}://{host}:{port}/pings", scheme, host, port)


def test_the_request_has_these_headers_and_no_other() -> None:
    to = Endpoint("https://telemetry.example.com/pings?x=1", "https", "telemetry.example.com", 443)
    request = wire.request(DOCUMENT, to, "3613a97f-d27a-5c6d-a98a-59a50957b1ae")
    assert request.method == "POST"
    assert request.url == "https://telemetry.example.com/pings?x=1"
    assert request.body == b'{"a":1}'
    assert request.headers == (
        ("Host", "telemetry.example.com"),
        ("Content-Type", "application/json"),
        ("Content-Length", "7"),
        ("User-Agent", "telemetry/0.1.0"),
        ("Accept-Encoding", "identity"),
        ("Idempotency-Key", "3613a97f-d27a-5c6d-a98a-59a50957b1ae"),
        ("Content-Digest", "sha-256=:AVq9f1zFei3ZS3WQ8ErYCEJzkF7jPsXOvq5iJ2qX+GI=:"),
    )


def test_the_length_is_in_bytes() -> None:
    request = wire.request(Document("ß".encode(), "00"), endpoint("https", "h", 443), "id")
    assert dict(request.headers)["Content-Length"] == "2"


@pytest.mark.parametrize(
    ("to", "host"),
    [
        (endpoint("https", "h.example", 443), "h.example"),
        (endpoint("https", "h.example", 8443), "h.example:8443"),
        (endpoint("http", "127.0.0.1", 80), "127.0.0.1"),
        (endpoint("http", "127.0.0.1", 443), "127.0.0.1:443"),
        (endpoint("https", "::1", 443), "[::1]"),
        (endpoint("https", "::1", 8443), "[::1]:8443"),
    ],
)
def test_the_host_header_names_a_port_that_is_not_the_schemes(to: Endpoint, host: str) -> None:
    assert dict(wire.request(DOCUMENT, to, "id").headers)["Host"] == host


def test_the_id_of_the_initial_report_comes_from_the_installation_alone_and_stays_the_same_for_ever() -> None:
    """A UUIDv5 in 5e0b9d1c-7a37-5f0e-9c0a-6b1f4c3a2d70 of the installation, a line feed, and `initial`."""
    assert wire.initial_id(INSTALLATION) == "80a10329-8677-50ee-9279-4adb2363a512"


def test_the_id_of_a_periodic_report_comes_from_installation_window_and_ordinal() -> None:
    assert wire.periodic_id(INSTALLATION, 1_795_474_808_920, 0) == "3613a97f-d27a-5c6d-a98a-59a50957b1ae"
    assert wire.periodic_id(INSTALLATION, 1_795_474_808_920, 1) == "87a8c57d-4ab3-507b-9139-426849ab1ce4"


def test_ids_differ_wherever_installation_window_ordinal_or_kind_do() -> None:
    ids = [
        wire.initial_id("a"),
        wire.initial_id("b"),
        wire.periodic_id("a", 0, 0),
        wire.periodic_id("b", 0, 0),
        wire.periodic_id("a", 1, 0),
        wire.periodic_id("a", 0, 1),
        wire.periodic_id("a", 11, 0),
        wire.periodic_id("a", 1, 10),
    ]
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize(
    ("instant", "text"),
    [
        (1_795_474_808_920, "2026-11-23T23:00:08.920+0000"),
        (0, "1970-01-01T00:00:00.000+0000"),
        (1_795_474_808_007, "2026-11-23T23:00:08.007+0000"),
        (1_709_164_800_999, "2024-02-29T00:00:00.999+0000"),
    ],
)
def test_dates_are_utc_with_milliseconds_and_an_offset_without_colon(instant: int, text: str) -> None:
    assert wire.date(instant) == text
