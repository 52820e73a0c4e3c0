"""`telemetry preview`: the exact request, before it leaves."""

from typing import TYPE_CHECKING, Annotated

import typer

from telemetry_admin import options
from telemetry_admin.invocation import Invocation, for_each, selected
from telemetry_admin.result import Json, Result, raise_if_alone
from telemetry_core.errors import UsageError
from telemetry_core.model import Kind
from telemetry_core.words.instants import instant

if TYPE_CHECKING:
    from telemetry_core.reporting import Change, Preview

app = typer.Typer(add_completion=False)


@app.command()
def command(
    ctx: typer.Context,
    *,
    engine: options.Engines = None,
    all_: options.All = False,
    initial: Annotated[bool, typer.Option("--initial", help="The initial report instead of the periodic one.")] = False,
    raw: Annotated[bool, typer.Option("--raw", help="The body alone, byte for byte, of one installation.")] = False,
    diff: Annotated[
        bool, typer.Option("--diff", help="What changed since the last accepted report, and what never left before.")
    ] = False,
    keep: Annotated[bool, typer.Option("--keep", help="Make it the report that the next send sends.")] = False,
    json: options.Json = False,
) -> Result:
    """Show the exact request: line, headers, body, where each value comes from, size and digest.

    Shows the pending report if there is one, else what a send of now would build. Only the engine is asked.
    """
    from telemetry_admin.render import preview as render
    from telemetry_core import reporting

    if raw and (json or diff):
        raise UsageError("--raw writes the body and nothing else.", hint="Leave --json and --diff out.")
    if initial and keep:
        raise UsageError("--keep is always about the periodic report.", hint="Leave --initial out.")
    invocation: Invocation = ctx.obj
    kind = Kind.INITIAL if initial else Kind.PERIODIC
    with invocation.writing() if keep else invocation.reading() as session:
        found, failures = for_each(
            selected(session, engine, everything=all_),
            lambda one: reporting.keep(session, one) if keep else reporting.preview(session, one, kind),
        )
        previews = _once(found)
        changes = [reporting.compare(session, preview) for preview in previews] if diff else None
    raise_if_alone(failures, previews)
    return Result(
        data={"reports": _reports(previews, changes)},
        show=lambda console: render.show_all(console, previews, changes),
        raw=_raw(previews) if raw and previews else None,
        failures=failures,
    )


def _once(found: "list[Preview]") -> "list[Preview]":
    """One preview for each installation, also where several entries show it."""
    return list({preview.installation: preview for preview in reversed(found)}.values())[::-1]


def _reports(previews: "list[Preview]", changes: "list[list[Change]] | None") -> list[Json]:
    described = [_described(preview) for preview in previews]
    if changes is None:
        return [*described]
    return [
        {**report, "diff": [_change(one) for one in changed]}
        for report, changed in zip(described, changes, strict=True)
    ]


def _raw(previews: "list[Preview]") -> bytes:
    if len({preview.installation for preview in previews}) != 1:
        raise UsageError("--raw shows the report of one installation.", hint="Name it with --engine.")
    return previews[0].document.body


def _change(change: "Change") -> Json:
    return {"path": change.path, "before": change.before, "after": change.after, "new-kind": change.is_new_kind}


def _described(preview: "Preview") -> Json:
    from telemetry_core.wire import field_path

    request = preview.request
    return {
        "engines": list(preview.engines),
        "installation": preview.installation,
        "kind": preview.kind,
        "id": preview.report_id,
        "pending-since": instant(preview.pending_since),
        "next-attempt-at": instant(preview.next_attempt_at),
        "due-at": instant(preview.due_at),
        "would-be-sent": not preview.obstacle,
        "obstacle": preview.obstacle or None,
        "initial-first": preview.initial_first,
        "request": None
        if request is None
        else {"method": request.method, "url": request.url, "headers": dict(request.headers)},
        "body": preview.document.body.decode("utf-8"),
        "size": len(preview.document.body),
        "sha256": preview.document.sha256,
        "sources": {field_path(name): source for name, source in preview.sources.items()},
        "missing": {field_path(name): reason for name, reason in preview.missing.items()},
        "withheld": [field_path(name) for name in preview.withheld],
    }
