"""The type of settings that name addresses and networks of this or other hosts."""

from __future__ import annotations

import re
from pathlib import Path

from telemetry_core.config.values import Type, Unfit


def _networks(value: object, _base: Path) -> tuple[str, ...]:
    import ipaddress

    if not isinstance(value, list):
        raise Unfit("")
    for network in value:
        try:
            ipaddress.ip_network(str(network))
        except ValueError as error:
            raise Unfit(str(error)) from None
    return tuple(map(str, value))


def _from_text(text: str) -> object:
    return re.findall(r"[^\s,]+", text)


NETWORKS = Type(
    'a list of addresses and networks such as ["127.0.0.1", "10.0.0.0/8"]',
    _networks,
    {"type": "array", "items": {"type": "string"}},
    _from_text,
)
