"""Which addresses are asked without a proxy: the forms that programs take in `NO_PROXY`."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass

_NAME = re.compile(r"(?:\*?\.)?([a-z0-9_-]+(?:\.[a-z0-9_-]+)*)\.?")
_BRACKETS = re.compile(r"\[([0-9a-f:.]+)\](?::(.+))?")
_PORT = re.compile(r"\d{1,5}")


@dataclass(frozen=True, slots=True)
class Exemption:
    """One entry: a network, or a name for itself and all below it, or neither for every host; of a port where given."""

    name: str | None = None
    network: ipaddress.IPv4Network | ipaddress.IPv6Network | None = None
    port: int | None = None


def parse(text: str) -> Exemption:
    """One entry: `*`, `host`, `.suffix`, `*.suffix`, an address, a network such as `10.0.0.0/8`, with `:port`.

    Raises:
        ValueError: It is none of them.
    """
    if text == "*":
        return Exemption()
    lower = text.lower()
    if bracketed := _BRACKETS.fullmatch(lower):
        host, port = bracketed[1], bracketed[2]
    elif lower.count(":") == 1:
        host, _, port = lower.partition(":")
    else:
        host, port = lower, None
    if port is not None and not _PORT.fullmatch(port):
        raise ValueError(f"{text!r} has no port behind its colon")
    number = None if port is None else int(port)
    try:
        return Exemption(network=ipaddress.ip_network(host, strict=False), port=number)
    except ValueError:
        name = _NAME.fullmatch(host)
        if name is None:
            raise ValueError(f"{text!r} is neither a host nor a network") from None
        return Exemption(name=name[1], port=number)


def is_exempt(host: str, port: int, entries: Iterable[str]) -> bool:
    """Whether a host (without brackets) is asked without the proxy; a name below an entry is, as with curl.

    Raises:
        ValueError: An entry is none.
    """
    name = host.lower().rstrip(".")
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        address = None
    for one in map(parse, entries):
        if one.port not in (None, port):
            continue
        if one.network is not None:
            matches = address is not None and address in one.network
        elif one.name is not None:
            matches = address is None and (name == one.name or name.endswith(f".{one.name}"))
        else:
            matches = True
        if matches:
            return True
    return False
