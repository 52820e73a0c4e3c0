"""What of a report is never stored: a licence text that may hold a signature (DESIGN §1; facts §7, §10.19)."""

from __future__ import annotations

import hashlib
import re

import msgspec

from telemetry_core import license as licenses

PLACE = "product.internals.license-key.raw"
"""What is withheld, as paths of a report are written."""

_INSTEAD = b'"[withheld]"'
_STRINGS = re.compile(rb'(?:"[^"\\]{0,11}"[^"]*)+|("[^"\\]*(?:\\.[^"\\]*)*")', re.DOTALL)
"""Strings that are too short to hold a signature, however many follow each other; or one that may be long enough."""


def storable(body: bytes, raw: str | None) -> bytes:
    """A report as it may be stored: byte for byte, but for the text of its licence where that may hold a signature.

    Engines pass a licence text without any `;` on whole. Wherever the same text stands in the report, `[withheld]`
    stands instead.

    Args:
        body: The report, found to be one.
        raw: Its `license-key.raw`.
    """
    if raw is None or licenses.clean(raw) is not None:
        return body
    return _STRINGS.sub(lambda found: _INSTEAD if found[1] and msgspec.json.decode(found[1]) == raw else found[0], body)


def is_withheld(body: bytes, sha256: str) -> bool:
    """Whether something was withheld from a stored report, of which the digest is that of the bytes that came."""
    return _INSTEAD in body and hashlib.sha256(body).hexdigest() != sha256
