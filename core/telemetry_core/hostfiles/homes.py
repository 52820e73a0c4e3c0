"""What the home of a server or distribution tells: its server, and the engine and integration in it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from telemetry_core.hostfiles import reading, servers
from telemetry_core.hostfiles.libraries import Library, in_archive, in_directory
from telemetry_core.hostfiles.reading import Unread

T = TypeVar("T")

_APPLICATIONS = 50
"""Web applications of one server that are looked into."""

_STARTER = re.compile(r"(?:camunda|operaton|cibseven)-bpm-spring-boot-starter")
_RUN = re.compile(r"(?:camunda|operaton|cibseven)-bpm-run-core(?:-.*)?\.jar")
_SUBSYSTEM = re.compile(r"(?:camunda|operaton|cibseven)-wildfly(?:\d+)?-subsystem(?:-.*)?")


@dataclass(frozen=True, slots=True)
class Home:
    """What was found.

    Attributes:
        path: Where.
        server: As `ServletContext.getServerInfo()` says it in there (facts §6.1); None where it is not known.
        engine: The engine's jar; None where there is none, or several differ.
        integrations: How the engine is put in place (facts §6.2), without a product's prefix: `spring-boot-starter`,
            `bpm-run`, `wildfly-subsystem`; None where there is no engine.
        problems: Why a value is not there: by `application-server`, `product`, `integration`.
    """

    path: Path
    server: str | None = None
    engine: Library | None = None
    integrations: tuple[str, ...] | None = None
    problems: Mapping[str, str] = field(default_factory=dict)


def look(path: Path) -> Home:
    """What the home of a server, the home of Run, or a Spring Boot jar tells; nothing found in it is ever executed.

    Looked at are fixed places alone: version files, `lib`, modules, and the web applications that are deployed.

    Args:
        path: A directory, or the jar.
    """
    problems: dict[str, str] = {}
    if not _is_there(path):
        return Home(
            path, problems=dict.fromkeys(("application-server", "product", "integration"), f"{path} is not there")
        )
    server = _or_reason(lambda: _server(path), problems, "application-server")
    found = _or_reason(lambda: list(_libraries(path)), problems, "product")
    if found is None:
        return Home(path, server, problems={**problems, "integration": problems["product"]})
    engines = sorted({one for one in found if one.is_engine}, key=lambda one: (one.artifact, one.version))
    if len(engines) != 1:
        versions = ", ".join(f"{one.artifact} {one.version}" for one in engines)
        reason = f"{path} has several engines: {versions}" if engines else f"{path} has no engine"
        return Home(path, server, problems={**problems, "product": reason, "integration": reason})
    return Home(path, server, engines[0], tuple(_integrations(path, found)), problems)


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # a loop of links
        return False


def _or_reason(look_for: Callable[[], T], problems: dict[str, str], point: str) -> T | None:
    try:
        return look_for()
    except Unread as failure:
        problems[point] = str(failure)
    except OSError as error:
        problems[point] = f"{error.filename} cannot be looked at: {error.strerror}"
    return None


def _server(path: Path) -> str:
    if path.is_file():
        return servers.embedded(_packed(path), str(path))
    core = _run_core(path)
    if core is not None:
        return servers.embedded(_packed(core), str(core))
    return servers.installed(path)


def _libraries(path: Path) -> Iterator[Library]:
    if path.is_file():
        yield from _packed(path)
        return
    core = _run_core(path)
    if core is not None:
        yield from _packed(core)
        return
    yield from in_directory(path / "lib")
    yield from in_directory(path / "BOOT-INF" / "lib")  # a Spring Boot jar that was unpacked
    for family in ("camunda/bpm/camunda", "operaton/bpm/operaton", "cibseven/bpm/cibseven"):
        yield from in_directory(path / "modules" / "org" / f"{family}-engine" / "main")
    for deployments in (path / "webapps", path / "standalone" / "deployments"):
        for name in reading.names(deployments)[:_APPLICATIONS]:
            yield from _application(deployments / name)


def _application(path: Path) -> Iterator[Library]:
    if path.is_dir():
        yield from in_directory(path / "WEB-INF" / "lib")
    elif path.suffix == ".war":
        with reading.archive(path, str(path)) as opened:
            yield from in_archive(opened, "WEB-INF/lib/")


def _packed(jar: Path) -> list[Library]:
    with reading.archive(jar, str(jar)) as opened:
        return list(in_archive(opened, "BOOT-INF/lib/"))


def _run_core(path: Path) -> Path | None:
    """The jar of Run, in its directory `internal` (facts §8.4)."""
    internal = path / "internal"
    return next((internal / name for name in reading.names(internal) if _RUN.fullmatch(name)), None)


def _integrations(path: Path, found: list[Library]) -> Iterator[str]:
    if (path.is_file() and _RUN.fullmatch(path.name)) or (path.is_dir() and _run_core(path) is not None):
        yield "bpm-run"
    if any(_STARTER.fullmatch(one.artifact) for one in found):
        yield "spring-boot-starter"
    for family in ("camunda", "operaton", "cibseven"):
        modules = path / "modules" / "org" / family / "bpm" / "wildfly"
        if any(_SUBSYSTEM.fullmatch(name) for name in reading.names(modules)):
            yield "wildfly-subsystem"
