"""The licence that the next reports carry: set, shown, removed; its signature is neither kept nor shown."""

from __future__ import annotations

from telemetry_core import administration
from telemetry_core import license as licenses
from telemetry_core.errors import LicenseRefused
from telemetry_core.secret import Secret
from telemetry_core.words.license import NOT_READ, rows
from telemetry_web.page.asked import Asked, Drawn, Moved

SET = "The licence is kept. The next periodic report carries it if telemetry is enabled and the field is not withheld."
REMOVED = "The licence set here is forgotten."
NONE_WAS_SET = "No licence was set here."


def license_page(asked: Asked) -> Drawn:
    """What was set here; asks no engine."""
    return _drawn(asked)


def set_license(asked: Asked) -> Drawn | Moved:
    """Keep a licence, structured and raw, for the installation that the engine shows now.

    Raises:
        EngineError: The installation is not known yet, and the engine does not say it; nothing was changed.
        ConfigurationError: The engine's credentials cannot be used; nothing was changed.
    """
    text = asked.form.get("key", "").replace("\r\n", "\n")  # every line of a form ends so, whatever was pasted
    try:
        parsed = licenses.parse(Secret(text))
    except LicenseRefused as refused:
        return _drawn(asked, refused)
    with asked.opener.writing() as session:
        done = administration.set_license(session, asked.engine, parsed, asked.guest.user)
    return Moved(f"/engine/{asked.engine.entry}/license", SET if done.is_read else NOT_READ)


def remove_license(asked: Asked) -> Moved:
    """Forget it; a key that the engine itself has is reported as before."""
    with asked.opener.writing() as session:
        done = administration.remove_license(session, asked.engine)
    return Moved(f"/engine/{asked.engine.entry}/license", REMOVED if done.changed else NONE_WAS_SET)


def _drawn(asked: Asked, refused: LicenseRefused | None = None) -> Drawn:
    with asked.opener.reading() as session:
        found = administration.licensed(session, asked.engine)
        now = session.clock.now()
    warning = "" if found.kept is None else licenses.warning(found.kept.license, now)
    values = {"rows": rows(found, now), "kept": found.kept is not None, "warning": warning, "refused": refused}
    return Drawn("license.html", values, 200 if refused is None else 422)
