"""`telemetry serve`: the administration page and the engine's REST API about telemetry, until it is told to end."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional, TypeVar

import typer

from telemetry_admin import options
from telemetry_admin.ending import noted_signals
from telemetry_admin.invocation import Invocation
from telemetry_admin.result import Result
from telemetry_admin.saying import say, say_bug

if TYPE_CHECKING:
    from telemetry_core.config import Config
    from telemetry_core.model import Clock
    from telemetry_core.reporting import Session

app = typer.Typer(add_completion=False)

Certificate = Annotated[
    Optional[Path],  # noqa: UP045  # Typer reads it at run time
    typer.Option("--tls-cert", metavar="FILE", help="The certificate (PEM) instead of serve.tls-cert."),
]
Key = Annotated[
    Optional[Path],  # noqa: UP045  # as above
    typer.Option("--tls-key", metavar="FILE", help="Its key (PEM) instead of serve.tls-key."),
]

T = TypeVar("T")


@app.command()
def command(
    ctx: typer.Context,
    *,
    listen: Annotated[
        Optional[str],  # noqa: UP045  # Typer reads it at run time
        typer.Option("--listen", metavar="ADDRESS", help="Listen at this address instead of serve.listen."),
    ] = None,
    port: Annotated[
        Optional[int],  # noqa: UP045  # as above
        typer.Option("--port", metavar="PORT", min=1, max=65535, help="Listen at this port instead of serve.port."),
    ] = None,
    tls_cert: Certificate = None,
    tls_key: Key = None,
    json: options.Json = False,
) -> Result:
    """Serve the administration page, and the REST API that engines had for telemetry below /engine-rest.

    Whoever uses it is a user of the engine: an administrator, or somebody with READ or SET on System. It listens on
    this host alone unless told otherwise. Configuration and store are read anew for each request. SIGTERM and SIGINT
    end it.
    """
    from telemetry_web import server

    invocation: Invocation = ctx.obj
    settings = invocation.config().serve
    settings = replace(
        settings,
        listen=listen or settings.listen,
        port=port or settings.port,
        tls_cert=tls_cert or settings.tls_cert,
        tls_key=tls_key or settings.tls_key,
    )
    listening = server.listen(settings)
    if invocation.host.is_terminal and not json:
        typer.echo(f"Serving at {listening.url}/ (page) and {listening.url}/engine-rest (REST API); Ctrl-C ends it.")
    with noted_signals() as noted:
        server.run(listening, _Opener(invocation))
    return Result({"url": listening.url, "ended-by": noted[0] if noted else None})


@dataclass(frozen=True, slots=True)
class _Opener:
    """Each request is a call of its own of the program, as far as configuration and store are concerned."""

    invocation: Invocation

    @property
    def clock(self) -> "Clock":
        """This host's."""
        return self.invocation.host.clock

    def token(self) -> str:
        """From the operating system's source of chance."""
        return self.invocation.host.token()

    def config(self) -> "Config":
        """The configuration as it is now."""
        return self.invocation.config()

    def reading(self) -> "AbstractContextManager[Session]":
        """A session that writes nothing."""
        return self.invocation.reading()

    def writing(self) -> "AbstractContextManager[Session]":
        """A session that may write."""
        return self.invocation.writing(first_run=False)

    def deciding(self, do: "Callable[[Session], T]") -> T:
        """Do something with a session that may write; a loss of the store is said on standard error."""
        call = replace(self.invocation, lost=[])
        try:
            return call.deciding(do)
        finally:
            for lost in call.lost:
                say(lost)

    def note_bug(self) -> None:
        """It is said on standard error, without secrets."""
        say_bug()
