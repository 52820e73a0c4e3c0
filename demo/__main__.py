"""`make demo`: starts an engine and a receiver on loopback, then does what an administrator would do from a shell."""

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
from typing import Protocol

from tests.engines import RELEASES, Engine, build, missing_tools
from tests.support.receiver import Receiver
from tests.support.simulated_engine import CAPTURES, SimulatedEngine


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
    """Run the demonstration; 0 where the three digests are equal."""
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--engine", default="camunda-7.24.0", help=f"one of {', '.join(RELEASES)}, or operaton")
    release = {"operaton": "operaton-1.0.3", "camunda": "camunda-7.24.0"}.get(name := parser.parse_args().engine, name)
    if release not in RELEASES:
        parser.error(f"there is no engine {release!r}; there are {', '.join(RELEASES)} (and operaton)")
    with (
        tempfile.TemporaryDirectory(prefix="telemetry-demo-") as directory,
        Receiver() as receiver,
        _engine(release) as engine,
    ):
        return _go(Path(directory), engine, receiver)


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


def _go(directory: Path, engine: Workable, receiver: Receiver) -> int:
    config = directory / "telemetry.toml"
    config.write_text(f'endpoint = "{receiver.url}"\n\n[engines.demo]\nrest = "{engine.rest}"\n', encoding="utf-8")
    print(f"The receiver listens at {receiver.url}. The whole configuration:\n\n{config.read_text(encoding='utf-8')}")
    shell = Shell(directory, config)
    shell.show("telemetry status")
    shell.show("telemetry enable --yes --authorized-by demo")
    print("\nFive process instances are started on the engine.", flush=True)
    engine.start_process(5)
    shell.show("telemetry preview --keep")
    previewed = hashlib.sha256(shell.read("telemetry preview --raw")).hexdigest()
    shell.show("telemetry send")
    print(f"(nothing to read: all is well; the receiver has {len(receiver.received)} reports)")
    shell.show("telemetry history")
    shell.show("telemetry status")
    return _compare(shell, receiver, previewed)


def _compare(shell: Shell, receiver: Receiver, previewed: str) -> int:
    reports = json.loads(shell.read("telemetry history --json"))["data"]["reports"]
    periodic = next(report for report in reports if report["kind"] == "periodic")
    kept = hashlib.sha256(shell.read(f"telemetry history {periodic['id']} --raw")).hexdigest()
    received = [request.sha256 for request in receiver.received if request.key == periodic["id"]]
    if received == [previewed] and kept == previewed:
        print(f"\nThe previewed, the received and the kept report are equal: SHA-256 {previewed}")
        return 0
    print(f"\nNOT EQUAL: previewed {previewed}, received {received}, kept {kept}")
    return 1


if __name__ == "__main__":
    sys.exit(main())
