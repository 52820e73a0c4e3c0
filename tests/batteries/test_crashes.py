"""A bug in the middle of a secret's use ends with 1 and a traceback that has no secret; and there are no children."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.batteries import canaries, tracing
from tests.batteries.canaries import Cage
from tests.batteries.planting import Bug, plant
from tests.batteries.world import World


@pytest.fixture
def cage() -> Iterator[Cage]:
    with World.running() as world:
        made = canaries.prepare(world)
        canaries.call(made, "enable --yes")
        yield made
    tracing.end()


#: The message of the error itself has the secret, as those of other people's code may.
BUGS = [
    Bug(
        "telemetry_core/engines/rest.py",
        "return basic(username, ",
        "int(basic(username, password.reveal()).reveal()); (",
    ),
    Bug("telemetry_core/engines/rest.py", "return basic(username, ", "{}[password.reveal()]; ("),
    Bug("telemetry_core/delivery.py", "    proxy = None if direct else settings.proxy\n", "    1 / 0\n"),
    Bug(
        "telemetry_core/delivery.py",
        "    proxy = None if direct else settings.proxy\n",
        "    int(token.reveal())\n",
    ),
]


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.becomes.strip())
def test_a_crash_shows_no_secret(bug: Bug, cage: Cage, tmp_path: Path) -> None:
    """In Python's development mode, which says more."""
    plant(bug, tmp_path)
    done = cage.world.program("send", variables={"PYTHONPATH": str(tmp_path), "PYTHONDEVMODE": "1"})
    assert done.status == 1
    assert "Traceback" in done.errors
    assert "Error: " in done.errors
    assert list(canaries.leaks(done.stdout + done.stderr)) == []
    assert cage.world.program("send").status == 0


@pytest.mark.skipif(tracing.missing() is not None, reason=str(tracing.missing()))
@pytest.mark.parametrize("command", ["send", "environment", "status"])
def test_no_command_starts_another_program(command: str, cage: Cage) -> None:
    starting = ["execve", "fork", "vfork", "clone", "clone3"]
    calls = tracing.points(cage.world.program, [command], ["openat", *starting])  # from the opening of the store on
    started = [call for call in calls if call.call in starting]
    assert started or command == "status"  # the threads of requests are seen
    assert [call for call in started if "CLONE_THREAD" not in call.text] == []
