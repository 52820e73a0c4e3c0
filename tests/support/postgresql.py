"""A real PostgreSQL on loopback in a directory of its own, with one database for each test that wants one."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from tests.support.ports import free_port

_PLACES = ("/usr/lib/postgresql/17/bin", "/usr/lib/postgresql/16/bin", "/usr/lib/postgresql/15/bin")

OUR_SESSIONS = "FROM pg_stat_activity WHERE application_name = 'telemetry' AND datname = current_database()"
"""Those of the program in the database that is asked; the server has those of other tests, too."""


def program(name: str) -> str | None:
    """Where a program of the server is, None where it is not installed."""
    return shutil.which(name, path=os.pathsep.join((*_PLACES, os.environ.get("PATH", ""))))


def missing() -> str | None:
    """Why no server can be started here, None where one can."""
    return None if program("initdb") and program("postgres") else "PostgreSQL is not installed"


class PostgreSQL:
    """A running server; its superuser `postgres` has the password `root pass/word`."""

    password = "root pass/word"

    def __init__(self, directory: Path, port: int, process: subprocess.Popen[bytes]) -> None:
        self.directory = directory
        self.port = port
        self._process = process
        self._number = 0

    def url(self, database: str, user: str = "postgres", password: str | None = "root%20pass%2Fword") -> str:
        """The URL of a database."""
        secret = "" if password is None else f":{password}"
        return f"postgresql://{user}{secret}@127.0.0.1:{self.port}/{database}"

    def connect(self, database: str = "postgres") -> psycopg.Connection[tuple[object, ...]]:
        """A connection of the superuser, each statement its own transaction."""
        return psycopg.connect(
            host="127.0.0.1", port=self.port, user="postgres", password=self.password, dbname=database, autocommit=True
        )

    def execute(self, database: str, *statements: str) -> list[tuple[object, ...]]:
        """Run statements as superuser; the rows of the last one."""
        found: list[tuple[object, ...]] = []
        with self.connect(database) as connection:
            for statement in statements:
                cursor = connection.execute(statement.encode())
                found = cursor.fetchall() if cursor.description is not None else []
        return found

    def database(self) -> str:
        """The name of a new, empty database."""
        self._number += 1
        name = f"engine{self._number}"
        self.execute("postgres", f"CREATE DATABASE {name}")
        return name

    def copy(self, database: str) -> str:
        """The name of a new database that is a copy of one that nobody is connected to."""
        self._number += 1
        name = f"engine{self._number}"
        self.execute("postgres", f"CREATE DATABASE {name} TEMPLATE {database}")
        return name

    def stop_at_once(self) -> None:
        """End the server as its "immediate" shutdown does: no session is waited for."""
        self._process.send_signal(signal.SIGQUIT)

    def log(self) -> str:
        """What the server has written."""
        return (self.directory / "log").read_text(encoding="utf-8", errors="replace")


@contextmanager
def running(parent: Path | None = None, *, durable: bool = False) -> Iterator[PostgreSQL]:
    """Start a server on a free port, and stop it.

    Args:
        parent: In which directory it has its own.
        durable: It is as it comes, and waits for the disk; otherwise it does not, and logs every statement.
    """
    directory = Path(tempfile.mkdtemp(prefix="telemetry-postgresql-", dir=parent))
    try:
        port = free_port()
        _initialise(directory)
        with (directory / "log").open("wb") as log:
            arguments = [str(program("postgres")), "-D", str(directory / "data"), "-p", str(port), "-k", ""]
            arguments += ["-c", "listen_addresses=127.0.0.1"]
            arguments += [] if durable else ["-c", "fsync=off", "-c", "log_statement=all"]
            process = subprocess.Popen([*as_postgres(), *arguments], stdout=log, stderr=log, cwd=directory)
        server = PostgreSQL(directory, port, process)
        try:
            _wait(server, process)
            yield server
        finally:
            process.send_signal(signal.SIGQUIT)  # at once: nothing of it is kept
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _initialise(directory: Path) -> None:
    secret = directory / "password"
    secret.write_text(PostgreSQL.password + "\n", encoding="utf-8")
    if os.geteuid() == 0:
        for path in (directory, secret):
            shutil.chown(path, "postgres", "postgres")
    arguments = [str(program("initdb")), "-D", str(directory / "data"), "-U", "postgres", "-A", "scram-sha-256"]
    arguments += ["--pwfile", str(secret), "-E", "UTF8", "--no-locale", "--no-sync"]
    subprocess.run([*as_postgres(), *arguments], check=True, capture_output=True, cwd=directory)


def as_postgres() -> list[str]:
    """`initdb` and `postgres` refuse root."""
    if os.geteuid() != 0:
        return []
    user = pwd.getpwnam("postgres")
    return ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]


def _wait(server: PostgreSQL, process: subprocess.Popen[bytes]) -> None:
    limit = time.monotonic() + 60
    while time.monotonic() < limit and process.poll() is None:
        try:
            server.connect().close()
        except psycopg.OperationalError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError(f"PostgreSQL does not start: {server.log()}")
