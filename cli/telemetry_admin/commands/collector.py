"""`telemetry collector`: the receiving service, and what it has received."""

import sys
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, Optional

import typer

from telemetry_admin import completing, options
from telemetry_admin.ending import noted_signals
from telemetry_admin.invocation import Invocation
from telemetry_admin.result import Json, Result, raise_if_alone
from telemetry_admin.saying import say, say_bug
from telemetry_core.errors import TelemetryError, UsageError
from telemetry_core.words.instants import instant

if TYPE_CHECKING:
    from telemetry_collector.store import Store, Stored
    from telemetry_core.model import Clock
    from telemetry_core.store import Place

app = typer.Typer(add_completion=False, invoke_without_command=True)

STORE_NAME = "collector.db"
KEYS_NAME = "collector.keys"

Ids = Annotated[
    Optional[list[str]],  # noqa: UP045  # Typer reads it at run time
    typer.Argument(metavar="[ID]...", help="Their ids.", autocompletion=completing.quarantined, callback=options.text),
]
Installation = Annotated[
    Optional[str],  # noqa: UP045  # as above
    typer.Option("--installation", metavar="ID", help="Those of this installation.", callback=options.text),
]


@app.callback()
def group(ctx: typer.Context) -> None:
    """Receive the reports of a fleet at home: the service that engines and `telemetry` report to."""
    if ctx.invoked_subcommand is None:
        typer.echo(ctx.get_help(), err=True)


@app.command()
def serve(
    ctx: typer.Context,
    *,
    listen: Annotated[
        Optional[str],  # noqa: UP045  # Typer reads it at run time
        typer.Option("--listen", metavar="ADDRESS", help="Listen at this address instead of collector.listen."),
    ] = None,
    port: Annotated[
        Optional[int],  # noqa: UP045  # as above
        typer.Option("--port", metavar="PORT", min=1, max=65535, help="Listen at this port instead of collector.port."),
    ] = None,
    store: options.CollectorStore = None,
    json: options.Json = False,
) -> Result:
    """Receive reports at /pings: each is on the disk before it is answered, and counts once.

    It listens on this host alone unless told otherwise, in plain HTTP; TLS is the business of a proxy before it.
    SIGTERM and SIGINT end it.
    """
    from telemetry_collector import server
    from telemetry_collector.addresses import Keys

    invocation: Invocation = ctx.obj
    config = invocation.config()
    settings = config.collector
    settings = replace(settings, listen=listen or settings.listen, port=port or settings.port)
    key_file = settings.key_file or invocation.state_directory(config) / KEYS_NAME
    opening = _Opening(invocation, place_of(invocation, store))
    listening = server.listen(settings)
    if invocation.host.is_terminal and not json:
        page = "" if settings.token_file is None else f" (page: {listening.url.removesuffix('pings')})"
        typer.echo(f"Receiving at {listening.url}{page}; Ctrl-C ends it.")
    with noted_signals() as noted:
        server.run(listening, settings, opening, Keys(key_file, settings.key_period))
    return Result({"url": listening.url, "ended-by": noted[0] if noted else None})


@app.command()
def export(
    ctx: typer.Context,
    *,
    form: Annotated[
        Literal["json", "csv"],
        typer.Option("--format", help="json: every report as it came. csv: a line of known fields for each."),
    ] = "json",
    store: options.CollectorStore = None,
    json: options.Json = False,
) -> Result:
    """Write every report that is stored to standard output; those that do not count are marked."""
    from telemetry_collector import export as exporting
    from telemetry_collector.store import Store

    if json:
        raise UsageError("`collector export` writes the reports and nothing else.", hint="Say --format json instead.")
    invocation: Invocation = ctx.obj
    found = Store.for_reading(place_of(invocation, store))
    form_of = exporting.as_json if form == "json" else exporting.as_csv
    if found is None:
        _write(form_of(()))
    else:
        with found:
            _write(form_of(found.reports()))
    return Result({})


@app.command("list")
def list_reports(
    ctx: typer.Context,
    *,
    quarantined: Annotated[
        bool, typer.Option("--quarantined", help="Only reports that wait for a decision, each with its reason.")
    ] = False,
    installation: Installation = None,
    last: Annotated[
        int, typer.Option("--last", metavar="COUNT", min=1, max=100_000, help="So many at most, the newest.")
    ] = 100,
    store: options.CollectorStore = None,
    json: options.Json = False,
) -> Result:
    """Show what is stored, newest first: whether it counts, and if not, why.

    Reports that are suspicious (counts that leap, a release that there is not, and others) are stored and answered as
    any other, but count only once they are released.
    """
    from telemetry_admin.render import collector as render
    from telemetry_collector.store import Store, Wanted

    invocation: Invocation = ctx.obj
    found = Store.for_reading(place_of(invocation, store))
    reports: list[Stored] = []
    if found is not None:
        with found:
            reports = found.listing.newest(Wanted(installation or "", quarantined), count=last + 1)
    shown, are_more = reports[:last], len(reports) > last
    return Result(
        {"reports": [_described(one) for one in shown], "more": are_more},
        lambda console: render.show_list(console, shown, are_more=are_more),
    )


