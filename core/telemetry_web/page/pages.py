"""Every path of the page in one place."""

from __future__ import annotations

from starlette.routing import Route

from telemetry_web.page.serving import Page, View
from telemetry_web.page.views import consent, history, overview, preview, sources, state, switch, usage
from telemetry_web.page.views import license as licenses


def routes(page: Page) -> list[Route]:
    """The routes of all pages; what changes something is a form that is sent (POST)."""
    about = "/engine/{entry}"
    looks: list[tuple[str, View]] = [
        (about, state.state),
        (f"{about}/preview", preview.preview),
        (f"{about}/preview/body", preview.body),
        (f"{about}/history", history.history),
        (f"{about}/history/{{report}}", history.report),
        (f"{about}/history/{{report}}/body", history.body),
        (f"{about}/usage", usage.usage),
        (f"{about}/license", licenses.license_page),
        (f"{about}/consent", consent.consent),
        (f"{about}/sources", sources.sources),
    ]
    changes: list[tuple[str, View, list[str]]] = [
        (f"{about}/preview/keep", preview.keep, ["POST"]),
        (f"{about}/enable", switch.enable, ["GET", "POST"]),
        (f"{about}/disable", switch.disable, ["GET", "POST"]),
        (f"{about}/license/set", licenses.set_license, ["POST"]),
        (f"{about}/license/remove", licenses.remove_license, ["POST"]),
    ]
    readings: set[View] = {
        preview.preview,
        preview.body,
        preview.keep,
        sources.sources,
        switch.enable,
        licenses.set_license,
    }
    return [
        Route("/", page.start(overview.overview)),
        Route("/sign-in", page.sign_in(), methods=["GET", "POST"]),
        Route("/sign-out", page.sign_out(), methods=["POST"]),
        Route("/page/{digest}/{name}", page.file),
        *(Route(path, page.view(view, reads=view in readings)) for path, view in looks),
        *(
            Route(path, page.view(view, to_change=True, reads=view in readings), methods=methods)
            for path, view, methods in changes
        ),
    ]
