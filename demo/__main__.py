"""`make demo`: starts an engine and the receiving service, then does what an administrator would do from a shell."""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import msgspec

from tests.engines import RELEASES, Engine, build, missing_tools
from tests.support.collecting import Collector
from tests.support.program import Program
from tests.support.simulated_engine import CAPTURES, SimulatedEngine

STORE = "collector.db"
"""Of the receiving service, in the directory of the demonstration."""


class Workable(Protocol):
    """An engine that can be given work."""

    rest: str

    def start_process(self, times: int) -> object:
        """Start process instances."""


class Shell:
    """Runs commands as a person would, and shows them."""

    def __init__(self, directory: Path, config: Path) -> None:
        self._environment = {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
            "HOME": str(directory),
            "LC_ALL": "C.UTF-8",
            "COLUMNS": "100",
            "TELEMETRY_CONFIG": str(config),
            "TELEMETRY_STORE": str(directory / "telemetry.db"),
        }

    def show(self, command: str) -> None:
        """Run a command, its output for the reader."""
        print(f"\n$ {command}", flush=True)
        subprocess.run(command.split(), env=self._environment, check=True)

    def read(self, command: str) -> bytes:
        """Run a command, its output for us."""
        return subprocess.run(command.split(), env=self._environment, check=True, stdout=subprocess.PIPE).stdout


def main() -> int:
    """Run the demonstration; 0 where all digests are equal."""
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--engine", default="camunda-7.24.0", help=f"one of {', '.join(RELEASES)}, or operaton")
    release = {"operaton": "operaton-1.0.3", "camunda": "camunda-7.24.0"}.get(name := parser.parse_args().engine, name)
    if release not in RELEASES:
        parser.error(f"there is no engine {release!r}; there are {', '.join(RELEASES)} (and operaton)")
    with tempfile.TemporaryDirectory(prefix="telemetry-demo-") as name, _engine(release) as engine:
        directory = Path(name)
        program = Program(directory)
        program.config.touch()  # the service needs nothing in it
        with Collector(program, "--store", str(directory / STORE)) as collector:
            return _go(directory, engine, collector)


@contextmanager
def _engine(release: str) -> Iterator[Workable]:
    reason = missing_tools()
    if reason is not None:
        capture = release if (CAPTURES / f"{release}.json").exists() else "camunda-7.24.0"
        print(f"{reason}: a recorded engine ({capture}) answers instead of a real one.", flush=True)
        with SimulatedEngine(capture) as simulated:
            yield simulated
        return
    print(f"Building {release}: Maven downloads what it needs from Maven Central the first time.", flush=True)
    build(release)
    begun = time.monotonic()
    print(f"Starting a real engine, {release} ...", flush=True)
    with Engine.start(release) as engine:
        print(f"It answers at {engine.rest} after {time.monotonic() - begun:.0f} s.")
        yield engine


def _go(directory: Path, engine: Workable, collector: Collector) -> int:
    store, config = directory / STORE, directory / "telemetry.toml"
    print(f"\n$ telemetry collector serve --port {collector.port} --store {store} &", flush=True)
    config.write_text(f'endpoint = "{collector.url}"\n\n[engines.demo]\nrest = "{engine.rest}"\n', encoding="utf-8")
    print(
        f"\nIt receives at {collector.url}. The reporter's whole configuration:\n\n{config.read_text(encoding='utf-8')}"
    )
    shell = Shell(directory, config)
    shell.show("telemetry status")
    shell.show("telemetry enable --yes --authorized-by demo")
    print("\nFive process instances are started on the engine.", flush=True)
    engine.start_process(5)
    shell.show("telemetry preview --keep")
    previewed = hashlib.sha256(shell.read("telemetry preview --raw")).hexdigest()
    shell.show("telemetry send")
    received = _received(shell, store)
    print(f"(nothing to read: all is well; the receiving service has {len(received)} reports)")
    shell.show("telemetry history")
    shell.show("telemetry status")
    return _compare(shell, received, previewed)


def _received(shell: Shell, store: Path) -> dict[str, str]:
    """What the receiving service gives out again: the digest of each report by its id."""
    exported = msgspec.json.decode(
        shell.read(f"telemetry collector export --format json --store {store}"), type=_Exported
    )
    return {one.id: hashlib.sha256(one.report).hexdigest() for one in exported.reports}


def _compare(shell: Shell, received: dict[str, str], previewed: str) -> int:
    reports = json.loads(shell.read("telemetry history --json"))["data"]["reports"]
    periodic: str = next(report["id"] for report in reports if report["kind"] == "periodic")
    digests = {
        "previewed": previewed,
        "received": received.get(periodic),
        "receipt": _receipt(shell, periodic)["sha256"],
        "kept": hashlib.sha256(shell.read(f"telemetry history {periodic} --raw")).hexdigest(),
    }
    if set(digests.values()) == {previewed}:
        print(f"\nThe previewed, the received, the acknowledged and the kept report are equal: SHA-256 {previewed}")
        return 0
    print(f"\nNOT EQUAL: {', '.join(f'{name} {digest}' for name, digest in digests.items())}")
    return 1


def _receipt(shell: Shell, report: str) -> Any:
    """The receipt with which a report was answered, as the history keeps it."""
    attempts = json.loads(shell.read(f"telemetry history {report} --json"))["data"]["reports"][0]["attempt-list"]
    return json.loads(attempts[-1]["answer"])


class _Report(msgspec.Struct):
    """A report of the export; the bytes as they came."""

    id: str
    report: msgspec.Raw


class _Exported(msgspec.Struct):
    """The export."""

    reports: list[_Report]


if __name__ == "__main__":
    sys.exit(main())
