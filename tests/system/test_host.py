"""What this host tells of real servers, unpacked and running, is what they say of themselves."""

from __future__ import annotations

import os
import signal
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from telemetry_core import hostfiles
from tests.engines import Engine
from tests.support import distributions
from tests.support.ports import free_port
from tests.support.program import Program

pytestmark = [pytest.mark.engine, pytest.mark.family]

PAGE = (
    '<%= application.getServerInfo() %>|<%= System.getProperty("java.version") %>'
    '|<%= System.getProperty("java.vm.vendor") %>'
)
_HTTP = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@contextmanager
def running(home: Path, port: int) -> Iterator[None]:
    """The server of a distribution, with one page at `/who/`, on loopback."""
    tomcat = (home / "conf" / "server.xml").is_file()
    if tomcat:
        page = home / "webapps" / "who" / "index.jsp"
        settings = home / "conf" / "server.xml"
        text = settings.read_text(encoding="utf-8").replace('port="8005"', 'port="-1"')
        settings.write_text(text.replace('port="8080"', f'port="{port}" address="127.0.0.1"'), encoding="utf-8")
        command = ["sh", str(home / "bin" / "catalina.sh"), "run"]
    else:
        deployments = home / "standalone" / "deployments"
        (deployments / "who.war.dodeploy").touch()
        page = deployments / "who.war" / "index.jsp"
        command = ["sh", str(home / "bin" / "standalone.sh"), "-b=127.0.0.1", "-bmanagement=127.0.0.1"]
        command += [f"-Djboss.http.port={port}", "-Djboss.https.port=0", "-Djboss.management.http.port=0"]
        command += ["-Djboss.management.https.port=0"]
    page.parent.mkdir(parents=True)
    page.write_text(PAGE, encoding="utf-8")
    with (home / "output").open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, start_new_session=True)
    try:
        yield
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def answer(port: int) -> list[str]:
    limit = time.monotonic() + 120
    while True:
        try:
            with _HTTP.open(f"http://127.0.0.1:{port}/who/index.jsp", timeout=30) as response:
                return str(response.read().decode()).strip().split("|")
        except OSError:
            if time.monotonic() > limit:
                raise
            time.sleep(0.5)


@pytest.mark.parametrize("artifact", distributions.ALL)
def test_a_server_is_known_by_its_files_as_it_calls_itself_when_it_runs(artifact: str, tmp_path: Path) -> None:
    home = distributions.unpacked(artifact, tmp_path)
    unpacked = hostfiles.look(home)
    port = free_port()
    with running(home, port):
        server_info, java_version, vendor = answer(port)
        process = hostfiles.running({port}, None)
        by_home = hostfiles.running((), home)
    assert unpacked.server == server_info
    assert unpacked.problems["product"] == f"{home} has no engine"
    assert process.homes[0].resolve() == home.resolve()
    assert by_home == process
    jdk = hostfiles.read_release(process.java_home)
    assert (jdk.version, jdk.vendor) == (java_version, vendor)


@pytest.mark.parametrize("release", ["camunda-7.24.0", "operaton-1.0.3"])
def test_the_process_of_a_running_engine_leads_to_what_the_engine_itself_says(release: str, program: Program) -> None:
    with Engine.start(release) as engine:
        program.configure(f'[engines.orders]\nrest = "{engine.rest}"\n')
        shown = program("environment", "--json").data["engines"][0]
        said = engine.telemetry_data()["product"]
        host = [source for source in shown["sources"] if source.startswith("host ")]
        process = hostfiles.running({engine.port}, None)
        assert process.id == engine.pid
    assert len(host) == 2
    assert shown["also-found"] == {}, "all sources agree"
    assert not any(shown["sources"][source] for source in host)
    home = hostfiles.look(process.homes[0])
    assert home.server == said["internals"]["application-server"]["version"]
    assert home.engine is not None
    assert home.engine.version == said["version"]
    assert home.integrations == ("spring-boot-starter",)
