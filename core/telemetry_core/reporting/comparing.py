"""What changed since the last accepted report, value by value, and which kinds of values never left before."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from telemetry_core.model import Kind, Report, ReportState
from telemetry_core.reporting.previewing import Preview
from telemetry_core.reporting.session import Session

_MAPS = ("commands", "metrics", "features")


@dataclass(frozen=True, slots=True)
class Change:
    """One value; None for `before` or `after` where it was not, or is not, there.

    Attributes:
        path: Where it stands, such as `product.internals.metrics.process-instances.count`.
        is_new_kind: Whether no value of this kind ever left; keys of commands, metrics and features are of one kind.
    """

    path: str
    before: object
    after: object
    is_new_kind: bool


def compare(session: Session, preview: Preview) -> list[Change]:
    """The values of a preview beside those of the last accepted report of its kind and installation."""
    reports = session.store.reports.of(preview.installation, preview.kind)
    accepted = [report for report in reports if report.state is ReportState.ACCEPTED]
    every_kind = [report for kind in Kind for report in session.store.reports.of(preview.installation, kind)]
    left = {_kind(path) for report in every_kind if _may_have_left(report) for path in dict(_values(report))}
    before = dict(_values(accepted[0])) if accepted else {}
    after = dict(_leaves(json.loads(preview.document.body)))
    return [
        Change(path, before.get(path), after.get(path), path in after and _kind(path) not in left)
        for path in [*after, *(path for path in before if path not in after)]
        if before.get(path, _ABSENT) != after.get(path, _ABSENT)
    ]


_ABSENT = object()


def _may_have_left(report: Report) -> bool:
    return report.maybe_arrived or report.state in (ReportState.ACCEPTED, ReportState.CONFLICT, ReportState.REFUSED)


def _values(report: Report) -> Iterator[tuple[str, object]]:
    return _leaves(json.loads(report.document.body))


def _leaves(value: object, path: tuple[str, ...] = ()) -> Iterator[tuple[str, object]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _leaves(inner, (*path, name))
    else:
        yield ".".join(path), value


def _kind(path: str) -> str:
    """The path without the keys of maps: all commands are of one kind, whatever their names."""
    return ".".join(_without_keys(path.split(".")))


def _without_keys(parts: Iterable[str]) -> Iterator[str]:
    for part in parts:
        yield part
        if part in _MAPS:
            yield "*"
            return
