"""Every path of the page in one place, and whether a page can be there at all."""

from __future__ import annotations

from starlette.routing import Route

from telemetry_collector.page.serving import Page
from telemetry_collector.page.signing_in import SETTING
from telemetry_collector.page.views import fleet, installation, quarantine
from telemetry_core.config import Collector
from telemetry_core.config.values import is_loopback
from telemetry_core.errors import ConfigurationError
from telemetry_web import tokens


def check(settings: Collector) -> None:
    """See whether there can be a page, before the service begins.

    Raises:
        ConfigurationError: The file with the tokens cannot be used, or they would cross the network in clear.
        SecretExposed: Others can read it.
    """
    if settings.token_file is None:
        return
    tokens.read(settings.token_file, setting=SETTING)
    if not settings.allow_http and not is_loopback(settings.listen):
        raise ConfigurationError(
            f"Tokens of the page would come to {settings.listen} in plain HTTP.",
            hint="Behind a proxy that speaks TLS, set collector.allow-http = true; without collector.token-file there"
            " is no page.",
        )


def routes(page: Page) -> list[Route]:
    """The routes of all pages; what changes something is a form that is sent (POST)."""
    return [
        Route("/", page.view(fleet.fleet)),
        Route("/installation", page.view(installation.installation)),
        Route(quarantine.PATH, page.view(quarantine.quarantine)),
        Route(f"{quarantine.PATH}/decide", page.view(quarantine.decide), methods=["POST"]),
        Route("/sign-in", page.sign_in(), methods=["GET", "POST"]),
        Route("/sign-out", page.sign_out(), methods=["POST"]),
        Route("/page/{digest}/{name}", page.file),
    ]