@app.command()
def release(
    ctx: typer.Context,
    *,
    ids: Ids = None,
    installation: Installation = None,
    store: options.CollectorStore = None,
    json: options.Json = False,
) -> Result:
    """Let reports out of quarantine, or ones that were dropped: they count as if they had from the beginning."""
    return _decide(ctx.obj, store, _Asked(tuple(ids or ()), installation), released=True)


@app.command()
def drop(
    ctx: typer.Context,
    *,
    ids: Ids = None,
    installation: Installation = None,
    store: options.CollectorStore = None,
    json: options.Json = False,
) -> Result:
    """Let reports in quarantine never count. Their receipts stay, so that sent again they are duplicates."""
    return _decide(ctx.obj, store, _Asked(tuple(ids or ()), installation), released=False)


@dataclass(frozen=True, slots=True)
class _Asked:
    """Which reports are decided about: by id, or all that an installation has in quarantine."""

    ids: tuple[str, ...]
    installation: str | None


def _decide(invocation: Invocation, named: str | None, asked: _Asked, *, released: bool) -> Result:
    from telemetry_admin.render import collector as render
    from telemetry_collector.store import Decision, Store

    if not asked.ids and not asked.installation:
        raise UsageError(
            "Which reports?", hint="Name their ids, as `telemetry collector list --quarantined` shows them."
        )
    place, now, who = place_of(invocation, named), invocation.host.clock.now(), invocation.host.user()
    done: list[tuple[Stored, bool]] = []
    failures: list[TelemetryError] = []
    with Store.for_deciding(place, now) as found:
        ids = dict.fromkeys([*asked.ids, *(found.listing.waiting(asked.installation) if asked.installation else ())])
        for name in ids:
            try:
                done.append(found.decisions.decide(Decision(name, released, now, who)))
            except UsageError as error:
                failures.append(error)
    raise_if_alone(failures, done)
    return Result(
        {"reports": [{**_described(one), "changed": changed} for one, changed in done]},
        lambda console: render.show_decided(console, done),
        failures=failures,
    )


def _described(stored: "Stored") -> Json:
    return {
        "id": stored.id,
        "installation": stored.installation or None,
        "received-at": instant(stored.received_at),
        "state": stored.state.value,
        "reason": stored.code or None,
        "detail": stored.detail or None,
        "window": stored.window or None,
        "keyed": stored.keyed,
        "sha256": stored.sha256,
        "decided-at": instant(stored.decided_at),
        "decided-by": stored.decided_by or None,
    }


def _write(pieces: Iterable[bytes]) -> None:
    for piece in pieces:
        sys.stdout.buffer.write(piece)
    sys.stdout.buffer.flush()


def place_of(invocation: Invocation, named: str | None) -> "Place":
    """Where the collector's store is; the setting `store` is the reporter's alone.

    Raises:
        UsageError: What names it is neither a path nor a URL of PostgreSQL.
    """
    from telemetry_core.config.values import STORE, Unfit

    said = named or invocation.host.environment.get("TELEMETRY_STORE")
    if not said:
        return invocation.state_directory(invocation.config()) / STORE_NAME
    try:
        place = STORE.read(said, Path())
    except Unfit as error:
        origin = "--store" if named else "TELEMETRY_STORE"
        raise UsageError(f"{origin} is not {STORE.expected}. {error}".strip(), hint="Name a file, or a URL.") from None
    return place  # type: ignore[return-value]  # it is made by that type


@dataclass(frozen=True, slots=True)
class _Opening:
    """What opens the store, and where its failures are said."""

    invocation: Invocation
    place: "Place"

    @property
    def clock(self) -> "Clock":
        """This host's."""
        return self.invocation.host.clock

    def store(self, *, again: bool) -> "Store":
        """Open the store; again after a failure."""
        from telemetry_collector.store import Store

        return Store.for_writing(self.place, self.clock.now(), again=again)

    def reading(self) -> "Store | None":
        """Open the store to be read, for the page."""
        from telemetry_collector.store import Store

        return Store.for_reading(self.place)

    def token(self) -> str:
        """From the operating system's source of chance."""
        return self.invocation.host.token()

    def note(self, problem: TelemetryError) -> None:
        """It is said on standard error."""
        say(problem)

    def note_bug(self) -> None:
        """It is said on standard error, without secrets."""
        say_bug()
