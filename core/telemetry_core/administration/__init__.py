"""What an administrator decides: enabling and disabling telemetry, and the note that goes with it."""

from telemetry_core.administration import legal_note
from telemetry_core.administration.deciding import Author, Decided, disable, enable, first_run, require_endpoint
from telemetry_core.reporting.session import FIELDS

__all__ = ["FIELDS", "Author", "Decided", "disable", "enable", "first_run", "legal_note", "require_endpoint"]
