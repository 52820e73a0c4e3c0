"""The rules for licence texts: what of one is data, and what may be a signature and never leaves (DESIGN §4)."""

from __future__ import annotations

import re

_BASE64_RUN = re.compile(r"[A-Za-z0-9+/=]{64,}")
_JSON_SIGNATURE = re.compile(r'"signature"\s*:')


def after_signature(text: str) -> str:
    """What an engine takes of a stored licence text: all after the first `;`, or the whole text (facts §7.1)."""
    signature, separator, rest = text.partition(";")
    return rest if separator else signature


def clean(raw: str) -> str | None:
    """The `raw` of an engine without header and footer lines; None where its form says that it may hold a signature.

    The engine cuts a text at its first `;` and passes on one without any whole (facts §7.1).
    """
    lines = raw.split("\n")
    plain = [line for line in lines if not _is_envelope(line)]
    text, enveloped = "\n".join(plain).strip(), len(plain) < len(lines)
    if _JSON_SIGNATURE.search(text) or _BASE64_RUN.search(_unwrapped(text)) or (enveloped and ";" not in text):
        return None
    return text


def _is_envelope(line: str) -> bool:
    """Without a regular expression: an engine's answer may be 4 MiB of dashes, and time must grow with it only."""
    text = line.strip()
    return text.startswith("---") and text.endswith("---") and ("LICENSE KEY" in text or "LICENCE KEY" in text)


def _unwrapped(text: str) -> str:
    """Base64 is often wrapped into lines: a run over several lines is one run."""
    return "".join(line.strip() for line in text.splitlines())
