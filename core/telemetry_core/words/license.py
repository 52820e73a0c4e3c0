"""A licence that was set here, in words; there is no signature in it that could be shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from telemetry_core import license as licenses
from telemetry_core.model import Millis
from telemetry_core.words.instants import instant

if TYPE_CHECKING:
    from telemetry_core.administration import Licensed

NOT_READ = (
    "The engine does not answer, so the licence is kept for the installation known so far."
    " Set it again if the engine shows another one."
)


def rows(one: Licensed, now: Millis) -> list[tuple[str, str]]:
    """Names and values of the licence of an engine's entry."""
    if one.kept is None:
        return [("licence", "none was set here; `telemetry environment` shows what the engine has")]
    found = one.kept.license
    said = [
        ("installation", one.installation),
        ("customer", found.customer),
        ("type", found.type),
        ("valid until", "unlimited" if found.unlimited else found.valid_until),
        ("features", ", ".join(f"{name} {value}" for name, value in (found.features or {}).items()) or None),
        ("raw", found.raw),
        ("set", f"{instant(one.kept.set_at)} by {one.kept.set_by}"),
        ("warning", licenses.warning(found, now) or None),
    ]
    if found.customer is None and found.valid_until is None and not found.unlimited:
        said.append(("note", "the text has no form that is known: it is reported as it is, and no end is watched"))
    return [(name, value) for name, value in said if value is not None]
