"""The name of the command that some arguments call, for messages that come before or instead of parsing them."""

from __future__ import annotations

import re
from collections.abc import Sequence

_WITH_VALUE = ("--config",)
_GROUPS = ("collector", "config", "license", "schedule")
_PLAIN = re.compile(r"-{0,2}[a-z][a-z-]{0,19}|-|-h")


def command_name(arguments: Sequence[str]) -> str:
    """`["--config", "x.toml", "config", "show"]` calls `config show`; without any command it is `telemetry`."""
    words: list[str] = []
    skip = False
    for argument in arguments:
        if skip or argument.startswith("-"):
            skip = not skip and argument in _WITH_VALUE and not words
            continue
        if words and not _PLAIN.fullmatch(argument):
            break  # a key that was typed where a command is expected is no name
        words.append(argument)
        if words[0] not in _GROUPS or len(words) == 2:
            break
    return " ".join(words) or "telemetry"


def may_be_repeated(arguments: Sequence[str]) -> bool:
    """Whether a message may say what was typed: of `license` only words and options, since all else may be a key."""
    if command_name(arguments).partition(" ")[0] != "license":
        return True
    return all(_PLAIN.fullmatch(argument) for argument in arguments[list(arguments).index("license") :])
