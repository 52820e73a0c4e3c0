"""`telemetry collector`: the receiving service, and what it has received."""

import sys
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, Optional

import typer

from telemetry_admin import options
from telemetry_admin.ending import noted_signals
from telemetry_admin.invocation import Invocation
from telemetry_admin.result import Result
from telemetry_admin.saying import say, say_bug
from telemetry_core.errors import TelemetryError, UsageError

if TYPE_CHECKING:
    from telemetry_collector.store import Store
    from telemetry_core.model import Clock
    from telemetry_core.store import Place

app = typer.Typer(add_completion=False, invoke_without_command=True)

STORE_NAME = "collector.db"
KEYS_NAME = "collector.keys"


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
    opening = _Opening(invocation, _place(invocation, store))
    listening = server.listen(settings)
    if invocation.host.is_terminal and not json:
        typer.echo(f"Receiving at {listening.url}; Ctrl-C ends it.")
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
    found = Store.for_reading(_place(invocation, store))
    form_of = exporting.as_json if form == "json" else exporting.as_csv
    if found is None:
        _write(form_of(()))
    else:
        with found:
            _write(form_of(found.reports()))
    return Result({})


def _write(pieces: Iterable[bytes]) -> None:
    for piece in pieces:
        sys.stdout.buffer.write(piece)
    sys.stdout.buffer.flush()


def _place(invocation: Invocation, named: str | None) -> "Place":
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

    def note(self, problem: TelemetryError) -> None:
        """It is said on standard error."""
        say(problem)

    def note_bug(self) -> None:
        """It is said on standard error, without secrets."""
        say_bug()
