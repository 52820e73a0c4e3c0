"""A desk, an engine and a receiver in this process, with one clock that a test moves."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.support.clock import ManualClock
from tests.support.desk import Desk
from tests.support.ports import free_port
from tests.support.receiver import Received, Receiver, Reply
from tests.support.simulated_engine import Answer, SimulatedEngine

_ADDRESS = "TELEMETRY_ENGINES__ORDERS__REST"


class Stage:
    """A desk, an engine and a receiver that answers what a test says."""

    def __init__(self, directory: Path, capture: str = "camunda-7.24.0") -> None:
        self.clock = ManualClock()
        self.status: int | None = 202
        self.engine = SimulatedEngine(capture, now=self.clock.now)
        self.receiver = Receiver(self._answer)
        self.during_delivery: Callable[[], None] = lambda: None
        self.desk = Desk(directory, self.clock, {"orders": self.engine.rest}, self.receiver.url)

    def _answer(self, _: Received) -> Reply:
        self.during_delivery()
        return Reply(status=self.status)

    def work(self, times: int) -> None:
        self.clock.advance(60)
        self.engine.start_process(times)
        self.clock.advance(60)

    def while_reading(self, do: Callable[[], None]) -> None:
        """Let something happen once, while the engine is answering."""

        def answer() -> Answer:
            del self.engine.override["/telemetry/data"]
            found = self.engine.answer("/engine-rest/telemetry/data")
            do()
            return found

        self.engine.override["/telemetry/data"] = answer

    def go(self) -> None:
        """The engine is gone: nothing listens at its address."""
        self.desk.variables[_ADDRESS] = f"http://127.0.0.1:{free_port()}/engine-rest"

    def come_back(self) -> None:
        self.desk.variables[_ADDRESS] = self.engine.rest
