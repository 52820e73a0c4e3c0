"""What a view is given, and what it gives back: a request of somebody who was let in, and a page to be drawn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from telemetry_web.page.sessions import Guest, Visit
from telemetry_web.page.texts import Texts

if TYPE_CHECKING:
    from telemetry_core.config import Engine
    from telemetry_web.opening import Opener


@dataclass(frozen=True, slots=True)
class Asked:
    """A request about one engine, of somebody who is signed in there.

    Attributes:
        path: What of the address varies, such as the id of a report.
        query: What stands behind its `?`, each name once.
        form: The fields of a form that was sent, each once; empty for a page that is only looked at.
    """

    opener: Opener
    engine: Engine
    guest: Guest
    visit: Visit
    texts: Texts
    path: Mapping[str, str]
    query: Mapping[str, str]
    form: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Drawn:
    """A page: its template, and what is filled in."""

    template: str
    values: Mapping[str, object] = field(default_factory=dict)
    status: int = 200


@dataclass(frozen=True, slots=True)
class Moved:
    """Where to go on, with what is said there once."""

    path: str
    notice: str = ""


@dataclass(frozen=True, slots=True)
class Bytes:
    """A file to be kept, byte for byte."""

    body: bytes
    name: str


ON_A_PAGE = 50
"""Lines of a list that are shown at once."""


def first_of(query: Mapping[str, str], count: int) -> int:
    """Which of so many lines is the first one to be shown."""
    text = query.get("from", "")
    wanted = int(text) if text.isascii() and text.isdigit() and len(text) < 9 else 0
    return wanted if wanted < count else 0


def around(first: int, count: int) -> Mapping[str, int | None]:
    """Where the lines before and after some begin, for links; None where there are none."""
    return {
        "earlier": max(first - ON_A_PAGE, 0) if first else None,
        "later": first + ON_A_PAGE if first + ON_A_PAGE < count else None,
    }
