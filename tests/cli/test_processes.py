"""Waiting for another process's end, by the kernel's word or by asking."""

from __future__ import annotations

import os
import subprocess
import sys
from threading import Event

import pytest

from telemetry_admin.processes import when_gone
from telemetry_core.errors import UsageError


@pytest.fixture(params=["told", "asking"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on Linux since 5.3, and as elsewhere."""
    if request.param == "asking":
        monkeypatch.delattr(os, "pidfd_open")


@pytest.mark.usefixtures("way")
def test_something_is_called_once_a_process_has_ended_and_not_before() -> None:
    gone = Event()
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        when_gone(other.pid, gone.set)
        assert not gone.wait(0.3)
        other.communicate(b"\n")
    assert gone.wait(60)


@pytest.mark.usefixtures("way")
def test_a_process_that_is_not_there_is_an_error() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as other:
        other.wait()
    with pytest.raises(UsageError, match=f"There is no process {other.pid}"):
        when_gone(other.pid, lambda: None)


def test_a_container_that_may_not_ask_the_kernel_asks_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: int) -> int:
        raise PermissionError

    monkeypatch.setattr(os, "pidfd_open", refuse)
    gone = Event()
    with subprocess.Popen([sys.executable, "-c", ""]) as other:
        when_gone(other.pid, gone.set)
    assert gone.wait(60)
