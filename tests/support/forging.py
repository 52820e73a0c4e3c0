"""A page of somebody else, which sends a form to a server of ours as soon as it is opened."""

from __future__ import annotations

import html
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler

from tests.support.serving import Served


class ForgedPage(Served):
    """A server with that one page. Use it as a context manager.

    Args:
        target: Where the form goes.
        fields: What it holds.
    """

    def __init__(self, target: str, fields: Mapping[str, str]) -> None:
        given = [(html.escape(name), html.escape(value)) for name, value in fields.items()]
        inputs = "".join(f'<input type="hidden" name="{name}" value="{value}">' for name, value in given)
        page = (
            f'<!doctype html><title>Prize</title><form method="post" action="{html.escape(target)}">{inputs}</form>'
            "<script>document.forms[0].submit()</script>"
        ).encode()

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "text/html")
                self.send_header("Content-Length", str(len(page)))
                self.end_headers()
                self.wfile.write(page)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        super().__init__(Handler)
