"""Builds the runnable jar of a release with Maven, once for each state of the sources."""

from __future__ import annotations

import fcntl
import functools
import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .releases import RELEASES, Release

HERE = Path(__file__).resolve().parent
BUILD = HERE / "build"
JAVA = 17
MAVEN_TIMEOUT = 1800.0


class EngineError(Exception):
    """An engine could not be built, started or asked."""


def java_tool(name: str) -> str | None:
    """The path of ``java`` or ``javac``: of JAVA_HOME when that is set, otherwise the first on PATH."""
    home = os.environ.get("JAVA_HOME")
    if home:
        return shutil.which(name, path=str(Path(home) / "bin"))
    return shutil.which(name)


@functools.cache
def missing_tools() -> str | None:
    """Why engines cannot be built and run here, as one line, or None when they can."""
    java = java_tool("java")
    if java is None or _major_version(java) != JAVA:
        return f"Java {JAVA} is not installed"
    if java_tool("javac") is None:
        return f"the compiler of Java {JAVA} is not installed"
    if shutil.which("mvn") is None:
        return "Maven is not installed"
    return None


def build(release: str | Release) -> Path:
    """The runnable jar of a release, or of the one of that name; built when it is absent or made from other sources.

    Two callers at once are safe: the second waits, for Maven's local repository must not be written by two.
    Raises EngineError with the end of Maven's output, and for an unknown release or a missing tool.
    """
    chosen = find(release) if isinstance(release, str) else release
    folder = BUILD / chosen.name
    jar, stamp = folder / "engine.jar", folder / "sources.sha256"
    digest = _digest(chosen)
    if _is_current(jar, stamp, digest=digest):
        return jar
    with _lock():
        if _is_current(jar, stamp, digest=digest):
            return jar
        reason = missing_tools()
        if reason is not None:
            raise EngineError(reason)
        work = folder / "work"
        shutil.rmtree(work, ignore_errors=True)
        _package(chosen, work)
        stamp.unlink(missing_ok=True)
        (work / "engine.jar").replace(jar)
        shutil.rmtree(work, ignore_errors=True)
        stamp.write_text(digest, encoding="ascii")
    return jar


def find(release: str) -> Release:
    """The release of that name; EngineError names those that exist."""
    try:
        return RELEASES[release]
    except KeyError:
        raise EngineError(f"unknown release {release!r}; known are {', '.join(RELEASES)}") from None


def tail(text: str, *, lines: int = 60) -> str:
    """The last lines of a log; of Java's stack traces only the causes."""
    return "\n".join([line for line in text.splitlines() if not line.startswith("\tat ")][-lines:])


def _is_current(jar: Path, stamp: Path, *, digest: str) -> bool:
    try:
        return jar.is_file() and stamp.read_text(encoding="ascii") == digest
    except FileNotFoundError:
        return False


def _package(release: Release, work: Path) -> None:
    """Runs Maven without the network, and with it only when something is not in the local repository yet."""
    finished = _maven(release, work, "--offline")
    if finished.returncode != 0 and "offline" in finished.stdout:
        shutil.rmtree(work, ignore_errors=True)
        finished = _maven(release, work)
    if finished.returncode != 0:
        raise EngineError(f"Maven could not build {release.name}; the end of its output:\n{tail(finished.stdout)}")


def _maven(release: Release, work: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [
        "mvn",
        "-q",
        "-B",
        "-Dstyle.color=never",
        *options,
        f"--file={HERE / release.project / 'pom.xml'}",
        f"-Doutput={work}",
    ]
    command += [f"-D{name}={value}" for name, value in release.maven_properties().items()]
    try:
        return subprocess.run(
            [*command, "package"],
            cwd=HERE,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=MAVEN_TIMEOUT,
            check=False,
        )
    except subprocess.TimeoutExpired as slow:
        raise EngineError(f"Maven did not build {release.name} in {MAVEN_TIMEOUT:.0f} s") from slow


def _digest(release: Release) -> str:
    """A fingerprint of all that the jar is made from."""
    digest = hashlib.sha256(repr(release).encode())
    project = HERE / release.project
    sources = {*(project / "src").rglob("*"), *(HERE / "src" / "resources").rglob("*")}
    for path in (project / "pom.xml", *sorted(path for path in sources if path.is_file())):
        digest.update(f"\n{path.relative_to(HERE)}\n".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _major_version(java: str) -> int | None:
    shown = subprocess.run([java, "-version"], capture_output=True, text=True, check=False)
    found = re.search(r'version "(\d+)', shown.stderr)
    return int(found.group(1)) if found else None


@contextmanager
def _lock() -> Iterator[None]:
    BUILD.mkdir(exist_ok=True)
    with (BUILD / "lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
