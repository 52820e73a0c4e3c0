"""`telemetry license`: the licence that the next reports carry, without its signature."""

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from telemetry_admin import options
from telemetry_admin.invocation import Invocation, selected
from telemetry_admin.result import Result, raise_if_alone
from telemetry_core.errors import LicenseRefused, TelemetryError, UnknownEngine, UsageError
from telemetry_core.secret import Secret

if TYPE_CHECKING:
    from telemetry_core.administration import Licensed
    from telemetry_core.config import Engine
    from telemetry_core.reporting import Session

app = typer.Typer(add_completion=False, invoke_without_command=True)

LIMIT = 64 * 1024
"""Bytes; no licence key is larger."""

_OPTION = re.compile(r"--?[A-Za-z]")
_PROMPT = "Paste the licence key; it is not shown. An empty line or Ctrl-D ends it: "
_VISIBLE = (
    "telemetry: Arguments can be seen by other users and stay in the shell's history: "
    "give the key by --file, on standard input with -, or when asked.\n"
)
# A key that begins with a header looks like an option, and the parser would repeat it in its complaint.
_KEY_LIKE_OPTIONS = {"ignore_unknown_options": True, "allow_extra_args": True}


@app.callback()
def group(ctx: typer.Context) -> None:
    """Set, show or remove the licence that reports carry; its signature is neither kept nor sent."""
    if ctx.invoked_subcommand is None:
        typer.echo(ctx.get_help(), err=True)


@app.command(name="set", context_settings=_KEY_LIKE_OPTIONS)
def set_(
    ctx: typer.Context,
    key: Annotated[
        Optional[str],  # noqa: UP045  # Typer reads it at run time
        typer.Argument(metavar="[KEY|-]", help="The key, - for standard input; without it the terminal is asked."),
    ] = None,
    *,
    file: Annotated[Optional[Path], typer.Option("--file", metavar="FILE", help="Read the key from a file.")] = None,  # noqa: UP045  # Typer reads it at run time
    engine: options.Engines = None,
    all_: options.All = False,
    json: options.Json = False,
) -> Result:
    """Keep a licence for the engine's installation: customer, type, end, features, raw text; never the signature.

    It leaves with the next periodic report alone, if telemetry is enabled and license-key is not withheld. The engine
    is read to see which installation it is; where it does not answer, the one known so far has the licence.
    """
    from telemetry_core import administration
    from telemetry_core import license as licenses

    invocation: Invocation = ctx.obj
    _refuse_strangers(key, ctx.args)
    parsed = licenses.parse(_given(invocation, key, file))
    done: list[Licensed] = []
    failures: list[TelemetryError] = []
    with invocation.writing(first_run=False) as session:
        for one in _engines(session, engine, everything=all_):
            try:
                done.append(administration.set_license(session, one, parsed, invocation.host.user()))
            except TelemetryError as error:
                failures.append(error)
        now = session.clock.now()
    raise_if_alone(failures, done)
    return _result(done, now, failures, set_now=True)


@app.command()
def show(
    ctx: typer.Context,
    *,
    engine: options.Engines = None,
    all_: options.All = False,
    json: options.Json = False,
) -> Result:
    """Show the licence that was set here, and warn from 60 days before its end on. Asks no engine."""
    from telemetry_core import administration

    invocation: Invocation = ctx.obj
    with invocation.reading() as session:
        found = [administration.licensed(session, one) for one in selected(session, engine, everything=all_)]
        now = session.clock.now()
    return _result(found, now, [])


@app.command()
def remove(
    ctx: typer.Context,
    *,
    engine: options.Engines = None,
    all_: options.All = False,
    json: options.Json = False,
) -> Result:
    """Forget the licence that was set here; one that the engine itself has is reported as before."""
    from telemetry_admin.render import license as render
    from telemetry_core import administration

    invocation: Invocation = ctx.obj
    with invocation.writing(first_run=False) as session:
        done = [administration.remove_license(session, one) for one in selected(session, engine, everything=all_)]
    return Result(
        data={"engines": [{"name": d.engine, "installation": d.installation, "removed": d.changed} for d in done]},
        show=lambda console: render.show_removed(console, done),
    )


def _result(found: "list[Licensed]", now: int, failures: list[TelemetryError], *, set_now: bool = False) -> Result:
    from telemetry_admin.render import license as render

    return Result(
        data={"engines": [render.described(one, now) for one in found]},
        show=lambda console: render.show(console, found, now, set_now=set_now),
        failures=failures,
    )


def _refuse_strangers(key: str | None, further: list[str]) -> None:
    """What was typed is never repeated: it may be a key that was not quoted, or that stands in the wrong place."""
    if any(_OPTION.match(word) for word in (key or "", *further)):
        raise UsageError("`license set` has no such option.", hint="`telemetry license set --help` shows its options.")
    if further:
        raise UsageError("`license set` takes one key.", hint="Put it in quotes, or better into a file: --file FILE.")


def _engines(session: "Session", names: list[str] | None, *, everything: bool) -> "tuple[Engine, ...]":
    try:
        return selected(session, names, everything=everything)
    except UnknownEngine as error:  # the name is not repeated: it may be a key in the wrong place
        raise UnknownEngine("No engine has the name that --engine gives.", hint=error.hint) from None


def _given(invocation: Invocation, key: str | None, file: Path | None) -> Secret:
    """The key, from the one place that the command line names."""
    if key is not None and file is not None:
        raise UsageError("KEY and --file exclude each other.", hint="Leave one of them out.")
    if file is not None:
        return _text(_read_file(file))
    if key == "-":
        return _text(sys.stdin.buffer.read(LIMIT + 1))
    if key is not None:
        sys.stderr.write(_VISIBLE)
        return Secret(key)
    if not invocation.host.can_ask:
        raise UsageError("There is no terminal to ask on.", hint="Give the key with --file FILE, or - and a pipe.")
    from telemetry_admin.asking import hidden_key

    return _text(hidden_key(_PROMPT))


def _read_file(file: Path) -> bytes:
    try:
        with file.open("rb") as stream:
            return stream.read(LIMIT + 1)
    except (OSError, ValueError) as error:  # its name is not repeated: it may be the key itself
        reason = getattr(error, "strerror", None) or "it is no path"
        raise UsageError(
            f"The file that --file names cannot be read: {reason}.",
            hint="Check the path and that this user may read it.",
        ) from None


def _text(content: bytes) -> Secret:
    if len(content) > LIMIT:
        raise LicenseRefused(f"The licence key is larger than {LIMIT} bytes.", hint="Check that it is the right file.")
    try:
        return Secret(content.decode("utf-8"))
    except UnicodeDecodeError:
        raise LicenseRefused("The licence key is not UTF-8 text.", hint="Check that it is the right file.") from None
