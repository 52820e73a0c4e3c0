"""Asking for what must not be seen: several lines from a terminal that shows nothing of them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from telemetry_core import license as licenses


def hidden_key(prompt: str) -> bytes:
    """A pasted licence key: up to its footer where it begins with a header, else up to an empty line, or to Ctrl-D.

    `getpass` takes one line; the others of a pasted key would be commands of the shell afterwards.
    """
    lines: list[bytes] = []
    with _hidden():
        sys.stderr.write(prompt)
        sys.stderr.flush()
        for line in iter(sys.stdin.buffer.readline, b""):
            lines.append(line)
            if _ends(lines):
                break
    return b"".join(lines)


def _ends(lines: list[bytes]) -> bool:
    last = lines[-1].decode("utf-8", "replace")
    if licenses.is_envelope(lines[0].decode("utf-8", "replace")):
        return len(lines) > 1 and licenses.is_envelope(last)
    return not last.strip()


@contextmanager
def _hidden() -> Iterator[None]:
    """No echo; at the end whatever was pasted beyond is thrown away, so that the shell does not see it either."""
    try:
        import termios
    except ImportError:  # Windows: there the text is seen while it is typed
        yield
        return
    terminal = sys.stdin.fileno()
    before = termios.tcgetattr(terminal)
    quiet = [*before[:3], before[3] & ~termios.ECHO, *before[4:]]
    try:
        termios.tcsetattr(terminal, termios.TCSADRAIN, quiet)
        yield
    finally:
        termios.tcsetattr(terminal, termios.TCSAFLUSH, before)
        sys.stderr.write("\n")
