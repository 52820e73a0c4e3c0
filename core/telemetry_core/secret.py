"""Text that must not be shown: it prints `[redacted]` wherever it is printed."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Iterator
from typing import NoReturn

REDACTED = "[redacted]"

_REVEALED: set[str] = set()
"""What this process has revealed, so that a bug's traceback can be shown without it."""


class Secret:
    """A password, token or key; only `reveal()` gives its text."""

    __slots__ = ("__text",)

    def __init__(self, text: str) -> None:
        self.__text = text

    def reveal(self) -> str:
        """The text itself, for the one place that needs it."""
        _REVEALED.add(self.__text)
        return self.__text

    def forget(self) -> None:
        """Not keep in mind any more that this one was revealed: for those of others, of which there is no end."""
        _REVEALED.discard(self.__text)

    def __bool__(self) -> bool:
        return bool(self.__text)

    def __repr__(self) -> str:
        return REDACTED

    def __str__(self) -> str:
        return REDACTED

    def __format__(self, specification: str) -> str:
        return REDACTED

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self.__text == other.reveal()

    def __hash__(self) -> int:
        return hash((Secret, self.__text))

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not written anywhere")


def basic(username: str, password: str) -> Secret:
    """The value of a header for HTTP Basic authentication."""
    return Secret(f"Basic {b64encode(f'{username}:{password}'.encode()).decode('ascii')}")


def redacted(text: str, *headers: Secret) -> str:
    """A text from outside without the secrets of some header values, which the other side may repeat.

    Args:
        text: What was answered.
        headers: Values of `Authorization` and its like; their credentials are secret too, and the password in them.
    """
    forms = {form for header in headers for form in _forms(header.reveal())}
    for form in sorted(forms, key=len, reverse=True):
        text = text.replace(form, REDACTED)
    return text


def without_revealed(text: str) -> str:
    """A text of unknown content, such as a traceback, without any secret that this process has revealed."""
    forms = {form for secret in _REVEALED for form in (secret, repr(secret)[1:-1]) if form}
    for form in sorted(forms, key=len, reverse=True):
        text = text.replace(form, REDACTED)
    return text


def _forms(header: str) -> Iterator[str]:
    scheme, _, word = header.partition(" ")
    password = b64decode(word).decode("utf-8").partition(":")[2] if scheme == "Basic" else word
    if not password:
        return
    for form in (word, password):
        yield form
        yield json.dumps(form)[1:-1]  # as it stands in JSON, of either kind
        yield json.dumps(form, ensure_ascii=False)[1:-1]
