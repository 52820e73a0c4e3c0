"""The way in and the only way out: runs a command, writes its result, and makes an exit status of what went wrong.

A `send` that has nothing to do ends before anything is loaded, so this module loads nothing by itself.
"""

from __future__ import annotations

import os
import sys

from telemetry_admin import glance

TYPE_CHECKING = False  # as type checkers know it; to load `typing` takes as long as the interpreter's start
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn

    from telemetry_admin.host import Host
    from telemetry_admin.invocation import Invocation
    from telemetry_admin.result import Json, Result
    from telemetry_core.errors import TelemetryError


class Interrupted(BaseException):
    """A signal asked the process to end."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.status = 128 + number


def main() -> NoReturn:
    """Run the program as the shell calls it."""
    if glance.nothing_is_due(sys.argv[1:]):
        sys.exit(0)
    from telemetry_admin.host import this_host

    _listen_to_signals()
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        status = run(sys.argv[1:], this_host())
        sys.stdout.flush()
    except (Interrupted, KeyboardInterrupt) as end:
        status = end.status if isinstance(end, Interrupted) else 130
    except BrokenPipeError:
        _forget_the_output()
        status = 141
    except Exception as error:  # noqa: BLE001  # a bug, said as the interpreter would, but without secrets
        status = _signal_behind(error) or _bug()
    _end(status)


def _end(status: int) -> NoReturn:
    """End at once: what is done is done, and to take everything apart takes Python a tenth of the whole run."""
    from contextlib import suppress

    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, AttributeError):  # nobody reads it, or it was closed from the beginning
            stream.flush()
    os._exit(status)


def run(arguments: Sequence[str], host: Host) -> int:
    """Run the program with arguments on a host; the exit status (DESIGN §2)."""
    from telemetry_admin.invocation import Invocation
    from telemetry_core.errors import TelemetryError

    as_json = "--json" in arguments
    name = _name(arguments)
    invocation = Invocation(host)
    try:
        result = _call(list(arguments), invocation)
    except TelemetryError as error:
        _say_losses(invocation)
        return _write_error(name, error, as_json=as_json)
    _say_losses(invocation, result)
    if result is None:
        return 0 if {"-h", "--help", "--show-completion", "--install-completion"} & set(arguments) else 2
    return _write(name, result, host, as_json=as_json)


def _say_losses(invocation: Invocation, result: Result | None = None) -> None:
    """A store that was lost is said, whatever became of the command; where it is the command's failure, as that."""
    from telemetry_admin.saying import say

    for lost in invocation.lost:
        if result is None or lost not in result.failures:
            say(lost)


def _call(arguments: list[str], invocation: Invocation) -> Result | None:
    """Call the command; the errors of the command line's library become our own."""
    import typer

    from telemetry_admin.app import VersionAsked, app
    from telemetry_admin.result import Result
    from telemetry_core.errors import UsageError

    usage_error: type[Exception] = typer.BadParameter.__mro__[1]  # its base has no public name
    try:
        command = typer.main.get_command(app)
        found = command.main(arguments, prog_name="telemetry", standalone_mode=False, obj=invocation)
    except VersionAsked as asked:
        return asked.result
    except usage_error as error:
        raise UsageError(_usage_message(error, arguments), hint=_usage_hint(error)) from None
    except typer.Abort:
        raise KeyboardInterrupt from None
    return found if isinstance(found, Result) else None


def _usage_message(error: Exception, arguments: Sequence[str]) -> str:
    from telemetry_admin.names import may_be_repeated

    if not may_be_repeated(arguments):
        return "The command line is wrong; what was typed is not repeated, because it may hold a licence key."
    message: str = error.format_message() if hasattr(error, "format_message") else str(error)
    return message


def _usage_hint(error: Exception) -> str:
    context = getattr(error, "ctx", None)
    path = getattr(context, "command_path", "telemetry")
    return f"`{path} --help` shows how it is used."


def _name(arguments: Sequence[str]) -> str:
    """The command's name for the envelope, before anything is parsed."""
    from telemetry_admin.names import command_name

    return command_name(arguments)


def _write(name: str, result: Result, host: Host, *, as_json: bool) -> int:
    from telemetry_admin.result import envelope

    if result.raw is not None:
        sys.stdout.buffer.write(result.raw)
    elif as_json:
        _write_json(envelope(name, result))
    elif result.show is not None:
        from telemetry_admin.render.console import make_console

        result.show(make_console(host))
    if result.raw is not None or not as_json:
        from telemetry_admin.saying import say

        for failure in (*result.failures, *result.forgiven):
            say(failure)
    return result.exit_status


def _write_error(name: str, error: TelemetryError, *, as_json: bool) -> int:
    from telemetry_admin.result import error_envelope

    if error.code == "already-sending" and not as_json:
        return error.exit_status
    if as_json:
        _write_json(error_envelope(name, error))
    else:
        from telemetry_admin.saying import say

        say(error)
    return error.exit_status


def _write_json(value: Json) -> None:
    import json

    sys.stdout.write(json.dumps(value, ensure_ascii=False) + "\n")


def _signal_behind(error: BaseException | None) -> int | None:
    """The status of a signal that came in the middle of a library's cleaning up, which then failed."""
    while error is not None and not isinstance(error, Interrupted):
        error = error.__context__
    return None if error is None else error.status


def _bug() -> int:
    from telemetry_admin.saying import say_bug
    from telemetry_core.errors import TelemetryError

    say_bug()
    return TelemetryError.exit_status


def _forget_the_output() -> None:
    """Nobody reads it any more; without this the interpreter complains when it flushes at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _listen_to_signals() -> None:
    import signal

    known = [getattr(signal, name) for name in ("SIGTERM", "SIGINT", "SIGHUP") if hasattr(signal, name)]

    def end(number: int, _frame: object) -> None:
        for one in known:
            signal.signal(one, signal.SIG_DFL)  # who asks twice does not wait: the store stands any end
        raise Interrupted(number)

    for one in known:
        signal.signal(one, end)


if __name__ == "__main__":
    main()
