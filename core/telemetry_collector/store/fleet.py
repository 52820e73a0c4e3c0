"""The fleet as its reports tell it: a row for each installation, a count for each day; followed from the receipts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from telemetry_collector import suspicion
from telemetry_collector.model import History, State
from telemetry_collector.report import DECODER, Report, window
from telemetry_collector.store.bodies import Bodies
from telemetry_collector.store.database import CollectorDatabase, Row
from telemetry_core.model import HOUR, Millis

_STEP = 500
_AT_ONCE = 50
"""Bodies that are in memory at once."""

_DAY = 24 * HOUR
_COLUMNS = {
    "installation": "text", "product": "text", "version": "text", "reports": "bigint", "first_at": "bigint",
    "last_at": "bigint", "last_number": "bigint", "peaks": "text", "believed": "text",
}  # fmt: skip
_SELECT = f"SELECT {', '.join(_COLUMNS)} FROM installation"
_ACCEPTED = (State.COUNTED, State.SUPERSEDED)


class Member(msgspec.Struct):
    """An installation of the fleet; `last_number` and `last_at` are those of its last report.

    Attributes:
        believed: Products and versions that there are not; somebody has released a report of each.
    """

    installation: str
    product: str
    version: str
    reports: int
    first_at: Millis
    last_at: Millis
    last_number: int
    peaks: dict[str, float]
    believed: set[tuple[str, str]]


class Arrivals(msgspec.Struct, frozen=True):
    """A day (days since 1970, UTC): how many reports came, and how many of them were set apart."""

    day: int
    reports: int
    set_apart: int


class Fleet:
    """The tables of one database."""

    def __init__(self, database: CollectorDatabase, bodies: Bodies) -> None:
        self._database = database
        self._bodies = bodies
        self._up_to = -1

    def follow(self) -> bool:
        """Take note of some more reports that have come; whether there were any. Several collectors may do it.

        Raises:
            StoreError: Nothing of this step was done.
        """
        newest = self._database.read("SELECT coalesce(max(number), 0) FROM receipt")[0][0]
        if newest == self._up_to:
            return False
        with self._database.transaction():
            up_to = self._followed()
            receipts = self._database.read(
                "SELECT number, installation, received_at, state FROM receipt WHERE number > ? ORDER BY number LIMIT ?",
                (up_to, _STEP),
            )
            if receipts:
                up_to = int(str(receipts[-1][0]))
                self._note([row for row in receipts if row[1] and row[3] in _ACCEPTED])
                self._count(receipts)
                self._database.change(
                    "INSERT INTO followed (number, up_to) VALUES (1, ?)"
                    " ON CONFLICT (number) DO UPDATE SET up_to = excluded.up_to",
                    (up_to,),
                )
        self._up_to = up_to
        return bool(receipts)

    def readmit(self, number: int, installation: str, received_at: Millis, report: Report) -> None:
        """Take note of a report that was released; within the transaction that releases it."""
        if installation and number <= self._followed():
            members = self._of([installation])
            _merge(members, (number, installation, received_at), report)
            self._keep(members)

    def histories(self, installations: Iterable[str]) -> Mapping[str, History]:
        """What some installations have sent so far."""
        members = self._of(list(installations))
        return {
            name: History(one.reports, one.last_at, one.peaks, frozenset(one.believed)) for name, one in members.items()
        }

    def count(self) -> int:
        """How many installations there are."""
        return int(str(self._database.read("SELECT count(*) FROM installation")[0][0]))

    def newest(self, first: int, count: int) -> list[Member]:
        """Some installations, after the first ones, those first that reported last."""
        ordered = f"{_SELECT} ORDER BY last_at DESC, installation LIMIT ? OFFSET ?"
        return [_member(row) for row in self._database.read(ordered, (count, first))]

    def get(self, installation: str) -> Member | None:
        """One installation."""
        return self._of([installation]).get(installation)

    def arrivals(self, since: Millis) -> list[Arrivals]:
        """How many reports came on each day since an instant, the oldest first; days without any are left out."""
        rows = self._database.read(
            "SELECT day, reports, set_apart FROM arrival WHERE day >= ? ORDER BY day", (since // _DAY,)
        )
        return [Arrivals(*(int(str(value)) for value in row)) for row in rows]

    def _followed(self) -> int:
        found = self._database.read("SELECT up_to FROM followed WHERE number = 1")
        return int(str(found[0][0])) if found else 0

    def _note(self, receipts: Sequence[Row]) -> None:
        members = self._of(list({str(installation) for _, installation, _, _ in receipts}))
        for start in range(0, len(receipts), _AT_ONCE):
            some = [
                (int(str(number)), str(installation), int(str(received_at)))
                for number, installation, received_at, _ in receipts[start : start + _AT_ONCE]
            ]
            bodies = self._bodies.of([(number, received_at) for number, _, received_at in some])
            for receipt in some:
                if receipt[0] in bodies:
                    _merge(members, receipt, DECODER.decode(bodies[receipt[0]]))
        self._keep(members)

    def _of(self, installations: Sequence[str]) -> dict[str, Member]:
        if not installations:
            return {}
        condition, values = self._database.many.among({"installation": "text"}, [installations])
        return {str(row[0]): _member(row) for row in self._database.read(f"{_SELECT} WHERE {condition}", values)}

    def _keep(self, members: Mapping[str, Member]) -> None:
        if not members:
            return
        condition, values = self._database.many.among({"installation": "text"}, [list(members)])
        self._database.change(f"DELETE FROM installation WHERE {condition}", values)
        rows = [
            (*msgspec.structs.astuple(one)[:-2], *(_encoded(some) for some in (one.peaks, one.believed)))
            for one in members.values()
        ]
        columns = [list(column) for column in zip(*rows, strict=True)]
        self._database.many.insert(self._database.change, "installation", _COLUMNS, columns)

    def _count(self, receipts: Sequence[Row]) -> None:
        days: dict[int, list[int]] = {}
        for _, _, received_at, state in receipts:
            counts = days.setdefault(int(str(received_at)) // _DAY, [0, 0])
            counts[0] += 1
            counts[1] += state == State.QUARANTINED
        for day, counts in days.items():
            self._database.change(
                "INSERT INTO arrival (day, reports, set_apart) VALUES (?, ?, ?) ON CONFLICT (day) DO UPDATE SET"
                " reports = arrival.reports + excluded.reports, set_apart = arrival.set_apart + excluded.set_apart",
                (day, *counts),
            )


def _merge(members: dict[str, Member], receipt: tuple[int, str, Millis], report: Report) -> None:
    number, installation, received_at = receipt
    member = members.get(installation)
    if member is None:
        member = members[installation] = Member(installation, "", "", 0, received_at, 0, 0, {}, set())
    about = suspicion.facts(report, window(report.start) or "")
    last_at = member.last_at or received_at
    days = suspicion.days(about.window_at, last_at, received_at)
    for name, count in suspicion.measures(report).items():
        peak = count / days
        if peak > max(suspicion.usual(name), member.peaks.get(name, 0)):
            member.peaks[name] = peak
    if suspicion.is_strange(about):
        member.believed.add((about.product, about.version))
    member.reports += 1
    member.first_at = min(member.first_at, received_at)
    if received_at >= member.last_at:
        member.last_at, member.last_number = received_at, number
        member.product, member.version = (text.replace("\0", "") for text in (about.product, about.version))


def _member(row: Row) -> Member:
    installation, product, version, *numbers, peaks, believed = row
    reports, first_at, last_at, last_number = (int(str(number)) for number in numbers)
    return Member(
        str(installation),
        str(product),
        str(version),
        reports,
        first_at,
        last_at,
        last_number,
        msgspec.json.decode(str(peaks), type=dict[str, float]),
        msgspec.json.decode(str(believed), type=set[tuple[str, str]]),
    )


def _encoded(value: object) -> str:
    return msgspec.json.encode(value, order="sorted").decode()
