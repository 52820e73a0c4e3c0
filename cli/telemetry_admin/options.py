"""Options that several commands share, so that they are spelt and explained alike."""

from typing import Annotated, Optional

import typer

from telemetry_admin import completing

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
    typer.Option("--authorized-by", metavar="NAME", help="Who authorized it, for the record."),
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
    typer.Option("--reason", metavar="TEXT", help="Why, for the record."),
]
