"""Draws pictures of the administration page with a real engine; `make screenshots` runs it, somebody looks at them."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from tests.engines import Engine
from tests.engines.launch import PASSWORD, USER
from tests.support.chromium import Window, chromium
from tests.support.program import Program
from tests.support.receiver import Receiver
from tests.support.web_server import WebServer

PICTURES = Path(__file__).parent / "pictures"
RELEASE = "camunda-7.24.0"
LICENSE = b"c2lnbmF0dXJl;customer=Example Ltd;expiryDate=2999-12-31;camundaBPM=true"


@dataclass(frozen=True)
class Picture:
    """One page in one look."""

    name: str
    path: str
    locale: str = "en-GB"
    scheme: str = "light"
    width: int = 1100


BEFORE = (Picture("sign-in", "/sign-in"), Picture("enable", "/engine/orders/enable"))
AFTER = (
    Picture("overview", "/"),
    Picture("state", "/engine/orders"),
    Picture("preview-dark", "/engine/orders/preview", scheme="dark"),
    Picture("history", "/engine/orders/history"),
    Picture("usage", "/engine/orders/usage"),
    Picture("licence", "/engine/orders/license"),
    Picture("consent", "/engine/orders/consent"),
    Picture("state-phone-german", "/engine/orders", locale="de-DE", scheme="dark", width=390),
)


def main() -> None:
    """Draw them all anew."""
    PICTURES.mkdir(exist_ok=True)
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="telemetry-", dir="/tmp")))
        engine = stack.enter_context(Engine.start(RELEASE, authorization=True))
        receiver = stack.enter_context(Receiver())
        program = _program(directory, engine, receiver)
        server = stack.enter_context(WebServer(program))
        browser = stack.enter_context(chromium())

        def draw(picture: Picture, user: str = USER) -> None:
            look = {"locale": picture.locale, "color_scheme": picture.scheme}
            with Window(browser, server.port, **look) as window:
                window.page.set_viewport_size({"width": picture.width, "height": 700})
                if picture.path != "/sign-in":
                    window.sign_in(user, PASSWORD)
                window.page.goto(picture.path)
                window.page.screenshot(path=PICTURES / f"{picture.name}.png", full_page=True)

        for picture in BEFORE:
            draw(picture)
        _work(engine, program)
        for picture in AFTER:
            draw(picture)


def _program(directory: Path, engine: Engine, receiver: Receiver) -> Program:
    file = directory / "password"
    file.write_text(f"{PASSWORD}\n", encoding="utf-8")
    file.chmod(0o600)
    program = Program(directory)
    program.configure(
        f'endpoint = "{receiver.url}"\n[engines.orders]\nrest = "{engine.rest}"\nusername = "{USER}"\n'
        'password-file = "password"\n'
    )
    return program


def _work(engine: Engine, program: Program) -> None:
    """Some days of work in some seconds."""
    program("enable", "--yes", "--authorized-by", "Grace Hopper", "--reason", "fleet report")
    program("license", "set", "-", stdin=LICENSE)
    for processes, decisions in ((12, 4), (18, 7), (9, 3), (25, 11), (31, 8), (22, 14)):
        engine.start_process(processes)
        engine.evaluate_decision(decisions)
        program("send", "--force")
    engine.start_process(5)


if __name__ == "__main__":
    main()
