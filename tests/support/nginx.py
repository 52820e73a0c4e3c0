"""A real nginx on loopback before several collectors, as an unprivileged user, in a directory of its own."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.support.ports import free_port
from tests.support.unprivileged import NOBODY

ROOT = Path(__file__).parent.parent.parent
_BLOCK = re.compile(r"```nginx\n(.*?)```", re.DOTALL)
_SERVERS = re.compile(r"(?:    server [\d.]+:8471;\n)+")
_LISTEN = re.compile(r"    listen 443 ssl;\n(?:    ssl_[^\n]*\n)*")


class Nginx:
    """A running nginx; `port` is where it listens."""

    def __init__(self, directory: Path, port: int) -> None:
        self.port = port
        self._directory = directory

    def answered(self) -> Counter[int]:
        """How many requests each collector has answered, by its port."""
        lines = (self._directory / "access.log").read_text(encoding="utf-8").splitlines()
        ports = [line.rpartition(" ")[2].rpartition(":")[2] for line in lines]
        return Counter(int(port) for port in ports if port.isdecimal())


def missing() -> str | None:
    """Why none can be started here, None where one can."""
    return None if _program() else "nginx is not installed"


def documented() -> str:
    """What docs/scaling.md has administrators write."""
    found = _BLOCK.search((ROOT / "docs" / "scaling.md").read_text(encoding="utf-8"))
    assert found is not None
    return found[1]


@contextmanager
def before(ports: Sequence[int]) -> Iterator[Nginx]:
    """An nginx before collectors at some ports, configured as the documentation says; it stops at the end."""
    directory = Path(tempfile.mkdtemp(prefix="telemetry-nginx-"))
    try:
        port = free_port()
        configuration = directory / "nginx.conf"
        configuration.write_text(_configuration(directory, port, ports), encoding="utf-8")
        if os.geteuid() == 0:
            for path in (directory, configuration):
                os.chown(path, NOBODY, NOBODY)
        log = directory / "error.log"
        command = [*_as_nobody(), str(_program()), "-e", str(log), "-c", str(configuration), "-p", str(directory)]
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
        try:
            _wait(port, process, log)
            yield Nginx(directory, port)
        finally:
            process.terminate()
            process.wait(20)
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _configuration(directory: Path, port: int, ports: Sequence[int]) -> str:
    """The documented one, with other places and without TLS."""
    servers = "".join(f"    server 127.0.0.1:{one};\n" for one in ports)
    ours, found = _SERVERS.subn(servers, documented())
    ours, also_found = _LISTEN.subn(f"    listen 127.0.0.1:{port};\n", ours)
    assert (found, also_found) == (1, 1)
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    places = "".join(f"{kind}_temp_path {directory / kind};\n" for kind in kinds)
    return f"""
daemon off;
pid {directory / "pid"};
events {{ worker_connections 512; }}
http {{
log_format upstream '$status $upstream_addr';
access_log {directory / "access.log"} upstream;
{places}
{ours}
}}
"""


def _as_nobody() -> list[str]:
    if os.geteuid() != 0:
        return []
    return ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]


def _program() -> str | None:
    return shutil.which("nginx", path=os.pathsep.join(("/usr/sbin", os.environ.get("PATH", ""))))


def _wait(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    limit = time.monotonic() + 30
    while time.monotonic() < limit and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"nginx does not start: {log.read_text(encoding='utf-8') if log.exists() else ''}")
