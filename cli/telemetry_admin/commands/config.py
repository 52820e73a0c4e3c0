"""`telemetry config`: the configuration, every value with its origin, and changing it by command."""

from typing import Annotated

import typer

from telemetry_admin import completing, options
from telemetry_admin.invocation import Invocation
from telemetry_admin.result import Result
from telemetry_core.errors import ConfigurationError

app = typer.Typer(add_completion=False, invoke_without_command=True)

Key = Annotated[
    str,
    typer.Argument(
        metavar="KEY",
        help="The setting, such as reporter.period or engines.orders.rest.",
        autocompletion=completing.settings,
    ),
]


@app.callback()
def group(ctx: typer.Context) -> None:
    """Show, check and change the configuration."""
    if ctx.invoked_subcommand is None:
        typer.echo(ctx.get_help(), err=True)


@app.command()
def show(ctx: typer.Context, *, json: options.Json = False) -> Result:
    """Show every setting with its value and where that is said. Passwords and tokens are never shown."""
    from telemetry_admin.render import config as render

    invocation: Invocation = ctx.obj
    config = invocation.config()
    store = invocation.store_place(config)
    return Result(
        data={
            "settings": [{"key": one.key, "value": render.plain(one), "origin": one.origin} for one in config.values],
            "store": str(store),
        },
        show=lambda console: render.show(console, config.values, str(store)),
    )


@app.command()
def get(ctx: typer.Context, key: Key, *, json: options.Json = False) -> Result:
    """Show the value of one setting, and nothing else."""
    from telemetry_admin.render import config as render
    from telemetry_core.config.loading import setting_of, unknown_key

    invocation: Invocation = ctx.obj
    if setting_of(key) is None:
        raise unknown_key(key, "config get")
    found = next((one for one in invocation.config().values if one.key == key), None)
    if found is None or found.value is None:
        raise ConfigurationError(f"{key} is not set.", hint=f"`telemetry config set {key} VALUE` sets it.")
    return Result(
        data={"key": key, "value": render.plain(found), "origin": found.origin},
        show=lambda console: console.print(render.words(found)),
    )


@app.command(name="set")
def set_(
    ctx: typer.Context,
    key: Key,
    value: Annotated[str, typer.Argument(metavar="VALUE", help="Its value; lists with commas.")],
    *,
    json: options.Json = False,
) -> Result:
    """Set a setting, in a drop-in file of its own; your files are never rewritten."""
    return _change(ctx.obj, key, value)


@app.command()
def unset(ctx: typer.Context, key: Key, *, json: options.Json = False) -> Result:
    """Take a setting out of the drop-in file that `config set` writes."""
    return _change(ctx.obj, key, None)


@app.command()
def path(ctx: typer.Context, *, json: options.Json = False) -> Result:
    """Show which files are read, in the order in which later ones win, and which one `config set` writes."""
    from telemetry_admin.render import config as render
    from telemetry_core.config import drop_in, schema_file
    from telemetry_core.config.sources import read_order

    invocation: Invocation = ctx.obj
    read = [file for layer in invocation.layers.files for file in read_order(layer)]
    written = drop_in(invocation.layers)
    return Result(
        data={
            "files": [{"path": str(file), "exists": file.exists()} for file in read],
            "written-by-config-set": str(written),
            "schema": str(schema_file()),
        },
        show=lambda console: render.show_files(console, read, written, schema_file()),
    )


@app.command()
def check(ctx: typer.Context, *, json: options.Json = False) -> Result:
    """Check the configuration, and the files with secrets and certificates that it names; opens no connection."""
    from telemetry_core.config import check_files

    invocation: Invocation = ctx.obj
    config = invocation.config()
    failures = check_files(config)
    settings = sum(1 for one in config.values if one.origin != "default")
    return Result(
        data={"engines": [engine.entry for engine in config.engines], "settings": settings},
        show=None if failures else lambda console: console.print(
            f"The configuration is right: {settings} settings, {len(config.engines)} engines."
        ),
        failures=failures,
    )  # fmt: skip


def _change(invocation: Invocation, key: str, value: str | None) -> Result:
    from telemetry_core.config import change, drop_in

    written = change(invocation.layers, key, value)
    target = drop_in(invocation.layers)
    decides = next((one for one in invocation.config().values if one.key == key), None)
    origin = None if decides is None or decides.origin == "default" else decides.origin
    what = f"{target} is written" if written is not None else f"Nothing to change in {target}"
    but = f", but {origin} decides" if origin is not None and not origin.startswith(str(target)) else ""
    return Result(
        data={"key": key, "written": None if written is None else str(written), "decides": origin},
        show=lambda console: console.print(f"{what}{but}."),
    )
