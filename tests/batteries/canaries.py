"""Twelve secrets through every command in good and bad times: none is in an output, the log or a file of ours."""

from __future__ import annotations

import json
import random
import re
import sys
import traceback
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import BytesIO, TextIOWrapper
from pathlib import Path

import telemetry_admin.__main__
from telemetry_admin.host import Host
from tests.batteries.tally import Tally, Verdict, some
from tests.batteries.world import World
from tests.support.clock import RealClock
from tests.support.disk import contents
from tests.support.ports import free_port
from tests.support.program import Run
from tests.support.receiver import Received, Reply
from tests.support.simulated_engine import Answer

NAMES = (
    "rest-password", "rest-token", "rest-url", "endpoint-token", "proxy-password", "database-url", "database-file",
    "client-key", "license-argument", "license-file", "license-stdin", "license-engine",
)  # fmt: skip
#: Each has letters alone, so that no encoding but Base64 changes it.
CANARIES = {name: f"Canary{''.join(word.capitalize() for word in name.split('-'))}Zwitschert" for name in NAMES}
RAW = "customer=ACME;expiryDate=2030-12-31"

COMMANDS = (
    "--help", "--version", "status", "environment", "preview", "preview --raw --engine url", "preview --initial",
    "preview --diff", "preview --keep", "send", "send --force", "send --initial --force", "send --dry-run",
    "send --final", "history", "history --verify", "history REPORT", "license show", "license set ARGUMENT",
    "license set --file FILE", "license set -", "license remove", "config show", "config get engines.url.rest",
    "config get reporter.proxy", "config get engines.url.database", "config set reporter.retries 0", "config check",
    "config path", "enable --yes", "enable --yes --engine url", "disable", "nonsense", "send --nonsense",
    "consent", "status --explain", "status --check", "schedule show cron", "schedule show systemd",
    "schedule show kubernetes",
)  # fmt: skip


@dataclass(frozen=True)
class Cage:
    """A world whose configuration is full of secrets."""

    world: World
    secrets: Path

    def file(self, name: str) -> Path:
        return self.secrets / name


def prepare(world: World) -> Cage:
    """Put all secrets in their places, and the engine's licence with its signature into the engine."""
    cage = Cage(world, world.program.directory / "secrets")
    cage.secrets.mkdir(mode=0o700)
    for name, canary in CANARIES.items():
        text = signed(name) if name.startswith("license") else f"{canary}\n"
        cage.file(name).write_text(text)
        cage.file(name).chmod(0o600)
    world.engine.data["product"]["internals"]["license-key"] = {"raw": CANARIES["license-engine"] * 5}
    world.program.variables = {
        "TELEMETRY_REPORTER__RETRIES": "0",
        "TELEMETRY_LOG__LEVEL": "debug",
        "TELEMETRY_LOG__TO": str(world.program.directory / "telemetry.log"),
    }
    configure(cage)
    return cage


def _called(cage: Cage, command: str, chance: random.Random) -> Run:
    """Mostly in this process, on a terminal or not; sometimes in one of its own."""
    if chance.random() < 0.1:
        return call_outside(cage, command)
    return call(cage, command, is_terminal=chance.random() < 0.5)


def signed(name: str) -> str:
    """A licence key; a signature is Base64 in a row."""
    return f"{CANARIES[name] * 5};{RAW}"


def configure(cage: Cage, *, endpoint: str = "", rest: str = "", more: str = "") -> None:
    """Write a configuration, for its owner alone."""
    world, port = cage.world, free_port()
    rest = rest or world.engine.rest
    address = rest.partition("://")[2]
    scheme = rest.partition("://")[0]
    proxy = f"http://proxy-user:{CANARIES['proxy-password']}@127.0.0.1:{world.receiver.port}"
    database = f"postgresql://reader:{CANARIES['database-url']}@127.0.0.1:{port}/camunda"
    text = f"""
        endpoint = "{endpoint or world.receiver.url}"
        [reporter]
        token-file = "{cage.file("endpoint-token")}"
        proxy = "{proxy}"
        {more}
        [engines.password]
        rest = "{rest}"
        username = "demo"
        password-file = "{cage.file("rest-password")}"
        database = "postgresql://reader@127.0.0.1:{port}/camunda"
        database-password-file = "{cage.file("database-file")}"
        [engines.token]
        rest = "{rest}"
        token-file = "{cage.file("rest-token")}"
        [engines.url]
        rest = "{scheme}://demo:{CANARIES["rest-url"]}@{address}"
        database = "{database}"
    """
    world.program.configure(re.sub(r"(?m)^ +", "", text))
    world.program.config.chmod(0o600)


def _echo(world: World, status: int) -> None:
    """The engine refuses, and repeats whatever it was sent, as proxies in debug mode do."""

    def answer() -> Answer:
        return status, "application/json", json.dumps({"type": "X", "message": _repeated(world)}).encode()

    for path in ("/telemetry/data", "/version", "/engine"):
        world.engine.override[path] = answer


def _repeated(world: World) -> str:
    sent = world.engine.last_authorization
    kind, _, word = sent.partition(" ")
    plain = b64decode(word).decode() if kind == "Basic" else word
    return f"sent {sent}, which is {plain}"


def _receiver_echoes(world: World, status: int) -> None:
    def answer(request: Received) -> Reply:
        proxied = request.headers.get("proxy-authorization", "Basic ").partition(" ")[2]
        said = {"head": list(request.head), "plain": b64decode(proxied).decode()}
        return Reply(status, {"X-Echo": request.headers.get("authorization", "")}, json.dumps(said).encode())

    world.receiver.answer = answer


