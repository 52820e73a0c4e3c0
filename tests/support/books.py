"""Books of what may leave, held against what a reporter counts: equal but for what DESIGN names, event by event.

What is counted is what was sent and what waits to be. Since the last new base it is, with a database, the rows that
readings showed; over REST, what the engine could have shown since.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from telemetry_core.model import HOUR, Attempt, Counts, Kind, Ledger, Millis, Report, ReportState
from tests.support.crossroads import Crossroads
from tests.support.world import FLUSH_EVERY, NAMES, Row, World, by_name, during, values

Reports = Sequence[tuple[Report, Sequence[Attempt]]]
_HAS_LEFT = (ReportState.ACCEPTED, ReportState.CONFLICT)


@dataclass
class Segment:
    """The time since a base was taken.

    Attributes:
        source: `rows` or `sums`.
        counted: What had been counted until then.
        visible: What the asked node could show then, had no row ever been deleted.
        at_base: The rows that were there then.
        begun_at: When, by our clock.
        boundary: Rows before it belong to the base, by the clock of the node that wrote them (DESIGN §3).
        shown: All rows that a kept reading has shown.
        lost: Killed or purged; over REST it can hide as much that is new.
        gained: Rows that vanished and came back, over REST.
        dropped: Withheld, and dropped as if sent (DESIGN §4); over REST it can be as much.
    """

    source: str
    counted: Counter[str]
    visible: Counter[str] = field(default_factory=Counter)
    at_base: set[Row] = field(default_factory=set)
    begun_at: Millis = 0
    boundary: Millis = 0
    shown: set[Row] = field(default_factory=set)
    lost: Counter[str] = field(default_factory=Counter)
    gained: Counter[str] = field(default_factory=Counter)
    dropped: Counter[str] = field(default_factory=Counter)

    @property
    def counting(self) -> set[Row]:
        """The rows that count."""
        return {row for row in self.shown if row not in self.at_base and row.at >= self.boundary}


class Books:
    """The books; `number` is that of the consent, `may_begin_anew` whether the source was changed."""

    def __init__(self, world: World, crossroads: Crossroads, *, start_dates: bool, balanced: bool) -> None:
        self._world = world
        self._crossroads = crossroads
        self._start_dates = start_dates
        self._balanced = balanced
        self.number = 0
        self.may_begin_anew = False
        self._closed_with: set[str] | None = set()

    def open(self, offset: Millis, reports: set[str]) -> None:
        """Consent is given; reports of before do not count."""
        self.number += 1
        self._world.consent = self.number
        self._offset = offset
        self._taken_at = self._world.now + offset
        self._earlier = reports
        self._closed_with = None
        self._set = False
        self.may_begin_anew = False
        self._segment: Segment | None = None
        self._excess: Counter[str] = Counter()
        self._commands: Counter[str] = Counter()
        self._lives: set[object] = set()
        self._read: dict[tuple[int, Millis], Counter[str]] = {}

    def close(self) -> None:
        """Consent is taken back: from now on nothing arrives."""
        self._closed_with = set(self._crossroads.kept)

    def lose(self, counts: Counter[str]) -> None:
        """Counts are gone for everyone, before or after they were read."""
        if self._world.consent and self._segment is not None and self._segment.source == "sums":
            self._segment.lost += counts

    def gain(self, counts: Counter[str]) -> None:
        """Counts that had vanished are back."""
        if self._world.consent and self._segment is not None and self._segment.source == "sums":
            self._segment.gained += counts
            self._excess += counts

    def book(
        self, before: Ledger | None, after: Ledger | None, reports: Reports, *, offset: Millis, withheld: str = ""
    ) -> None:
        """Note what a reading has shown, where one was kept.

        Args:
            before: The ledger before it.
            after: The ledger after it, with `reports`.
            reports: All that there are.
            offset: What our clock was ahead.
            withheld: The field that reports leave out.
        """
        if after is None or not self._world.consent:
            return
        if before is not None and before.base.read_at == after.base.read_at:
            assert after.base == before.base, "without a reading no base moves"
            return
        self._set |= offset != self._offset
        said = self._crossroads.said
        asked = next(iter(said))
        self._book_commands({asked: said[asked]} if self._balanced else said, count=before is not None)
        source = "rows" if after.base.rows else "sums" if after.base.metrics else None
        if source is None:
            assert self._segment is None, "a base is never lost"
        elif self._segment is None or self._segment.source != source:
            self._begin(source, after, self._counted("metrics", after, self._mine(reports)), asked, offset=offset)
        elif source == "rows" and before is not None and before.base.rows is not None:
            self._show(before.base.rows.since)
        self._drop(after, reports, withheld)

    def _drop(self, after: Ledger, reports: Reports, withheld: str) -> None:
        """DESIGN §4: "a withheld one is dropped as if sent"; what a pending report carries stays until it is closed."""
        mine = self._mine(reports)
        pending = next((report.carried for report, _ in mine if report.state is ReportState.PENDING), Counts())
        point, _, name = withheld.partition(".")
        if not withheld:
            return
        waiting = getattr(after.accumulated, point) or {}
        for one in [name] if name else list(waiting):
            assert waiting.get(one, 0) <= (getattr(pending, point) or {}).get(one, 0), "what is withheld does not wait"
        counted = self._counted(point, after, mine)
        if point == "commands":
            self._commands[name] = counted[name]
        elif self._segment is not None:
            self._segment.dropped = self._possible(self._segment) - counted

    def _possible(self, segment: Segment) -> Counter[str]:
        if segment.source == "rows":
            return segment.counted + values(segment.counting)
        return segment.counted + by_name(self._world.happened) - segment.visible

    def check(self, ledger: Ledger | None, reports: Reports, *, settled: bool) -> None:
        """Hold what is counted against the books."""
        if self._closed_with is not None:
            new = self._crossroads.kept.keys() - self._closed_with
            assert not [key for key in new if self._metrics_of(key) is not None], "off is silent"
            return
        mine = self._mine(reports)
        self._check_bodies(mine)
        metrics = self._counted("metrics", ledger, mine)
        assert metrics <= during(self._world.happened, self.number) + self._excess, "never more than the engine counted"
        self._check_metrics(metrics, settled=settled)
        commands = self._counted("commands", ledger, mine)
        if self._start_dates:
            assert commands == self._commands
        elif not self._balanced:
            assert commands <= self._commands

    def _check_metrics(self, metrics: Counter[str], *, settled: bool) -> None:
        segment = self._segment
        if segment is None:
            assert not metrics, "before there is a base nothing is counted"
            return
        possible = self._possible(segment)
        if segment.source == "rows":
            assert metrics + segment.dropped == possible
            return
        assert metrics <= possible + segment.gained, (metrics, possible, segment)
        assert not settled or possible - segment.lost <= metrics + segment.dropped, (metrics, possible, segment)

    def _begin(self, source: str, after: Ledger, counted: Counter[str], asked: int, *, offset: Millis) -> None:
        """A new base: at the consent, or where the source was changed, and never otherwise."""
        assert self._segment is None or self.may_begin_anew, "a base is never taken anew by itself"
        changed = self._segment is not None
        self.may_begin_anew = False
        nodes = self._world.nodes
        if source == "sums":
            unseen = Counter[str]()
            for node in nodes:
                others = +(by_name(node.unflushed) - during(node.unflushed, self.number))
                unseen += others if node.place != asked else Counter()
            assert not unseen or self._set, "what was unflushed before the consent does not leave"
            self._excess += unseen  # our clock was set meanwhile: "a clock wrong by d moves this boundary"
            for row in self._world.in_flight:  # "REST with one node: at once", which is while a transaction runs, too
                self._excess[row.name] += row.value - row.of(self.number)
            self._segment = Segment(source, counted, visible=self._world.visible(asked))
            return
        boundary = (after.base.read_at if changed else self._taken_at) + FLUSH_EVERY
        rows, begun_at = set(self._world.rows), after.base.read_at
        self._segment = Segment(source, counted, at_base=rows, boundary=boundary, begun_at=begun_at)
        if changed:  # what REST has shown of a node whose clock is ahead comes once more, beyond the boundary
            for node in nodes:
                self._excess += by_name(node.unflushed) if node.skew > offset else Counter()
            self._excess += values({row for row in self._world.in_flight if row.skew > offset})

    def _show(self, since: Millis) -> None:
        segment = self._segment
        assert segment is not None
        newest = max((row.at for row in segment.shown | segment.at_base), default=0)
        assert since <= max(newest, segment.begun_at) - 26 * HOUR, "rows of a day are looked for"
        for row in self._world.rows - segment.shown:
            if row.at < since:
                continue
            segment.shown.add(row)
            if row in segment.counting:
                self._book_boundary(row)

    def _book_boundary(self, row: Row) -> None:
        """DESIGN §3: "a clock wrong by d moves this boundary ... by d"."""
        other = row.value - row.of(self.number)
        assert not other or row.skew > self._offset, "counts from before the consent do not leave"
        self._excess[row.name] += other

    def _book_commands(self, said: Mapping[int, Counter[str]], *, count: bool) -> None:
        """Each command that a kept reading shows for the first time, but for what is only a base (DESIGN §4)."""
        for place, counts in said.items():
            node = self._world.nodes[place]
            life = (place, node.started_at)
            new = counts - self._read.get(life, Counter())
            self._read[life] = counts
            name: object = life if self._start_dates else "balanced" if self._balanced else node.place
            own = self._start_dates and node.started_at > self._taken_at
            assert not own or node.began_in == self.number or node.skew > self._offset
            if count and (name in self._lives or own):
                self._commands += new
            self._lives.add(name)

    def _mine(self, reports: Reports) -> Reports:
        return [one for one in reports if one[0].kind is Kind.PERIODIC and one[0].id not in self._earlier]

    def _check_bodies(self, reports: Reports) -> None:
        for report, attempts in reports:
            if report.id not in self._crossroads.kept:
                continue
            body = self._metrics_of(report.id)
            assert body in (None, {name: (report.carried.metrics or {}).get(name, 0) for name in NAMES})
            in_between = report.state is ReportState.PENDING or has_left(report, attempts)
            assert in_between, "what the receiver has is counted no more"

    def _metrics_of(self, key: str) -> dict[str, int] | None:
        internals = json.loads(self._crossroads.kept[key])["product"]["internals"]
        if "metrics" not in internals:
            return None
        return {name: internals["metrics"].get(name, {"count": 0})["count"] for name in NAMES}

    def _counted(self, point: str, ledger: Ledger | None, reports: Reports) -> Counter[str]:
        """What has left, and what waits; a report on its way that the receiver has is counted with it alone."""
        total: Counter[str] = Counter()
        waiting: Counter[str] = Counter(getattr(ledger.accumulated, point) or {}) if ledger is not None else Counter()
        for report, attempts in reports:
            if has_left(report, attempts):
                total += Counter(getattr(report.carried, point) or {})
        return total + waiting  # without zeros


def has_left(report: Report, attempts: Sequence[Attempt]) -> bool:
    """Whether the counts of a report are in the accumulator no more (DESIGN §3, §5)."""
    maybe = report.maybe_arrived or any(attempt.outcome is None for attempt in attempts)
    return report.state in _HAS_LEFT or (report.state is ReportState.WITHDRAWN and maybe)
