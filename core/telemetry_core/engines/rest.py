"""One node of an engine over its REST API: a few bounded reads, within one time limit for all of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from telemetry_core import files
from telemetry_core.config import Engine, Url
from telemetry_core.engines import answers, refusals
from telemetry_core.engines.address import Address
from telemetry_core.engines.flavours import METRICS, has_own_reporter
from telemetry_core.errors import EngineError, EngineNameUnknown, NotAnEngine, NothingThere
from telemetry_core.http import Answer
from telemetry_core.model import Clock, MetricsReading, Millis, Snapshot
from telemetry_core.secret import Secret, basic
from telemetry_core.wire import date


class Node:
    """One address of an engine. Use it as a context manager."""

    def __init__(self, engine: Engine, address: Url, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock
        self._at = Address(engine, address, clock, _authorization(engine, address))
        self.address = address.text

    def __enter__(self) -> Node:
        return self

    def __exit__(self, *_: object) -> None:
        self._at.__exit__()

    def snapshot(self) -> Snapshot:
        """What the engine says of itself, without metrics.

        Raises:
            EngineError: It is unreachable, refuses, or is no engine.
        """
        try:
            body = self._get("/telemetry/data")
        except NothingThere as missing:
            found = self._old_release(missing)
        else:
            found = answers.snapshot(self._engine.entry, self.address, body, self._clock.now())
        try:
            return replace(found, own_reporter=self._own_reporter(found))
        except EngineError as failure:  # then it is taken to be off: if it is not, we count less and never more
            return replace(found, problems={**found.problems, "own-reporter": failure.message})

    def _old_release(self, missing: NothingThere) -> Snapshot:
        """What 7.14 to 7.16 say, which have no `/telemetry/data`: their version (facts §1.6, §11)."""
        try:
            body = self._get("/version")
        except EngineError:
            raise missing from None
        found = answers.old_release(self._engine.entry, self.address, body, self._clock.now())
        if found is None:
            raise missing
        return found

    def metrics(self, since: Millis, next_since: Millis | None) -> MetricsReading:
        """Sums of all metrics since an instant, and of the part before `next_since` where the base shall move there.

        Raises:
            EngineError: One of them cannot be read.
        """
        sums = self.sums(since, None)
        older = None if next_since is None else self.sums(since, next_since)
        return MetricsReading(since, sums, next_since, older)

    def sums(self, since: Millis, until: Millis | None) -> Mapping[str, int]:
        """The sum of each metric from an instant on, up to another one that is not in it.

        Raises:
            EngineError: One of them cannot be read.
        """
        return {name: self._sum(name, since, until) for name in METRICS}

    def _sum(self, name: str, since: Millis, until: Millis | None) -> int:
        query = {"startDate": date(since)} | ({} if until is None else {"endDate": date(until)})
        path = f"/metrics/{name}/sum"
        source = self._at.root + path
        answer = answers.decode(self._get(path, query), source)
        value = answers.convert(answer, dict[str, answers.Count], source).get("result")
        if value is None:
            raise NotAnEngine(f"{source} answers no result.", hint="Check that the address is an engine's REST API.")
        return value

    def _own_reporter(self, found: Snapshot) -> bool:
        """Whether the engine's own reporter is switched on (facts §2.2, §4.1)."""
        if self._engine.own_reporter != "auto" or found.product is None:
            return self._engine.own_reporter == "on"
        if not has_own_reporter(found.product):
            return False
        source = self._at.root + "/telemetry/configuration"
        answer = answers.decode(self._get("/telemetry/configuration"), source)
        return answers.convert(answer, dict[str, bool | None], source).get("enableTelemetry") is True

    def _get(self, path: str, query: Mapping[str, str] | None = None) -> bytes:
        url = self._at.root + path
        return self._body(self._at.ask(url, query), url)

    def _body(self, answer: Answer, source: str) -> bytes:
        if answer.status == 200 and answer.complete:
            return answer.body
        if answer.status == 200:
            raise NotAnEngine(f"{source} gives an answer that is too large or breaks off.", hint="Try it with curl.")
        error = refusals.explain(self._engine, replace(answer, body=self._at.said(answer).encode()), source)
        if self._engine.name is not None and answer.status in (400, 404, 500):
            self._refuse_unknown_name(self._engine.name)
        raise error

    def _refuse_unknown_name(self, name: str) -> None:
        """Tell a name that is wrong from everything else that gives the same status (facts §4.2)."""
        source = f"{self.address}/engine"
        try:
            listed = answers.convert(
                answers.decode(self._at.ask(source).body, source), list[answers.EngineName], source
            )
        except EngineError:
            return  # then the first answer says more
        names = [one.name for one in listed]
        if name not in names:
            raise EngineNameUnknown(
                f"There is no process engine named {name!r} at {self.address}.",
                hint=f"Set engines.{self._engine.entry}.name to one of: {', '.join(names) or 'none is there'}.",
            )


def _authorization(engine: Engine, address: Url) -> Secret | None:
    if engine.token_file is not None:
        return Secret(f"Bearer {files.read_secret(engine.token_file).reveal()}")
    username = engine.username if engine.username is not None else address.username
    if username is None:
        return None
    password = address.password if engine.password_file is None else files.read_secret(engine.password_file)
    return basic(username, "" if password is None else password.reveal())
