"""A licence that was set here, in words and for `--json`; there is no signature in it that could be shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from telemetry_admin.render.console import heading, pairs, safe, say
from telemetry_admin.result import Json
from telemetry_core import license as licenses
from telemetry_core.model import License
from telemetry_core.words.instants import instant
from telemetry_core.words.license import NOT_READ, rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from telemetry_core.administration import Licensed

_NONE = License()


def described(one: Licensed, now: int) -> Json:
    """The licence of an engine's entry for `--json`."""
    kept = one.kept
    found = _NONE if kept is None else kept.license
    return {
        "name": one.engine,
        "installation": one.installation,
        "set": kept is not None,
        "customer": found.customer,
        "type": found.type,
        "valid-until": found.valid_until,
        "unlimited": found.unlimited,
        "features": dict(found.features or {}),
        "raw": found.raw,
        "set-at": None if kept is None else instant(kept.set_at),
        "set-by": None if kept is None else kept.set_by,
        "days-left": licenses.days_left(found, now),
        "warning": licenses.warning(found, now) or None,
    }


def show(console: Console, found: Sequence[Licensed], now: int, *, set_now: bool = False) -> None:
    """Print the licences of some engines; with `set_now` also what follows from setting them."""
    for one in found:
        heading(console, safe(one.engine))
        pairs(console, rows(one, now))
    if not set_now:
        return
    for one in found:
        if not one.is_read:
            say(console, f"{safe(one.engine)}: {NOT_READ}")
    if any(one.is_read for one in found):
        console.print("The next periodic report carries it if telemetry is enabled: `telemetry preview` shows that.")


def show_removed(console: Console, done: Sequence[Licensed]) -> None:
    """Print what removing came to."""
    for one in done:
        words = "the licence set here is forgotten" if one.changed else "no licence was set here"
        say(console, f"{safe(one.engine)}: {words}.")
