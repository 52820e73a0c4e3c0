"""The rules for licence texts: what of one is data, and what may be a signature and never leaves (DESIGN §4)."""

from __future__ import annotations

import re

_ENVELOPE_LINE = re.compile(r"^[ \t]*-{3,}[^\n]*LICEN[CS]E KEY[^\n]*-{3,}[ \t]*$", re.MULTILINE)
_BASE64_RUN = re.compile(r"[A-Za-z0-9+/=]{64,}")
_JSON_SIGNATURE = re.compile(r'"signature"\s*:')


def clean(raw: str) -> str | None:
    """The `raw` of an engine without header and footer lines; None where its form says that it may hold a signature.

    The engine cuts a text at its first `;` and passes on one without any whole (facts §7.1).
    """
    text = _ENVELOPE_LINE.sub("", raw).strip()
    enveloped = text != raw.strip()
    if _JSON_SIGNATURE.search(text) or _BASE64_RUN.search(_unwrapped(text)) or (enveloped and ";" not in text):
        return None
    return text


def _unwrapped(text: str) -> str:
    """Base64 is often wrapped into lines: a run over several lines is one run."""
    return re.sub(r"\s*\n\s*", "", text)
