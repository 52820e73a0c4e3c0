"""What goes to standard error: one line for a failure, and the traceback of a bug without the secrets in it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from telemetry_core.errors import TelemetryError


def say(error: TelemetryError) -> None:
    """One line: what is wrong, and what to do next."""
    line = " ".join(f"{error.message} {error.hint}".split())
    printable = "".join(character if character.isprintable() else "\ufffd" for character in line)
    sys.stderr.write(f"telemetry: {printable}\n")


def say_bug() -> None:
    """The exception that is being handled, as the interpreter would say it."""
    import traceback

    from telemetry_core.secret import without_revealed

    sys.stderr.write(without_revealed(traceback.format_exc()))
