"""The rules for licence texts: what of one is data, and what may be a signature and never leaves (DESIGN §4)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import fields, replace
from datetime import UTC, date, datetime

import msgspec

from telemetry_core.errors import LicenseRefused
from telemetry_core.model import License, Millis
from telemetry_core.secret import Secret

SET_HERE = "license set"
"""The source of a licence that an administrator has set with `telemetry license set`."""

WARNING_DAYS = 60
"""From how many days before its end on a licence is warned about."""

_BASE64_RUN = re.compile(r"[A-Za-z0-9+/=]{64,}")
_JSON_SIGNATURE = re.compile(r'"signature"\s*:')
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_UNLIMITED = "unlimited"
# A header or footer wherever it stands, also where a text was pasted as one line; `++` gives nothing back, so that a
# text of dashes costs no more than its length.
_MARK = re.compile(r"(?<!-)-{3,}+[ \t]*+(?:BEGIN|END)\b[^-;\r\n]{0,80}LICEN[SC]E KEY[ \t]*+-{3,}+")
_HINT = "Give the licence key whole, as it was received; `telemetry license set --file FILE` reads it from a file."


def after_signature(text: str) -> str:
    """What an engine takes of a stored licence text: all after the first `;`, or the whole text (facts §7.1)."""
    signature, separator, rest = text.partition(";")
    return rest if separator else signature


def clean(raw: str) -> str | None:
    """The `raw` of an engine without header and footer lines; None where its form says that it may hold a signature.

    The engine cuts a text at its first `;` and passes on one without any whole (facts §7.1).
    """
    lines = raw.split("\n")
    plain = [line for line in lines if not is_envelope(line)]
    text, enveloped = "\n".join(plain).strip(), len(plain) < len(lines)
    if _may_hold_signature(text) or (enveloped and ";" not in text):
        return None
    return text


def parse(key: Secret) -> License:
    """A licence text as data, without its signature (DESIGN §4, facts §7).

    Header and footer are cut, and all before the first `;`, which is the signature. What is left is `raw`; where it has
    one of the two known forms, or the whole is one of CIB seven's JSON objects, it is structured too.

    Args:
        key: The whole text, in one line or several.

    Raises:
        LicenseRefused: It is empty or no text, or its form does not say what of it is the signature.
    """
    text, marks = _MARK.subn("\n", key.reveal().removeprefix("\ufeff"))
    text = text.strip()
    if not text:
        raise LicenseRefused("The licence key is empty.", hint=_HINT)
    if any(
        (ord(character) < 32 and character not in "\t\r\n") or 0xD800 <= ord(character) < 0xE000 for character in text
    ):
        raise LicenseRefused("The licence key is no plain text.", hint=_HINT)
    if text.startswith("{"):
        return _from_json(text)
    _, semicolon, after = text.partition(";")
    raw = clean(after if semicolon else text)
    if raw is None or (marks and not semicolon):
        raise LicenseRefused("It cannot be told what of the licence key is its signature.", hint=_HINT)
    if not raw:
        raise LicenseRefused("The licence key has nothing after its signature.", hint=_HINT)
    return _structured(raw)


def prefer(own: License, engine: License) -> tuple[License, bool]:
    """Which of two licences is reported: the one set here or the engine's; and whether they say the same (DESIGN §4).

    The same raw text keeps the richer form, of two as rich ones the engine's; otherwise the one set here counts.
    """
    if not _same(own, engine):
        return own, False
    return (own if _richness(own) > _richness(engine) else engine), True


def days_left(license_key: License, now: Millis) -> int | None:
    """Whole days until the last day of a licence (UTC), negative after it; None where it has none."""
    if license_key.unlimited or license_key.valid_until is None:
        return None
    last = _date(license_key.valid_until[:10])
    try:
        today = datetime.fromtimestamp(now // 1000, UTC).date()
    except (OverflowError, ValueError, OSError):
        return None
    return None if last is None else (last - today).days


def warning(license_key: License, now: Millis) -> str:
    """That a licence ends within 60 days, or has ended, as a sentence; empty otherwise."""
    left = days_left(license_key, now)
    if left is None or left > WARNING_DAYS:
        return ""
    day = (license_key.valid_until or "")[:10]
    if left < 0:
        return f"The licence ended on {day}."
    when = {0: "today", 1: "in 1 day"}.get(left, f"in {left} days")
    return f"The licence ends on {day}, {when}."


def is_envelope(line: str) -> bool:
    """Whether a line is a header or footer.

    Without a regular expression: an engine's answer may be 4 MiB of dashes, and time must grow with it only.
    """
    text = line.strip()
    return text.startswith("---") and text.endswith("---") and ("LICENSE KEY" in text or "LICENCE KEY" in text)


class _JsonLicense(msgspec.Struct, frozen=True):
    """What of CIB seven's licence is data (facts §7.3); any other key, `signature` first of all, is not looked at."""

    customer: str | None = None
    type: str | None = None
    expires: str | None = None
    unlimited: bool | None = None
    features: Mapping[str, str | bool | int | float] | None = None


