"""Every path of the page in one place."""

from __future__ import annotations

from starlette.routing import Route

from telemetry_web.page.serving import Page, View
from telemetry_web.page.views import consent, history, overview, preview, sources, state, switch, usage
from telemetry_web.page.views import license as licenses

_ABOUT = "/engine/{entry}"

LOOKS: tuple[tuple[str, View], ...] = (
    ("", state.state),
    ("/preview", preview.preview),
    ("/preview/body", preview.body),
    ("/history", history.history),
    ("/history/{report}", history.report),
    ("/history/{report}/body", history.body),
    ("/usage", usage.usage),
    ("/license", licenses.license_page),
    ("/consent", consent.consent),
    ("/sources", sources.sources),
)
"""What is only looked at, about one engine."""

CHANGES: tuple[tuple[str, View, tuple[str, ...]], ...] = (
    ("/preview/keep", preview.keep, ("POST",)),
    ("/enable", switch.enable, ("GET", "POST")),
    ("/disable", switch.disable, ("GET", "POST")),
    ("/license/set", licenses.set_license, ("POST",)),
    ("/license/remove", licenses.remove_license, ("POST",)),
)
"""What changes something is a form that is sent (POST), by an administrator."""

READINGS = frozenset(
    {preview.preview, preview.body, preview.keep, sources.sources, switch.enable, licenses.set_license}
)
"""For these the engine is read."""


def routes(page: Page) -> list[Route]:
    """The routes of all pages."""
    return [
        Route("/", page.start(overview.overview)),
        Route("/sign-in", page.sign_in(), methods=["GET", "POST"]),
        Route("/sign-out", page.sign_out(), methods=["POST"]),
        Route("/page/{digest}/{name}", page.file),
        *(Route(_ABOUT + path, page.view(view, reads=view in READINGS)) for path, view in LOOKS),
        *(
            Route(_ABOUT + path, page.view(view, to_change=True, reads=view in READINGS), methods=methods)
            for path, view, methods in CHANGES
        ),
    ]
