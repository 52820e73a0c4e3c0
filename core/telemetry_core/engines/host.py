"""This host as a source: JDK, server and engine of an entry, by files and by the running process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from telemetry_core import hostfiles
from telemetry_core.config import Engine
from telemetry_core.engines.flavours import integration_of, product_of
from telemetry_core.hostfiles import Home, Unread, servers
from telemetry_core.model import Clock, Snapshot, Software


def read(engine: Engine, clock: Clock, *, look_for_process: bool) -> Iterator[Snapshot]:
    """What the configured directories say, and what the running process leads to where one of them is not configured.

    What cannot be read is a problem of its data point and never fails anything.

    Args:
        engine: The entry, with `java-home`, `home` or a REST address on this host.
        clock: For the time of reading.
        look_for_process: Whether a process may be looked for, which costs more than reading files.
    """
    if engine.home is not None:
        yield _home(engine.entry, engine.home, clock)
    if engine.java_home is not None:
        yield _jdk(engine.entry, engine.java_home, clock)
    ports = _ports(engine)
    if look_for_process and (ports or engine.home) and not (engine.home and engine.java_home):
        yield from _process(engine, ports, clock)


def _process(engine: Engine, ports: frozenset[int], clock: Clock) -> Iterator[Snapshot]:
    try:
        found = hostfiles.running(ports, engine.home)
    except Unread as failure:
        yield Snapshot(engine.entry, "host", clock.now(), on_host=True, problems={"process": str(failure)})
        return
    note = f" (process {found.id})"
    if engine.home is None:
        for home in found.homes[:1]:
            yield _home(engine.entry, home, clock, note=note)
    if engine.java_home is None:
        yield _jdk(engine.entry, found.java_home, clock, note=note)


def _ports(engine: Engine) -> frozenset[int]:
    """Ports of the entry's addresses on this host."""
    parts = [urlsplit(address.text) for address in engine.addresses]
    defaults = {"http": 80, "https": 443}
    here = [part for part in parts if hostfiles.is_this_host(part.hostname or "")]
    return frozenset(part.port or defaults.get(part.scheme, 0) for part in here)


def _jdk(entry: str, home: Path, clock: Clock, *, note: str = "") -> Snapshot:
    source = f"host {home}{note}"
    try:
        return Snapshot(entry, source, clock.now(), on_host=True, jdk=hostfiles.read_release(home))
    except Unread as failure:
        return Snapshot(entry, source, clock.now(), on_host=True, problems={"jdk": str(failure)})


def _home(entry: str, path: Path, clock: Clock, *, note: str = "") -> Snapshot:
    found: Home = hostfiles.look(path)
    server, engine = found.server, found.engine
    return Snapshot(
        entry,
        f"host {path}{note}",
        clock.now(),
        on_host=True,
        product=None if engine is None else product_of(engine.artifact, engine.version),
        application_server=None if server is None else Software(servers.vendor_of(server), server),
        integration=None if engine is None else integration_of(engine.artifact, found.integrations or ()),
        problems=found.problems,
    )