def _from_json(text: str) -> License:
    try:
        found = msgspec.json.decode(text, type=_JsonLicense)
    except (msgspec.ValidationError, msgspec.DecodeError, RecursionError):
        raise LicenseRefused("The licence key is JSON, but no licence.", hint=_HINT) from None
    if found.customer is None and found.expires is None:
        raise LicenseRefused("The licence key is JSON without customer and end.", hint=_HINT)
    given = found.features
    features = None if given is None else {name: _word(value) for name, value in given.items()}
    texts = (found.customer, found.type, found.expires, *(features or {}).keys(), *(features or {}).values())
    if any(text is not None and _may_hold_signature(text) for text in texts):
        raise LicenseRefused("It cannot be told what of the licence key is its signature.", hint=_HINT)
    return License(
        customer=found.customer,
        type=found.type,
        valid_until=found.expires,
        unlimited=found.unlimited,
        features=features,
    )


def _word(value: str | float) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _structured(raw: str) -> License:
    """The two forms of facts §7.2, `customer=ACME;expiryDate=2030-12-31;...` and `ACME;2030-12-31`; else raw alone."""
    plain = License(raw=raw)
    parts = [part.strip() for part in raw.split(";") if part.strip()]
    if parts and all("=" in part for part in parts):
        pairs = {name.strip(): value.strip() for name, _, value in (part.partition("=") for part in parts)}
        return _unified(plain, pairs) if "customer" in pairs or "expiryDate" in pairs else plain
    customer, semicolon, end = (part.strip() for part in raw.rpartition(";"))
    if semicolon and customer and (end == _UNLIMITED or _date(end) is not None):
        return _ending(replace(plain, customer=customer), end)
    return plain


def _unified(plain: License, pairs: dict[str, str]) -> License:
    """Features are those that the licence enables (user guide, General Data: "enabled features")."""
    customer, end = pairs.pop("customer", None), pairs.pop("expiryDate", "")
    features = {name: value for name, value in pairs.items() if value.lower() != "false"}
    return _ending(replace(plain, customer=customer, type="UNIFIED", features=features), end)


def _ending(license_key: License, end: str) -> License:
    if end == _UNLIMITED:
        return replace(license_key, unlimited=True)
    return license_key if _date(end) is None else replace(license_key, valid_until=end, unlimited=False)


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if _DATE.fullmatch(text) else None
    except ValueError:
        return None


def _same(own: License, engine: License) -> bool:
    if own.raw is None or engine.raw is None:
        return replace(own, raw=None) == replace(engine, raw=None)
    return _lines(own.raw) == _lines(engine.raw)


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.strip().splitlines()]


def _richness(license_key: License) -> int:
    return sum(getattr(license_key, field.name) is not None for field in fields(license_key))


def _may_hold_signature(text: str) -> bool:
    return bool(_JSON_SIGNATURE.search(text) or _BASE64_RUN.search(_unwrapped(text)))


def _unwrapped(text: str) -> str:
    """Base64 is often wrapped into lines: a run over several lines is one run."""
    return "".join(line.strip() for line in text.splitlines())
