"""Types of settings: lengths of time, addresses and endpoints as they are written."""

from __future__ import annotations

from pathlib import Path

import pytest

from telemetry_core.config import Url, parse_endpoint, values
from telemetry_core.config.values import Unfit, duration_text, is_loopback, parse_duration
from telemetry_core.model import Endpoint


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [("1s", 1_000), ("90s", 90_000), ("15m", 900_000), ("24h", 86_400_000), ("7d", 604_800_000),
     ("1h30m", 5_400_000), ("1d1h1m1s", 90_061_000), ("0h5m", 300_000)],
)  # fmt: skip
def test_a_length_of_time_is_numbers_with_units(text: str, milliseconds: int) -> None:
    assert parse_duration(text) == milliseconds


@pytest.mark.parametrize("text", ["", "5", "h", "5 m", "5M", "5min", "-5m", "1.5h", "5m ", "m5", "5ms", "1234567890s"])
def test_anything_else_is_no_length_of_time(text: str) -> None:
    with pytest.raises(Unfit):
        parse_duration(text)


@pytest.mark.parametrize(("text", "fits"), [("0s", False), ("1s", True), ("366d", True), ("366d1s", False)])
def test_a_setting_lasts_from_a_second_to_a_year(text: str, fits: bool) -> None:
    if fits:
        values.DURATION.read(text, Path())
    else:
        with pytest.raises(Unfit):
            values.DURATION.read(text, Path())


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [(86_400_000, "24h"), (604_800_000, "168h"), (5_400_000, "90m"), (90_000, "90s"), (1_000, "1s")],
)
def test_a_length_of_time_is_shown_in_hours_minutes_or_seconds(milliseconds: int, text: str) -> None:
    assert duration_text(milliseconds) == text


@pytest.mark.parametrize(
    ("text", "scheme", "host", "port", "origin"),
    [
        ("https://t.example/pings", "https", "t.example", 443, "https://t.example:443"),
        ("https://t.example", "https", "t.example", 443, "https://t.example:443"),
        ("http://127.0.0.1:8080/pings?a=b", "http", "127.0.0.1", 8080, "http://127.0.0.1:8080"),
        ("http://localhost/", "http", "localhost", 80, "http://localhost:80"),
        ("https://[2001:db8::1]:8443/p", "https", "2001:db8::1", 8443, "https://[2001:db8::1]:8443"),
        ("https://T.Example/Pings", "https", "t.example", 443, "https://t.example:443"),
    ],
)
def test_an_endpoint_is_a_scheme_a_host_and_a_port(text: str, scheme: str, host: str, port: int, origin: str) -> None:
    endpoint = parse_endpoint(text)
    assert endpoint == Endpoint(text, scheme, host, port)
    assert endpoint.origin == origin


@pytest.mark.parametrize(
    "text",
    [
        "", "t.example", "//t.example/p", "https:/t.example", "https://", "https:///p", "https://:443/p",
        "ftp://t.example/p", "file:///etc/passwd", "javascript:alert(1)", "https://t.example:0/p",
        "https://t.example:65536/p", "https://t.example:x/p", "https://t.example/p#part", "https://t example/p",
        "https://t.example/p q", "https://t\u2024example/p", "https://t.example/\u00e4", "https://t.example\\@evil/p",
        "https://[::1/p", "https://[v1.a]/p", "https://t.example/a\nb", "https://t,example/p", "https://%74.example/p",
    ],
)  # fmt: skip
def test_anything_that_could_be_read_in_two_ways_is_no_endpoint(text: str) -> None:
    with pytest.raises(Unfit):
        parse_endpoint(text)


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("http://127.0.0.1:8080/engine-rest/", Url("http://127.0.0.1:8080/engine-rest")),
        ("http://[::1]:8080/engine-rest", Url("http://[::1]:8080/engine-rest")),
        ("http://demo@h/r", Url("http://h/r", "demo")),
        ("https://h", Url("https://h")),
    ],
)
def test_an_address_has_no_slash_at_its_end_and_no_credentials(text: str, read: Url) -> None:
    assert values.URL.read(text, Path()) == read


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("localhost", True),
        ("127.0.0.1", True),
        ("127.255.255.254", True),
        ("::1", True),
        ("0.0.0.0", False),
        ("10.0.0.1", False),
        ("::", False),
        ("2130706433", False),
        ("127.1", False),
        ("localhost.example", False),
    ],
)
def test_loopback_is_this_machine_beyond_doubt(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback


@pytest.mark.parametrize("text", ["true", "True", " TRUE ", "1"])
def test_true_is_said_in_these_ways_in_a_text(text: str) -> None:
    assert values.FLAG.from_text(text) is True


@pytest.mark.parametrize("text", ["false", "FALSE", "0"])
def test_false_is_said_in_these_ways_in_a_text(text: str) -> None:
    assert values.FLAG.from_text(text) is False


def test_a_store_is_a_path_or_a_postgresql_url() -> None:
    assert values.STORE.read("state/telemetry.db", Path("/etc/telemetry")) == Path("/etc/telemetry/state/telemetry.db")
    assert values.STORE.read("/var/lib/t.db", Path("/etc")) == Path("/var/lib/t.db")
    assert values.STORE.read("postgresql://t@db/telemetry", Path()) == Url("postgresql://db/telemetry", "t")
