"""A real PgBouncer before a real PostgreSQL, on loopback: each transaction gets another of its few connections."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import psycopg

from telemetry_core.config import Url
from tests.support.ports import free_port
from tests.support.postgresql import PostgreSQL, as_postgres
from tests.support.stores import connected, url_of

CONNECTIONS = 2
"""How many of them it has to the server."""


def missing() -> str | None:
    """Why none can be started here, None where one can."""
    return None if _program() else "PgBouncer is not installed"


@contextmanager
def pooled(server: PostgreSQL, database: str) -> Iterator[Url]:
    """The URL of a database by way of a pooler, which stops at the end."""
    directory = Path(tempfile.mkdtemp(prefix="telemetry-pgbouncer-"))
    try:
        port = free_port()
        _configure(directory, server, port)
        command = [*as_postgres(), str(_program()), str(directory / "pgbouncer.ini")]
        with (directory / "log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
            try:
                url = url_of(server, database)
                url = replace(url, text=url.text.replace(f":{server.port}/", f":{port}/"))
                _wait(url, process, directory / "log")
                yield url
            finally:
                process.kill()
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _configure(directory: Path, server: PostgreSQL, port: int) -> None:
    users = directory / "users"
    users.write_text(f'"postgres" "{server.password}"\n', encoding="utf-8")
    settings = directory / "pgbouncer.ini"
    settings.write_text(
        f"[databases]\n* = host=127.0.0.1 port={server.port}\n"
        f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n"
        f"auth_type = plain\nauth_file = {users}\npool_mode = transaction\ndefault_pool_size = {CONNECTIONS}\n"
        "server_round_robin = 1\n",
        encoding="utf-8",
    )
    if os.geteuid() == 0:
        for path in (directory, users, settings):
            shutil.chown(path, "postgres", "postgres")


def _program() -> str | None:
    return shutil.which("pgbouncer", path=os.pathsep.join(("/usr/sbin", os.environ.get("PATH", ""))))


def _wait(url: Url, process: subprocess.Popen[bytes], log: Path) -> None:
    limit = time.monotonic() + 30
    while time.monotonic() < limit and process.poll() is None:
        try:
            connected(url).close()
        except psycopg.OperationalError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"PgBouncer does not start: {log.read_text(encoding='utf-8')}")
