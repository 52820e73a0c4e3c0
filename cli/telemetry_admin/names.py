"""The name of the command that some arguments call, for messages that come before or instead of parsing them."""

from __future__ import annotations

from collections.abc import Sequence

_WITH_VALUE = ("--config",)
_GROUPS = ("config",)


def command_name(arguments: Sequence[str]) -> str:
    """`["--config", "x.toml", "config", "show"]` calls `config show`; without any command it is `telemetry`."""
    words: list[str] = []
    skip = False
    for argument in arguments:
        if skip or argument.startswith("-"):
            skip = not skip and argument in _WITH_VALUE and not words
            continue
        words.append(argument)
        if words[0] not in _GROUPS or len(words) == 2:
            break
    return " ".join(words) or "telemetry"
