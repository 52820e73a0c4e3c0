"""Options that several commands share, so that they are spelt and explained alike."""

from typing import Annotated, Optional, Union

import typer

from telemetry_admin import completing
from telemetry_core.errors import UsageError


def text(given: Union[str, list[str], None]) -> Union[str, list[str], None]:  # noqa: UP007  # Typer reads it
    """What goes to a store has to be text: the command line may have bytes that no database takes.

    Raises:
        UsageError: It has.
    """
    for one in given if isinstance(given, list) else [given or ""]:
        try:
            one.encode()
        except UnicodeEncodeError:
            raise UsageError(
                f"{one!r} is no text in UTF-8.", hint="Write it in UTF-8, as the locale should be."
            ) from None
    return given


Json = Annotated[bool, typer.Option("--json", help="Write one JSON object for programs.")]
Engines = Annotated[
    Optional[list[str]],  # noqa: UP045  # Typer reads it at run time
    typer.Option(
        "--engine",
        metavar="NAME",
        help="Only this engine; again for several; globs such as 'prod-*'.",
        autocompletion=completing.engines,
    ),
]
All = Annotated[bool, typer.Option("--all", help="All configured engines (the default).")]
AuthorizedBy = Annotated[
    Optional[str],  # noqa: UP045  # Typer reads it at run time
    typer.Option("--authorized-by", metavar="NAME", help="Who authorized it, for the record.", callback=text),
]
CollectorStore = Annotated[
    Optional[str],  # noqa: UP045  # Typer reads it at run time
    typer.Option(
        "--store",
        metavar="PLACE",
        help="The collector's store: a file, or a database of PostgreSQL; without it TELEMETRY_STORE, else"
        " collector.db in the state directory.",
    ),
]
Reason = Annotated[
    Optional[str],  # noqa: UP045  # Typer reads it at run time
    typer.Option("--reason", metavar="TEXT", help="Why, for the record.", callback=text),
]
