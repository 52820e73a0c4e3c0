"""`telemetry config`: the configuration, every value with its origin."""

import typer

from telemetry_admin import options
from telemetry_admin.invocation import Invocation
from telemetry_admin.result import Result

app = typer.Typer(no_args_is_help=True)


@app.callback()
def group() -> None:
    """Show the configuration."""


@app.command()
def show(ctx: typer.Context, *, json: options.Json = False) -> Result:
    """Show every setting with its value and where that is said. Passwords and tokens are never shown."""
    from telemetry_admin.render import config as render

    invocation: Invocation = ctx.obj
    config = invocation.config()
    store = invocation.store_path(config)
    return Result(
        data={
            "settings": [{"key": one.key, "value": render.plain(one), "origin": one.origin} for one in config.values],
            "store": str(store),
        },
        show=lambda console: render.show(console, config.values, str(store)),
    )
