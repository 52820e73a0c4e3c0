"""A file of the log: put aside by its size or by logrotate, and written by several processes."""

from __future__ import annotations

import logging
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from filelock import FileLock

from telemetry_admin.logs.file import RotatedFile
from tests.support.program import Program
from tests.support.receiver import Receiver


def test_a_large_file_is_put_aside_and_so_many_are_kept(configured: Program, receiver: Receiver) -> None:
    configured("enable", "--yes")
    configured.variables |= {
        "TELEMETRY_LOG__TO": "./t.log", "TELEMETRY_LOG__LEVEL": "debug", "TELEMETRY_LOG__ROTATE_SIZE": "1",
        "TELEMETRY_LOG__ROTATE_COUNT": "2",
    }  # fmt: skip
    configured("send")
    codes = {file.name: [line.split()[4] for line in file.read_text().splitlines()]
             for file in configured.directory.glob("t.log*") if file.suffix != ".lock"}  # fmt: skip
    assert codes == {"t.log": ["ENGINE-28016"], "t.log.1": ["ENGINE-28006"], "t.log.2": ["ENGINE-28016"]}


def test_with_a_count_of_0_nothing_is_put_aside(configured: Program) -> None:
    configured("enable", "--yes")
    configured.variables |= {
        "TELEMETRY_LOG__TO": "./t.log", "TELEMETRY_LOG__LEVEL": "debug", "TELEMETRY_LOG__ROTATE_SIZE": "1",
        "TELEMETRY_LOG__ROTATE_COUNT": "0",
    }  # fmt: skip
    configured("send")
    assert [file.name for file in configured.directory.glob("t.log*")] == ["t.log"]
    assert len((configured.directory / "t.log").read_text().splitlines()) == 5


WRITER = """
import logging, sys
from pathlib import Path
from telemetry_admin.logs.file import RotatedFile
handler = RotatedFile(Path(sys.argv[1]), size=2000, count=1000)
for number in range(300):
    handler.emit(logging.makeLogRecord({"msg": f"{sys.argv[2]} {number} {'x' * 60}"}))
"""


def test_of_several_processes_that_write_and_rotate_no_record_is_lost_or_torn(tmp_path: Path) -> None:
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path / "t.log"), name]) for name in ("a", "b", "c")
    ]
    assert [writer.wait(120) for writer in writers] == [0, 0, 0]
    files = [file for file in tmp_path.iterdir() if file.suffix != ".lock"]
    lines = [line.split() for file in files for line in file.read_text().splitlines()]
    assert sorted((name, int(number)) for name, number, _ in lines) == [
        (name, number) for name in ("a", "b", "c") for number in range(300)
    ]
    assert all(filler == "x" * 60 for _, _, filler in lines)
    assert max(file.stat().st_size for file in files) < 2000 + 3 * 100  # what was open while it was put aside
    assert len(files) > 20


def record(text: str) -> logging.LogRecord:
    return logging.makeLogRecord({"msg": text})


def test_while_another_process_puts_a_file_aside_nobody_else_does(tmp_path: Path) -> None:
    file = tmp_path / "t.log"
    handler = RotatedFile(file, size=10, count=2)
    handler.emit(record("a long line of before"))
    with FileLock(f"{file}.lock"):
        handler.emit(record("not lost"))
    handler.close()
    assert file.read_text() == "a long line of before\nnot lost\n"
    assert not file.with_name("t.log.1").exists()


def test_who_waited_for_another_process_looks_at_the_size_again(tmp_path: Path) -> None:
    file = tmp_path / "t.log"
    handler = RotatedFile(file, size=10, count=2)
    handler.emit(record("a long line of before"))
    with ThreadPoolExecutor() as pool:
        with FileLock(f"{file}.lock"):
            written = pool.submit(handler.emit, record("of me"))
            time.sleep(0.3)
            file.rename(tmp_path / "t.log.1")
            file.write_text("of you\n")
        written.result()
    handler.close()
    assert file.read_text() == "of you\nof me\n"
    assert not file.with_name("t.log.2").exists()


def test_a_file_that_logrotate_moves_is_begun_anew(configured: Program) -> None:
    code = WRITER.replace("range(300)", "range(2)").replace(
        "    handler.emit", "    Path(sys.argv[1]).rename(sys.argv[1] + str(number)); handler.emit"
    )
    file = configured.directory / "t.log"
    subprocess.run([sys.executable, "-c", code, str(file), "a"], check=True)
    assert [path.name for path in sorted(configured.directory.glob("t.log*"))] == ["t.log", "t.log0", "t.log1"]
    assert file.read_text().startswith("a 1 ")
