"""What an administrator decides: enabling and disabling telemetry with the note that goes with it, and licences."""

from telemetry_core.administration import legal_note
from telemetry_core.administration.deciding import (
    AS_BEFORE,
    Author,
    Choice,
    Decided,
    as_disabled,
    disable,
    enable,
    fields_of,
    first_run,
    require_endpoint,
)
from telemetry_core.administration.licensing import Licensed, licensed, remove_license, set_license
from telemetry_core.reporting.session import FIELDS

__all__ = [
    "AS_BEFORE",
    "FIELDS",
    "Author",
    "Choice",
    "Decided",
    "Licensed",
    "as_disabled",
    "disable",
    "enable",
    "fields_of",
    "first_run",
    "legal_note",
    "licensed",
    "remove_license",
    "require_endpoint",
    "set_license",
]