def _tls(cage: Cage) -> None:
    key = "client-cert = 'secrets/client-key'\nclient-key = 'secrets/client-key'"
    endpoint = cage.world.receiver.url.replace("http:", "https:")
    configure(cage, endpoint=endpoint, rest=cage.world.engine.rest.replace("http:", "https:"), more=key)


def _damage(cage: Cage) -> None:
    store = cage.world.program.store
    content = bytearray(store.read_bytes())
    content[4096 : 4096 + 200] = b"x" * 200
    store.write_bytes(content)


def _broken_toml(cage: Cage) -> None:
    config = cage.world.program.config
    config.write_text(config.read_text().replace(f"{CANARIES['rest-url']}@", f'{CANARIES["rest-url"]}"@'))


def _wrong_types(cage: Cage) -> None:
    config = cage.world.program.config
    config.write_text(config.read_text().replace('rest = "http://demo', 'rest = "ftp://demo'))


#: How things stand when the commands run.
SITUATIONS: dict[str, Callable[[Cage], object]] = {
    "good": lambda _: None,
    "engine 401": lambda cage: _echo(cage.world, 401),
    "engine 403": lambda cage: _echo(cage.world, 403),
    "engine 500": lambda cage: _echo(cage.world, 500),
    "engine down": lambda cage: configure(cage, rest=f"http://127.0.0.1:{free_port()}/engine-rest"),
    "receiver 202": lambda cage: _receiver_echoes(cage.world, 202),
    "receiver 407": lambda cage: _receiver_echoes(cage.world, 407),
    "receiver 400": lambda cage: _receiver_echoes(cage.world, 400),
    "receiver 503": lambda cage: _receiver_echoes(cage.world, 503),
    "tls": _tls,
    "store damaged": _damage,
    "secret missing": lambda cage: cage.file("rest-token").unlink(),
    "secret exposed": lambda cage: cage.file("endpoint-token").chmod(0o644),
    "configuration exposed": lambda cage: cage.world.program.config.chmod(0o644),
    "configuration broken": _broken_toml,
    "configuration wrong": _wrong_types,
}


def run(count: int, seed: int) -> Tally:
    """So many commands over all situations, plain and as JSON; then the files of each situation's world."""
    chance = random.Random(seed)
    tally = Tally("canaries", seed)
    calls = [(situation, command, mode) for situation in SITUATIONS for command in COMMANDS for mode in ("", "--json")]
    chosen = some(calls, count, chance)
    for situation in SITUATIONS:
        with World.running() as world:
            cage = prepare(world)
            call(cage, "enable --yes")
            call(cage, "send")
            SITUATIONS[situation](cage)
            for where, command, mode in chosen:
                if where == situation:
                    done = _called(cage, f"{command} {mode}", chance)
                    tally.add(f"{situation}: {command} {mode}", _verdict(command, done))
            left = "; ".join(_in_files(cage))
            tally.add(f"{situation}: files", Verdict(wrong=left))
    return tally


def call(cage: Cage, command: str, *, is_terminal: bool = False) -> Run:
    """Run a command in this process, as one of its own would: hundreds of those would take minutes."""
    environment = cage.world.program.environment()
    host = Host(RealClock(), environment, is_root=False, is_terminal=is_terminal, can_ask=False)
    output, errors = BytesIO(), BytesIO()
    stdin, sys.stdin = sys.stdin, TextIOWrapper(BytesIO(_stdin(cage, command)))
    try:
        with (
            redirect_stdout(TextIOWrapper(output, write_through=True)),
            redirect_stderr(TextIOWrapper(errors, write_through=True)),
        ):
            try:
                status = telemetry_admin.__main__.run(_words(cage, command), host)
            except Exception:  # noqa: BLE001  # what the interpreter does with what nobody catches
                traceback.print_exc()
                status = 1
            return Run(status, output.getvalue(), errors.getvalue())
    finally:
        sys.stdin = stdin


def call_outside(cage: Cage, command: str) -> Run:
    """The same as a process of its own, in Python's development mode, which says more."""
    program = cage.world.program
    return program(*_words(cage, command), stdin=_stdin(cage, command), variables={"PYTHONDEVMODE": "1"})


def _stdin(cage: Cage, command: str) -> bytes:
    file = cage.file("license-stdin")
    return file.read_bytes() if command.startswith("license set -") else b""


def _words(cage: Cage, command: str) -> list[str]:
    return [_word(cage, word) for word in command.split()]


def _word(cage: Cage, word: str) -> str:
    if word == "REPORT":
        return next(iter(cage.world.receiver.committed), "0")
    return {
        "ARGUMENT": signed("license-argument"),
        "FILE": str(cage.file("license-file")),
    }.get(word, word)


def leaks(content: bytes) -> Iterator[str]:
    """The names of the secrets that are in a text, as they are or in Base64 of an `Authorization` header."""
    for name, canary in CANARIES.items():
        forms = [canary, *(b64encode(f"{user}:{canary}".encode()).decode() for user in ("demo", "proxy-user"))]
        if any(form.encode() in content for form in forms):
            yield name


def _verdict(command: str, done: Run) -> Verdict:
    found = sorted({*leaks(done.stdout), *leaks(done.stderr)})
    if found:
        return Verdict(wrong=f"leaks {found}: {done.text} {done.errors}")
    warned = command == "status --check"  # for which 1 is a warning and no bug
    crashed = (done.status == 1 and not warned) or b"Traceback" in done.stderr
    return Verdict(wrong=f"status {done.status}: {done.errors}" if crashed else "")


def _in_files(cage: Cage) -> Iterator[str]:
    """Leaks in files that are ours, the log too: all but the configuration and where the secrets are kept."""
    for file, content in contents(cage.world.program.directory).items():
        if file != cage.world.program.config and file.parent != cage.secrets:
            yield from (f"{name} in {file.name}" for name in leaks(content))
