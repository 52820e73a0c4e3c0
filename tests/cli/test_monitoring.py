"""`status --check` and `status --openmetrics`: what plug-ins and collectors of monitoring read."""

from __future__ import annotations

import os
import re
import time

import pytest
from prometheus_client import parser
from prometheus_client.openmetrics import parser as openmetrics_parser

from tests.support.program import Program, Run
from tests.support.receiver import Receiver, Reply
from tests.support.simulated_engine import SimulatedEngine

#: Label, value, unit, warning, critical and minimum, as the guidelines of the plug-ins have them.
PERFORMANCE = re.compile(r"([A-Za-z0-9_-]+)=(-?\d+)(s?)(?:;(\d*:?))?(?:;(\d*:?))?(?:;(\d*))?")
OLD = {"TELEMETRY_REPORTER__PERIOD": "1s"}


def line_of(done: Run) -> str:
    """The one line of a plug-in."""
    assert done.stderr == b""
    assert done.text.count("\n") == 1
    return done.text.rstrip("\n")


def performance(line: str) -> dict[str, tuple[int, str]]:
    numbers = line.partition(" | ")[2]
    assert "|" not in numbers
    found = [PERFORMANCE.fullmatch(word) for word in numbers.split(" ")]
    return {match[1]: (int(match[2]), match[3]) for match in found if match is not None} | {"": (found.count(None), "")}


def samples(text: str) -> dict[str, float]:
    """All samples, read as OpenMetrics and as the older text, which must say the same."""
    new = {
        (sample.name, tuple(sample.labels.items())): sample.value
        for family in openmetrics_parser.text_string_to_metric_families(text)  # type: ignore[no-untyped-call]
        for sample in family.samples
    }
    old = {
        (sample.name, tuple(sample.labels.items())): sample.value
        for family in parser.text_string_to_metric_families(text)
        for sample in family.samples
    }
    assert new == old
    return {name + "".join(f" {value}" for _, value in labels): number for (name, labels), number in new.items()}


def test_where_nothing_is_permitted_the_check_is_ok_and_says_so(configured: Program) -> None:
    done = configured("status", "--check")
    assert done.status == 0
    assert line_of(done).startswith(
        "TELEMETRY OK - orders: no report is expected: Telemetry is not configured for orders | orders_failing=0s;"
    )


def test_a_check_has_age_failures_pending_and_licence_as_performance_data(configured: Program) -> None:
    configured("enable", "--yes")
    key = configured.directory / "license.txt"
    key.write_text("c2hvcnQ=;customer=ACME;expiryDate=2099-12-31;camundaBPM=true", encoding="utf-8")
    configured("license", "set", "--file", str(key))
    configured("send")
    done = configured("status", "--check")
    assert done.status == 0
    line = line_of(done)
    assert line.startswith("TELEMETRY OK - orders: last report 0 min ago | orders_age=")
    assert ";172800;259200;0 orders_failing=0s;86400;172800;0 orders_failures=0;;;0 orders_pending=0;;;0" in line
    numbers = performance(line)
    assert numbers.pop("orders_license_days")[0] > 20_000
    assert numbers.pop("orders_age")[0] < 120
    assert numbers == {"orders_failing": (0, "s"), "orders_failures": (0, ""), "orders_pending": (0, ""), "": (0, "")}


def test_a_report_that_is_late_is_warned_of_and_then_critical(configured: Program) -> None:
    configured("enable", "--yes")
    configured("send")
    time.sleep(2)
    done = configured("status", "--check", variables=OLD)
    assert done.status == 1
    assert line_of(done).startswith("TELEMETRY WARNING - orders: no report accepted for 0 min | ")


def test_of_several_engines_one_line_names_those_that_are_not_well(
    program: Program, receiver: Receiver, simulated: SimulatedEngine
) -> None:
    with SimulatedEngine() as other:
        program.configure(
            f'endpoint = "{receiver.url}"\n'
            + "".join(
                f'[engines.{name}]\nrest = "{rest}"\n'
                for name, rest in (("a", simulated.rest), ("b", other.rest), ("off", "http://127.0.0.1:9/engine-rest"))
            )
        )
        program("enable", "--yes", "--engine", "a", "--engine", "b")
        program("send", "--engine", "a", "--engine", "b")
    assert line_of(program("status", "--check")).startswith(
        "TELEMETRY OK - 3 of 3 engines OK, no report is expected of 1 | a_age="
    )
    time.sleep(2)
    done = program("status", "--check", variables=OLD)
    assert done.status == 1
    assert line_of(done).startswith(
        "TELEMETRY WARNING - a: no report accepted for 0 min; b: no report accepted for 0 min;"
        " 1 of 3 engines OK, no report is expected of 1 | a_age="
    )
    assert line_of(program("status", "--check", "--engine", "off")).startswith("TELEMETRY OK - off: no report is ")


