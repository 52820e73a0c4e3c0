"""Writes the completion scripts of this directory; `make completions` runs it, a test compares."""

from __future__ import annotations

from pathlib import Path

from typer import completion

DIRECTORY = Path(__file__).parent
#: The file of each shell; the names are what the shells look for once installed.
FILES = {"bash": "telemetry.bash", "zsh": "_telemetry", "fish": "telemetry.fish", "powershell": "telemetry.ps1"}


def script(shell: str) -> str:
    """The script for a shell."""
    text: str = getattr(completion, "get_completion_script")(  # noqa: B009  # the library does not say that it exports it
        prog_name="telemetry", complete_var="_TELEMETRY_COMPLETE", shell=shell
    )
    if shell == "zsh":
        # zsh loads the file at the first completion and runs it as that completion, so that it must complete too.
        return text + '\n_telemetry_completion "$@"\n'
    return text + "\n"


def main() -> None:
    """Write them all."""
    for shell, name in FILES.items():
        (DIRECTORY / name).write_text(script(shell), encoding="utf-8")


if __name__ == "__main__":
    main()
