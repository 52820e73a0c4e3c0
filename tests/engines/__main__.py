"""The command ``python -m tests.engines``, for people who want to try an engine by hand."""

from __future__ import annotations

import argparse
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from .launch import PASSWORD, RELEASES, USER, Engine, EngineError, build


def main(arguments: Sequence[str] | None = None) -> int:
    """Builds releases, or runs one until Ctrl-C; the exit status."""
    chosen = _parser().parse_args(arguments)
    try:
        if chosen.command == "build":
            return _build(chosen.releases)
        return _run(chosen.release, port=chosen.port, database=chosen.database)
    except EngineError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.engines", description="Process engines for tests.")
    commands = parser.add_subparsers(dest="command", required=True)
    building = commands.add_parser("build", help="build the runnable jars of releases")
    building.add_argument("releases", nargs="+", choices=[*RELEASES, "all"], metavar="RELEASE|all")
    running = commands.add_parser("run", help="run a release on loopback until Ctrl-C")
    running.add_argument("release", choices=list(RELEASES), metavar="RELEASE")
    running.add_argument("--port", type=int, help="default: a free one")
    running.add_argument("--database", type=Path, metavar="FILE", help="an H2 file; default: in memory")
    parser.epilog = f"Releases: {', '.join(RELEASES)}"
    return parser


def _build(releases: Sequence[str]) -> int:
    for release in RELEASES if "all" in releases else releases:
        print(build(release), flush=True)
    return 0


def _run(release: str, *, port: int | None, database: Path | None) -> int:
    properties = {} if port is None else {"server.port": port}
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with Engine.start(release, database=database or "memory", properties=properties) as engine:
        print(f"REST API  {engine.rest}")
        print(f"webapps   {engine.root}/{engine.release.product}/ ({USER}, {PASSWORD})")
        print(f"log       {engine.log}", flush=True)
        while engine.pid is not None:
            time.sleep(0.5)
        raise EngineError(f"{release} ended by itself")


if __name__ == "__main__":
    sys.exit(main())
