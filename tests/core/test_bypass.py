"""`telemetry_core.bypass`: which addresses are asked without a proxy, in every form that is usual."""

from __future__ import annotations

import pytest

from telemetry_core import bypass

TABLE = [
    ("*", "telemetry.example", 443, True),
    ("*", "10.1.2.3", 443, True),
    ("*", "::1", 443, True),
    ("telemetry.example", "telemetry.example", 443, True),
    ("Telemetry.EXAMPLE", "telemetry.example", 443, True),
    ("telemetry.example", "TELEMETRY.Example", 443, True),
    ("telemetry.example", "a.telemetry.example", 443, True),
    ("telemetry.example", "nottelemetry.example", 443, False),
    ("telemetry.example", "telemetry.example.org", 443, False),
    ("telemetry.example.", "telemetry.example", 443, True),
    ("telemetry.example", "telemetry.example.", 443, True),
    (".example", "telemetry.example", 443, True),
    (".example", "example", 443, True),
    ("*.example", "telemetry.example", 443, True),
    (".example", "telemetryexample", 443, False),
    ("localhost", "localhost", 80, True),
    ("localhost", "127.0.0.1", 80, False),
    ("telemetry.example:8443", "telemetry.example", 8443, True),
    ("telemetry.example:8443", "telemetry.example", 443, False),
    (".example:8443", "telemetry.example", 8443, True),
    ("10.1.2.3", "10.1.2.3", 443, True),
    ("10.1.2.3", "10.1.2.33", 443, False),
    ("10.1.2.3:8443", "10.1.2.3", 8443, True),
    ("10.1.2.3:8443", "10.1.2.3", 443, False),
    ("10.0.0.0/8", "10.255.0.1", 443, True),
    ("10.0.0.0/8", "11.0.0.1", 443, False),
    ("10.9.9.9/8", "10.1.1.1", 443, True),
    ("0.0.0.0/0", "10.1.1.1", 443, True),
    ("0.0.0.0/0", "::1", 443, False),
    ("0.0.0.0/0", "telemetry.example", 443, False),
    ("2.3", "10.1.2.3", 443, False),
    ("::1", "::1", 443, True),
    ("[::1]", "::1", 443, True),
    ("0:0:0:0:0:0:0:1", "::1", 443, True),
    ("[::1]:8443", "::1", 8443, True),
    ("[::1]:8443", "::1", 443, False),
    ("FD00::/8", "fd12:3456::1", 443, True),
    ("fd00::/8", "fe80::1", 443, False),
]


@pytest.mark.parametrize(("entry", "host", "port", "exempt"), TABLE)
def test_an_entry_stands_for_a_name_with_all_below_it_or_for_a_network(
    entry: str, host: str, port: int, exempt: bool
) -> None:
    assert bypass.is_exempt(host, port, [entry]) is exempt


def test_one_entry_of_several_is_enough_and_none_exempts_nothing() -> None:
    assert bypass.is_exempt("b.example", 443, ["a.example", "b.example", "c.example"])
    assert not bypass.is_exempt("b.example", 443, [])


@pytest.mark.parametrize(
    "text", ["", ".", "*.", "a b", "10.0.0.0/33", "a:b", "a:", "[::1", "[::1]:x", "<local>", "http://a.example", "a/8"]
)
def test_what_is_no_host_and_no_network_is_told(text: str) -> None:
    with pytest.raises(ValueError, match=r"neither a host nor a network|no port behind its colon"):
        bypass.parse(text)
