"""`telemetry history`: every report ever prepared, its bytes, its attempts and what became of it."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from telemetry_admin import completing, options
from telemetry_admin.invocation import Invocation
from telemetry_admin.result import Json, Result
from telemetry_core.errors import UnknownReport, UsageError
from telemetry_core.words.instants import instant

if TYPE_CHECKING:
    from telemetry_core.model import Attempt, Report
    from telemetry_core.store import Store

app = typer.Typer(add_completion=False)


class Resolution(StrEnum):
    """What an administrator found out about a report at the receiver."""

    ACCEPTED = "accepted"
    REFUSED = "refused"


@app.command()
def command(
    ctx: typer.Context,
    *,
    report_id: Annotated[
        Optional[str],  # noqa: UP045  # Typer reads it at run time
        typer.Argument(
            metavar="[ID]",
            help="One report; the first letters of its id are enough.",
            autocompletion=completing.reports,
            callback=options.text,
        ),
    ] = None,
    raw: Annotated[bool, typer.Option("--raw", help="The body of that report alone, byte for byte.")] = False,
    verify: Annotated[
        bool, typer.Option("--verify", help="Check every report and decision against the chains of digests.")
    ] = False,
    resolve: Annotated[
        Optional[Resolution],  # noqa: UP045  # Typer reads it at run time
        typer.Option("--resolve", help="Close a report that may have arrived, as you found it at the receiver."),
    ] = None,
    json: options.Json = False,
) -> Result:
    """Show every report ever prepared, newest first; with an id one of them with all its attempts."""
    invocation: Invocation = ctx.obj
    if sum((raw, json and raw, verify, resolve is not None)) > 1 or (verify and report_id is not None):
        raise UsageError(
            "These options exclude each other.", hint="--verify is about everything, --raw is bytes alone."
        )
    if report_id is None and (raw or resolve is not None):
        option = "--raw" if raw else "--resolve"
        raise UsageError(f"{option} is about one report.", hint="Add its id; `telemetry history` lists them.")
    if verify:
        return _verify(invocation)
    if resolve is not None:
        return _resolve(invocation, report_id or "", accepted=resolve is Resolution.ACCEPTED)
    return _list(invocation) if report_id is None else _one(invocation, report_id, raw=raw)


def _list(invocation: Invocation) -> Result:
    from telemetry_admin.render import history as render

    with invocation.reading() as session:
        reports = session.store.reports.newest_first()
    return Result({"reports": [_described(one) for one in reports]}, lambda console: render.show_list(console, reports))


def _one(invocation: Invocation, report_id: str, *, raw: bool) -> Result:
    from telemetry_admin.render import history as render

    with invocation.reading() as session:
        report = _find(session.store, report_id)
        attempts = session.store.reports.attempts(report.id)
    return Result(
        data={"reports": [{**_described(report), "attempt-list": [_attempt(one) for one in attempts]}]},
        show=lambda console: render.show_one(console, report, attempts),
        raw=report.document.body if raw else None,
    )


def _verify(invocation: Invocation) -> Result:
    with invocation.reading() as session:
        decisions, documents = session.store.verify()
    return Result(
        data={"decisions": decisions, "documents": documents},
        show=lambda console: console.print(
            f"All is as it was written: {documents} documents of reports, {decisions} decisions."
        ),
    )


def _resolve(invocation: Invocation, report_id: str, *, accepted: bool) -> Result:
    from telemetry_core.delivery import resolve

    with invocation.writing(first_run=False) as session:
        report = resolve(_find(session.store, report_id), session.store, session.clock.now(), accepted=accepted)
    return Result(
        data={"reports": [_described(report)]},
        show=lambda console: console.print(f"Report {report.id} is {report.state} now."),
    )


def _find(store: "Store", prefix: str) -> "Report":
    found = store.reports.starting_with(prefix.lower())
    if len(found) == 1:
        return found[0]
    what = f"{len(found)} reports have ids that start" if found else "No report has an id that starts"
    raise UnknownReport(f"{what} with {prefix!r}.", hint="`telemetry history` lists all reports with their ids.")


def _described(report: "Report") -> Json:
    return {
        "id": report.id,
        "kind": report.kind,
        "trigger": report.trigger,
        "state": report.state,
        "installation": report.installation,
        "engines": list(report.engines),
        "endpoint": report.endpoint,
        "attempts": report.attempts,
        "maybe-arrived": report.maybe_arrived,
        "sha256": report.document.sha256,
        "size": len(report.document.body),
        "created-at": instant(report.created_at),
        "accepted-at": instant(report.accepted_at),
    }


def _attempt(attempt: "Attempt") -> Json:
    return {
        "number": attempt.number,
        "started-at": instant(attempt.started_at),
        "finished-at": instant(attempt.finished_at),
        "outcome": attempt.outcome,
        "status": attempt.status,
        "detail": attempt.detail,
        "answer": attempt.answer or None,
    }
