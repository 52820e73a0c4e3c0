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
from urllib.parse import urlsplit

import pymysql

from tests.support.ports import free_port

USER, PASSWORD = "engine", "engine-password"
ADMINISTRATOR = "administrator"
DATABASES = ("engine", "operaton")


def missing() -> str | None:
    """Why no server can be started here, None where one can."""
    return None if shutil.which("mariadbd") and shutil.which("mariadb-install-db") else "MariaDB is not installed"


@contextmanager
def running() -> Iterator[str]:
    """Start a server on a free port, and stop it; the URL of its database `engine`; there is `operaton` too."""
    directory = Path(tempfile.mkdtemp(prefix="telemetry-mariadb-"))
    try:
        data, port = directory / "data", free_port()
        install = [
            "mariadb-install-db",
            "--no-defaults",
            f"--datadir={data}",
            "--auth-root-authentication-method=normal",
        ]
        subprocess.run([*install, *_user()], check=True, capture_output=True)
        script = directory / "init.sql"
        statements = [f"CREATE USER {USER}@'127.0.0.1' IDENTIFIED BY '{PASSWORD}'"]
        statements += [f"CREATE USER {ADMINISTRATOR}@'127.0.0.1' IDENTIFIED BY '{PASSWORD}'"]
        statements += [f"GRANT ALL ON *.* TO {ADMINISTRATOR}@'127.0.0.1' WITH GRANT OPTION"]
        for name in DATABASES:
            statements += [f"CREATE DATABASE {name}", f"GRANT ALL ON {name}.* TO {USER}@'127.0.0.1'"]
        script.write_text("".join(f"{statement};\n" for statement in statements), encoding="ascii")
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


def connect(url: str) -> pymysql.Connection[pymysql.cursors.Cursor]:
    """A connection of the administrator to the database of a URL, each statement its own transaction."""
    parts = urlsplit(url)
    return pymysql.connect(
        host="127.0.0.1", port=int(parts.port or 0), user=ADMINISTRATOR, password=PASSWORD,
        database=parts.path.removeprefix("/"), autocommit=True,
    )  # fmt: skip


def execute(url: str, *statements: str) -> list[tuple[object, ...]]:
    """Run statements as administrator; the rows of the last one."""
    connection = connect(url)
    try:
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            return list(cursor.fetchall())
    finally:
        connection.close()


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
