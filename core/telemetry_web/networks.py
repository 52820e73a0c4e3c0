"""Addresses as they count for limits: in one spelling, and of IPv6 the network that one customer has."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address


def address_of(text: str) -> IPv4Address | IPv6Address | None:
    """The address in a text, which may have brackets, a port and a zone; None where there is none.

    One of IPv4 that is written as one of IPv6 (RFC 4291 §2.5.5.2) is one of IPv4.
    """
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        found = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    if isinstance(found, IPv6Address) and found.ipv4_mapped is not None:
        return found.ipv4_mapped
    return found


def canonical(address: IPv4Address | IPv6Address) -> str:
    """An address in one spelling: `203.0.113.7`; of IPv6 the network that one customer has, `2001:db8::/64`."""
    if isinstance(address, IPv4Address):
        return str(address)
    return str(IPv6Network((int(address) >> 64 << 64, 64)))


def place_of(text: str) -> str:
    """Where somebody comes from, for counting: the canonical address, or the text itself where it is no address."""
    found = address_of(text)
    return text if found is None else canonical(found)
