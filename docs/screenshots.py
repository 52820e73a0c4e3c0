"""Draws pictures of the two pages, of the administration with a real engine; `make screenshots`, then look at them.

`python -m docs.screenshots collector` draws that of the collector alone, without an engine.
"""

from __future__ import annotations

import hashlib
import json
import random
import secrets
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from tests.engines import Engine
from tests.engines.launch import PASSWORD, USER
from tests.support.chromium import Window, chromium
from tests.support.collecting import Collector, captured
from tests.support.program import Program
from tests.support.receiver import Receiver
from tests.support.web_server import WebServer

PICTURES = Path(__file__).parent / "pictures"
RELEASE = "camunda-7.24.0"
_WEEKS, _DAY = 5, 24 * 3600 * 1000
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
    draw_fleet()
    if "collector" in sys.argv[1:]:
        return
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


def draw_fleet() -> None:
    """The first page of a collector that has received the reports of a small fleet for five weeks."""
    token = secrets.token_hex(16)
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="telemetry-", dir="/tmp")))
        file = directory / "tokens"
        file.write_text(f"grace: {hashlib.sha256(token.encode()).hexdigest()}\n", encoding="utf-8")
        file.chmod(0o600)
        program = Program(directory)
        program.configure('[collector]\ntoken-file = "tokens"\n')
        collector = stack.enter_context(Collector(program, ahead=-_WEEKS * 7 * _DAY))
        _receive(collector)
        window = stack.enter_context(Window(stack.enter_context(chromium()), collector.port))
        window.page.set_viewport_size({"width": 1200, "height": 700})
        window.page.goto("/sign-in")
        window.page.locator("#token").fill(token)
        window.page.locator("main button").click()
        window.page.wait_for_timeout(2000)  # the fleet follows what has come
        window.page.goto("/")
        window.page.screenshot(path=PICTURES / "collector-fleet.png", full_page=True)


def _receive(collector: Collector) -> None:
    """A report of each engine for each day, and one that somebody has forged."""
    chance = random.Random(7)  # noqa: S311  # a picture is no secret
    tree = json.loads(captured("7.17.0", 1))
    fleet = [
        (f"{chance.getrandbits(32):08x}-7a1c-4e2d-9b3f-{chance.getrandbits(48):012x}", 200 * n) for n in range(1, 7)
    ]
    for day in range(-_WEEKS * 7, 1):
        collector.put_ahead(day * _DAY)
        for number, (installation, size) in enumerate(fleet):
            work = int(size * (0.2 if day % 7 < 2 else 1) * chance.uniform(0.7, 1.3))
            counts = {"process-instances": work, "flow-node-instances": work * 11, "decision-instances": work // 3}
            tree["installation"] = installation
            tree["product"]["version"] = ("7.17.0", "7.21.0", "7.24.0")[number % 3]
            tree["product"]["internals"]["metrics"] = {name: {"count": count} for name, count in counts.items()}
            collector.send(json.dumps(tree).encode(), f"{installation}-{day}")
    tree["product"]["version"] = "7.99.0"
    collector.send(json.dumps(tree).encode(), "forged")


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
