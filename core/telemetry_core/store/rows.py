"""Rows as text: frozen types to JSON and back, with the digest that tells a flipped bit."""

from __future__ import annotations

import hashlib
from typing import TypeVar

import msgspec

from telemetry_core.errors import StoreDamaged

T = TypeVar("T")


def to_text(value: object) -> str:
    """A frozen type as JSON with sorted keys."""
    return msgspec.json.encode(value, order="sorted").decode("utf-8")


def from_text(text: object, kind: type[T], where: str) -> T:
    """The frozen type again.

    Raises:
        StoreDamaged: The text is not what `to_text` made.
    """
    try:
        return msgspec.json.decode(str(text), type=kind)
    except (msgspec.ValidationError, msgspec.DecodeError) as error:
        raise damaged(where) from error


def digest(*parts: object) -> str:
    """SHA-256 over the values of a row, in hexadecimal; None, texts, numbers and bytes are told apart."""
    running = hashlib.sha256()
    for part in parts:
        content = part if isinstance(part, bytes) else repr(part).encode("utf-8")
        running.update(f"{type(part).__name__}:{len(content)}:".encode("ascii"))
        running.update(content)
    return running.hexdigest()


def check(expected: object, where: str, *parts: object) -> None:
    """Make sure that a row is as it was written.

    Raises:
        StoreDamaged: It is not.
    """
    if digest(*parts) != expected:
        raise damaged(where)


def damaged(where: str, how: str = "is not as it was written") -> StoreDamaged:
    """The error for a row that is not as it was written."""
    return StoreDamaged(
        f"The store is damaged: {where} {how}.",
        hint="Keep the file, and restore it from a backup if you have one.",
    )
