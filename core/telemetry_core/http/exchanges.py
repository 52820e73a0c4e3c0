"""What a request goes through and comes to: proxy, answer, exchange."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from telemetry_core.secret import Secret


@dataclass(frozen=True, slots=True)
class Proxy:
    """An HTTP proxy on the way, and who we are to it."""

    url: str
    username: str | None = None
    password: Secret | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """A final answer; `complete` is False where the body is larger than the limit or broke off."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    complete: bool


@dataclass(frozen=True, slots=True)
class Exchange:
    """What one request came to; without an answer `failure` says why, as the end of a sentence."""

    answer: Answer | None
    body_begun: bool
    failure: str = ""
