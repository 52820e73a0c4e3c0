"""A signal while something takes its time: the program ends within a second and says so, and nothing is lost."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.batteries.planting import Bug, plant
from tests.batteries.signals import SIGNALS, SOON
from tests.batteries.world import World, first, recover
from tests.support.receiver import Received, Reply
from tests.support.simulated_engine import Answer

SLOW = 20.0
#: The program asks itself to end, and fails at cleaning up after that; or hangs there and is asked again.
CLEANING_UP = """
        import os
        try:
            os.kill(os.getpid(), 15)
            thread.join()
        finally:
            threading.Lock().release()
"""
TWICE = """
        import os
        try:
            os.kill(os.getpid(), 15)
            thread.join()
        finally:
            os.kill(os.getpid(), 15)
            threading.Event().wait(30)
"""


@pytest.fixture
def world() -> Iterator[World]:
    with World.running() as made:
        first(made)
        yield made


@pytest.fixture
def over() -> Iterator[threading.Event]:
    """Set at the end of the test, so that slow servers need not take all their time."""
    event = threading.Event()
    yield event
    event.set()


def asked(world: World, number: signal.Signals, reached: threading.Event) -> tuple[int, float, bytes]:
    """Run a `send` and send it a signal once it has reached a place; its status, how long it took, what it said."""
    program = world.program
    with subprocess.Popen(
        [sys.executable, "-m", "telemetry_admin", "send"],
        env=program.environment(),
        cwd=program.directory,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as process:
        assert reached.wait(30)
        time.sleep(0.1)
        begun = time.monotonic()
        process.send_signal(number)
        said, _ = process.communicate(timeout=30)
        return process.returncode, time.monotonic() - begun, said


@pytest.mark.parametrize("number", SIGNALS)
def test_while_an_engine_is_slow(number: signal.Signals, world: World, over: threading.Event) -> None:
    reached = threading.Event()

    def answer() -> Answer:
        reached.set()
        over.wait(SLOW)
        return 500, "text/plain", b""

    world.engine.override["/telemetry/data"] = answer
    status, seconds, said = asked(world, number, reached)
    assert (status, said) == (128 + number, b"")
    assert seconds < SOON
    world.engine.override.clear()
    assert recover(world)[0].balanced


@pytest.mark.parametrize("number", SIGNALS)
def test_while_a_receiver_is_slow(number: signal.Signals, world: World, over: threading.Event) -> None:
    reached = threading.Event()

    def answer(_: Received) -> Reply:
        reached.set()
        over.wait(SLOW)
        return Reply()

    world.receiver.answer = answer
    status, seconds, said = asked(world, number, reached)
    assert (status, said) == (128 + number, b"")
    assert seconds < SOON
    world.receiver.answer = lambda _: Reply()
    assert recover(world)[0].balanced


@pytest.mark.parametrize("number", SIGNALS)
def test_while_it_waits_between_two_attempts(number: signal.Signals, world: World) -> None:
    reached = threading.Event()

    def answer(_: Received) -> Reply:
        reached.set()
        return Reply(503, {"Retry-After": "20"})

    world.receiver.answer = answer
    world.program.variables["TELEMETRY_REPORTER__RETRIES"] = "2"
    status, seconds, said = asked(world, number, reached)
    assert (status, said) == (128 + number, b"")
    assert seconds < SOON
    world.receiver.answer = lambda _: Reply()
    assert recover(world)[0].balanced


@pytest.mark.parametrize(
    ("command", "question", "number"),
    [
        ("enable", b"?", signal.SIGINT),
        ("enable", b"?", signal.SIGHUP),
        ("license set", b"Ctrl-D ends it", signal.SIGINT),
        ("license set", b"Ctrl-D ends it", signal.SIGTERM),
    ],
)
def test_while_it_asks(command: str, question: bytes, number: signal.Signals, world: World) -> None:
    """The answer of nobody is no answer, and the terminal shows again what is typed."""
    world.desk.disable()
    decisions = decided(world)
    status, seconds, shows = asked_on_a_terminal(world, command.split(), question, number)
    assert status == 128 + number
    assert shows
    assert seconds < SOON
    assert decided(world) == decisions


def decided(world: World) -> int:
    with world.desk.session() as session:
        return session.store.verify()[0]


def asked_on_a_terminal(
    world: World, command: list[str], question: bytes, number: signal.Signals
) -> tuple[int, float, bool]:
    """Run a command and send it a signal at its question; its status, its time, whether the terminal shows typing."""
    leader, follower = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "telemetry_admin", *command],
        stdin=follower,
        stdout=follower,
        stderr=follower,
        env=world.program.environment(),
        cwd=world.program.directory,
        start_new_session=True,
    ) as process:
        os.close(follower)
        shown = b""
        while question not in shown:
            shown += os.read(leader, 4096)
        time.sleep(0.2)
        begun = time.monotonic()
        process.send_signal(number)
        while True:
            try:
                if not os.read(leader, 4096):
                    break
            except OSError:
                break  # nobody has the terminal open any more
        process.wait(30)
    seconds = time.monotonic() - begun
    shows = bool(termios.tcgetattr(leader)[3] & termios.ECHO)
    os.close(leader)
    return process.returncode, seconds, shows


def test_while_a_library_cleans_up_after_it(world: World, tmp_path: Path) -> None:
    """Found by the battery: the error that a `finally` of `threading` then raised hid the signal."""
    bug = Bug("telemetry_core/http/client.py", "        thread.join(max(seconds, 0))\n", CLEANING_UP)
    plant(bug, tmp_path)
    done = world.program("send", variables={"PYTHONPATH": str(tmp_path)})
    assert (done.status, done.stdout, done.stderr) == (143, b"", b"")
    assert recover(world)[0].balanced


def test_a_second_signal_does_not_wait(world: World, tmp_path: Path) -> None:
    plant(Bug("telemetry_core/http/client.py", "        thread.join(max(seconds, 0))\n", TWICE), tmp_path)
    begun = time.monotonic()
    done = world.program("send", variables={"PYTHONPATH": str(tmp_path)})
    assert (done.status, done.stdout, done.stderr) == (-15, b"", b"")
    assert time.monotonic() - begun < 10
    assert recover(world)[0].balanced
