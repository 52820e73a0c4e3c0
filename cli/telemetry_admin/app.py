"""The root command: finds each command's module only when it is called for, and hands it the invocation."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer
from typer.core import TyperGroup

from telemetry_admin.result import Result
from telemetry_core import VERSION

if TYPE_CHECKING:
    from telemetry_admin.invocation import Invocation

#: Every command, in the order of `--help`; each is the module of that name in `commands`.
COMMANDS = (
    "enable", "disable", "consent", "status", "preview", "send", "run", "history", "environment", "license",
    "config", "schedule", "serve", "collector",
)  # fmt: skip


class LazyGroup(TyperGroup):
    """A group whose commands are imported when they are asked for."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002  # the signature is the library's
        """The names of all commands."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002  # as above
        """A command, None where there is none of that name."""
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"telemetry_admin.commands.{cmd_name.replace('-', '_')}")
        command = typer.main.get_command(module.app)
        command.name = cmd_name
        return command


app = typer.Typer(
    cls=LazyGroup,
    name="telemetry",
    pretty_exceptions_enable=False,  # local variables would print secrets
    add_completion=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback(invoke_without_command=True)
def root(
    ctx: typer.Context,
    config: Annotated[
        Optional[Path],  # noqa: UP045  # Typer reads it at run time
        typer.Option("--config", metavar="FILE", help="This configuration instead of the system's and the user's."),
    ] = None,
    version: Annotated[bool, typer.Option("--version", help="Show the version and end.")] = False,
    json: Annotated[bool, typer.Option("--json", hidden=True)] = False,  # noqa: ARG001  # for `--version --json`
) -> Result | None:
    """Report the telemetry of Camunda 7, Operaton and CIB seven engines: opt-in, previewed, counted and sent once."""
    invocation: Invocation = ctx.obj
    invocation.explicit_config = config
    if version:
        raise VersionAsked
    if ctx.invoked_subcommand is None:
        typer.echo(ctx.get_help(), err=True)
    return None


class VersionAsked(Exception):
    """The question for the version."""

    result = Result({"version": VERSION}, lambda console: console.print(f"telemetry {VERSION}"))
