"""A real MariaDB on loopback in a directory of its own."""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

USER, PASSWORD = "engine", "engine-password"


def missing() -> str | None:
    """Why no server can be started here, None where one can."""
    return None if shutil.which("mariadbd") and shutil.which("mariadb-install-db") else "MariaDB is not installed"


@contextmanager
def running() -> Iterator[str]:
    """Start a server on a free port, and stop it; the URL of its database `engine`."""
    directory = Path(tempfile.mkdtemp(prefix="telemetry-mariadb-"))
    try:
        data, port = directory / "data", _free_port()
        install = [
            "mariadb-install-db",
            "--no-defaults",
            f"--datadir={data}",
            "--auth-root-authentication-method=normal",
        ]
        subprocess.run([*install, *_user()], check=True, capture_output=True)
        script = directory / "init.sql"
        script.write_text(
            f"CREATE DATABASE engine;\nCREATE USER {USER}@'127.0.0.1' IDENTIFIED BY '{PASSWORD}';\n"
            f"GRANT ALL ON engine.* TO {USER}@'127.0.0.1';\n",
            encoding="ascii",
        )
        command = ["mariadbd", "--no-defaults", f"--datadir={data}", f"--port={port}", "--bind-address=127.0.0.1"]
        command += [f"--socket={directory / 'socket'}", f"--init-file={script}", "--skip-name-resolve"]
        command += ["--transaction-isolation=READ-COMMITTED", *_user()]
        with (directory / "log").open("wb") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            _wait(port, process, directory / "log")
            yield f"mariadb://{USER}:{PASSWORD}@127.0.0.1:{port}/engine"
        finally:
            process.terminate()
            process.wait(30)
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _user() -> list[str]:
    return ["--user=root"]


def _wait(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    limit = time.monotonic() + 60
    while time.monotonic() < limit and process.poll() is None:
        try:
            with socket.create_connection(("127.0.0.1", port), 1):
                return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError(f"MariaDB does not start: {log.read_text(encoding='utf-8', errors='replace')}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