@pytest.mark.parametrize(
    ("arguments", "config", "text"),
    [
        ([], "endpiont = 'x'", "there is no setting endpiont"),
        (["--engine", "x"], None, "No engine is called 'x'. Configured are: orders."),
        (["--openmetrics", "/nonexistent/x.prom"], None, "/nonexistent/x.prom cannot be written"),
        ([], "", "no engine is configured"),
    ],
)
def test_what_keeps_the_check_from_an_answer_is_unknown(
    arguments: list[str], config: str | None, text: str, configured: Program
) -> None:
    if config is not None:
        configured.configure(config)
    done = configured("status", "--check", *arguments)
    assert done.status == 3
    assert line_of(done).startswith("TELEMETRY UNKNOWN - ")
    assert text in done.text


def test_a_store_that_is_damaged_is_unknown_and_untouched(configured: Program) -> None:
    configured("enable", "--yes")
    configured.store.write_bytes(b"no store" * 1000)
    done = configured("status", "--check")
    assert done.status == 3
    assert "is damaged: file is not a database" in line_of(done)
    assert configured.store.read_bytes() == b"no store" * 1000


def test_an_unknown_check_is_an_error_with_its_code_in_json(configured: Program) -> None:
    done = configured("status", "--check", "--json", "--engine", "x")
    assert done.status == 3
    assert (done.json["ok"], done.json["error"]["code"], done.data["level"]) == (False, "unknown-engine", "unknown")


def test_a_text_from_outside_makes_neither_a_second_line_nor_numbers(configured: Program) -> None:
    configured.configure('"a|b\\n\\u001b[31mc" = 1')
    line = line_of(configured("status", "--check"))
    assert "there is no setting a/b" in line
    assert not set(line) & {"|", "\x1b"}


def test_the_metrics_are_read_by_parsers_of_both_formats(configured: Program, receiver: Receiver) -> None:
    configured("enable", "--yes")
    begun = time.time()
    configured("send")
    receiver.answer = lambda _: Reply(503)
    configured("send", "--force", variables={"TELEMETRY_REPORTER__RETRIES": "0"})
    file = configured.directory / "telemetry.prom"
    done = configured("status", "--openmetrics", "telemetry.prom")
    assert (done.status, done.stdout, done.stderr) == (0, b"", b"")
    text = file.read_text()
    assert text.endswith("\n# EOF\n")
    found = samples(text)
    assert found.pop("telemetry_written_timestamp_seconds") >= begun - 1
    assert found.pop("telemetry_last_accepted_timestamp_seconds orders") >= int(begun)
    assert 0 <= found.pop("telemetry_last_accepted_age_seconds orders") < 120
    assert 0 <= found.pop("telemetry_failing_seconds orders") < 120
    assert found == {
        "telemetry_status orders": 0, "telemetry_expected orders": 1, "telemetry_failures_in_a_row orders": 1,
        "telemetry_pending_reports orders": 1,
    }  # fmt: skip
    assert file.stat().st_mode & 0o777 == 0o644
    assert [path.name for path in configured.directory.glob("*.prom*")] == ["telemetry.prom"]


def test_metrics_without_any_engine_are_valid_too(program: Program) -> None:
    program.configure("")
    assert program("status", "--openmetrics", "x.prom").status == 0
    assert list(samples((program.directory / "x.prom").read_text())) == ["telemetry_written_timestamp_seconds"]


def test_check_and_metrics_go_together(configured: Program) -> None:
    done = configured("status", "--check", "--openmetrics", "x.prom")
    assert done.status == 0
    assert line_of(done).startswith("TELEMETRY OK - ")
    assert samples((configured.directory / "x.prom").read_text())["telemetry_expected orders"] == 0


def test_a_reader_never_sees_half_of_the_metrics(configured: Program) -> None:
    file = configured.directory / "x.prom"
    file.write_text("before")
    with file.open() as reader:
        assert configured("status", "--openmetrics", "x.prom").status == 0
        assert reader.read() == "before"  # the old file is as it was, the new one is in its place
    assert file.read_text().startswith("# HELP")


def test_the_file_behind_a_link_is_written_and_the_link_stays(configured: Program) -> None:
    real, link = configured.directory / "real.prom", configured.directory / "link.prom"
    real.write_text("")
    link.symlink_to(real)
    configured("status", "--openmetrics", "link.prom")
    assert link.is_symlink()
    assert real.read_text().endswith("# EOF\n")


def test_what_is_no_file_is_left_as_it_is(configured: Program) -> None:
    pipe = configured.directory / "pipe"
    os.mkfifo(pipe)
    done = configured("status", "--openmetrics", "pipe")
    assert (done.status, done.stdout) == (2, b"")
    assert "pipe is no file" in done.errors
    assert pipe.is_fifo()
