"""Writes the parts of the documentation that come from the code; `make docs` runs it, a test compares."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias

from docs import shapes
from telemetry_collector import openapi as collector_openapi
from telemetry_core.config import ENGINE_SETTINGS, SETTINGS, Setting, schema_file
from telemetry_core.config.schema import schema
from telemetry_core.config.sources import variable
from telemetry_core.environment import POINTS
from telemetry_core.errors import TelemetryError, all_errors
from telemetry_core.wire import field_path
from telemetry_web import openapi
from tests.bad_inputs import TABLE

Row: TypeAlias = tuple[str, ...]

REFERENCE = Path(__file__).parent / "reference"
_FIXED = {
    0: "done, nothing due, or not permitted for a plain `send` (silent)",
    1: "a bug; please report it",
    2: "the command line is wrong",
    3: "the configuration is wrong or incomplete",
    4: "an explicit command is not permitted by the consent of now",
    5: "the engine is unreachable, refuses, is none, or its installation is unknown",
    6: "delivery failed; the report is kept",
    7: "another `send` or `run` is sending (silent)",
    8: "the store is damaged, unwritable or unreadable for this user",
}


def pages() -> dict[str, str]:
    """The content of every generated page by its file name."""
    return {
        "exit-status.md": _exit_status(),
        "settings.md": _settings(),
        "data-points.md": _data_points(),
        "bad-input.md": _bad_input(),
        "openapi.json": json.dumps(openapi.document(), indent=2, ensure_ascii=False) + "\n",
        "collector-openapi.json": json.dumps(collector_openapi.document(), indent=2, ensure_ascii=False) + "\n",
    }


def configuration_schema() -> str:
    """The text of the JSON Schema of the configuration."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


def schemas() -> dict[str, str]:
    """The JSON Schema of each command's output by its file name."""
    return {
        f"{_file_name(command)}.schema.json": json.dumps(shapes.schema(command), indent=2) + "\n"
        for command in shapes.SHAPES
    }


def _file_name(command: str) -> str:
    return command.replace(" --", "-").replace(" ", "-").lower()


def main() -> None:
    """Write them."""
    (REFERENCE / "json").mkdir(exist_ok=True)
    for name, text in schemas().items():
        (REFERENCE / "json" / name).write_text(text, encoding="utf-8")
    for name, text in pages().items():
        (REFERENCE / name).write_text(text, encoding="utf-8")
    schema_file().write_text(configuration_schema(), encoding="utf-8")


def _table(head: Row, rows: Sequence[Row]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _exit_status() -> str:
    errors = [error for error in all_errors() if error is not TelemetryError]
    codes = {
        status: ", ".join(f"`{error.code}`" for error in errors if error.exit_status == status) for status in _FIXED
    }
    rows = [(str(status), meaning, codes[status]) for status, meaning in _FIXED.items()]
    rows.append(("128+n", "ended by signal n", ""))
    return (
        "# Exit status\n\nGenerated from the tree of errors; `code` is what `--json` gives.\n\n"
        + _table(("status", "meaning", "codes"), rows)
        + "\nSeveral engines in one command: the first of 8, 3, 5, 6, 4 that occurred.\n"
        "`status --check` ends as monitoring plug-ins do: 0 OK, 1 warning, 2 critical, 3 unknown.\n"
    )


def _settings() -> str:
    head = ("setting", "value", "default", "meaning", "environment variable")
    return (
        "# Settings\n\nGenerated from the code. Durations are texts such as `24h`, `90s`, `1h30m`.\n\n"
        + _table(head, [_row(setting, "") for setting in SETTINGS])
        + "\n## For each engine, in a table `[engines.NAME]`\n\n"
        + _table(head, [_row(setting, "engines.NAME.") for setting in ENGINE_SETTINGS])
    )


def _row(setting: Setting, prefix: str) -> Row:
    default = _default(setting.default)
    variables = ", else ".join(f"`{name}`" for name in (variable(prefix + setting.key), *setting.usual))
    return f"`{setting.key}`", setting.type.expected, default, setting.meaning, variables


def _default(value: object) -> str:
    if value is None:
        return ""
    return f"`{str(value).lower()}`" if isinstance(value, bool) else f"`{value}`"


def _bad_input() -> str:
    rows = [(row.what, f"`telemetry {row.command}`", row.message, str(row.status)) for row in TABLE]
    return (
        "# Bad input\n\nGenerated from the table that a test runs: what is wrong, and what the one line on standard"
        " error says, beside the next step.\n\n" + _table(("input", "command", "message", "status"), rows)
    )


def _data_points() -> str:
    head = (
        "# Data points\n\nGenerated from the code: what a report can hold, in its order. `*` is the engine's own word,"
    )
    head += " such as `camunda`.\n\n"
    rows = [
        (f"`{field_path(point.name)}`", point.category, point.type, ", ".join(point.sources), point.why)
        for point in POINTS
    ]
    examples = "".join(f"{field_path(point.name)}\n    {point.example}\n" for point in POINTS)
    return (
        head
        + _table(("field", "category", "type", "sources, the first one first", "why it is collected"), rows)
        + f"\n## Examples\n\n```\n{examples}```\n"
    )


if __name__ == "__main__":
    main()
