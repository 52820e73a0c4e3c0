"""What reads strangers' bytes, under atheris: `python -m tests.support.fuzzing DIRECTORY -runs=1000`.

Of an input the first byte says what it is for, the rest are the bytes. Whatever they are, there is a submission or a
reason; a submission is judged by another parser of JSON.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import sys
import zlib
from pathlib import Path
from typing import Any

import atheris

with atheris.instrument_imports(  # type: ignore[attr-defined]  # its types do not have it
    include=["telemetry_collector.intake", "telemetry_collector.report", "telemetry_collector.suspicion"]
):
    from telemetry_collector import intake, report, suspicion
from telemetry_collector.intake import BATCH_LIMIT, BODY_LIMIT, Envelope, Origin
from telemetry_collector.model import Refusal, Submission

_ROOT = Path(__file__).parent.parent.parent
_ORIGIN = Origin(1_795_000_000_000, ())
_REFUSED = {400, 413, 415, 422}
_ENCODINGS = ("", "gzip", "deflate", "identity", "x-gzip")
_START = "2026-11-23T23:00:08.920+0000"


def once(data: bytes) -> None:
    """One input."""
    if data:
        kind, rest = data[0] % 8, data[1:]
        if kind == 6:
            _headers(rest)
        elif kind == 7:
            _date(rest)
        else:
            _body(_ENCODINGS[kind % 5], rest, is_batch=kind == 5 or data[0] >= 128, key="key" if kind % 2 else None)


def _body(encoding: str, body: bytes, *, is_batch: bool, key: str | None) -> None:
    limit = BATCH_LIMIT if is_batch else BODY_LIMIT
    content = intake.content(Envelope("application/json", encoding, "", key), body, limit)
    if isinstance(content, Refusal):
        assert content.status in _REFUSED, content
        return
    assert len(content) <= max(limit, len(body))
    read = intake.batch(content, _ORIGIN) if is_batch else intake.submission(key, content, _ORIGIN)
    for one in read if isinstance(read, list) else [read]:
        if isinstance(one, Refusal):
            assert one.status in _REFUSED, one
        else:
            _judge(one)


def _judge(one: Submission) -> None:
    value = json.loads(one.body)
    assert one.sha256 == hashlib.sha256(one.body).hexdigest()
    assert one.installation == (value.get("installation") or ""), one
    assert len(one.installation) <= 255
    assert one.installation.isprintable()
    assert one.window.isprintable()
    assert isinstance(value["product"]["name"], str)
    assert _depth(value) <= intake.DEPTH_LIMIT, "too deep"
    assert all(0 <= count < 2**63 for count in one.counts.values())
    assert one.facts is not None
    assert suspicion.reason(one.facts, one.received_at, suspicion.NO_HISTORY, is_flooding=False).isprintable()


def _depth(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + max(map(_depth, value.values()), default=0)
    return 1 + max(map(_depth, value), default=0) if isinstance(value, list) else 0


def _headers(rest: bytes) -> None:
    said = [*rest.decode("latin-1").split("\n"), "", "", "", ""]
    content = intake.content(Envelope(said[0], said[1], said[2], said[3]), b"{}")
    assert content == b"{}" or (isinstance(content, Refusal) and content.status in _REFUSED)
    read = intake.submission(said[3], _report("x"), _ORIGIN)
    assert isinstance(read, Submission) or read.status == 400


def _date(rest: bytes) -> None:
    date = rest.decode("utf-8", "replace")
    said = report.window(date)
    assert said is None or re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3}Z)?", said, re.ASCII), said
    for start in (date, f"{date[:19]}{rest[-2] % 24:+03d}:{rest[-1] % 60:02d}" if len(rest) > 1 else ""):
        read = intake.submission(None, _report("x", start=json.dumps(start)[1:-1]), _ORIGIN)
        if isinstance(read, Submission):
            _judge(read)


def _report(installation: str, more: str = "", start: str = _START) -> bytes:
    internals = (
        f'{{"metrics": {{"flow-node-instances": {{"count": 7}}}}, "data-collection-start-date": "{start}"{more}}}'
    )
    product = f'{{"name": "Camunda BPM Runtime", "version": "7.21.0", "internals": {internals}}}'
    return f'{{"installation": "{installation}", "product": {product}}}'.encode()


def seeds() -> list[bytes]:
    """What to begin with: real reports, batches, and what lies at the edge of what is taken."""
    captured = sorted((_ROOT / "tests" / "captures" / "engine-reports").glob("*/*.body"))
    deep = 61  # with what is around it
    bodies = [
        *(path.read_bytes() for path in captured),
        _report("b647de4d-e557-455a-a64f-feaecd55f53c"),
        _report("x", f', "unknown": {"[" * deep}{"]" * deep}'),
        _report("x", f', "unknown": {"9" * 308}'),
        _report("x", ', "unknown": 1e308, "text": "[[\\"\\ud83d\\ude00"'),
        _report("x", start="Nov 23, 2026, 11:00:08 PM"),
    ]
    batch = b'{"reports": [{"id": "key", "report": %s}, {"report": %s}]}' % (bodies[-1], bodies[0])
    found = [bytes([kind]) + body for kind in (0, 3) for body in bodies]
    found += [b"\x01" + gzip.compress(bodies[0], mtime=0), b"\x02" + zlib.compress(bodies[0]), b"\x05" + batch]
    found += [b"\x06application/json; charset=utf-8\ngzip\nsha-256=:AAAA:\nkey"]
    dates = (_START, "Nov 23, 2026, 11:00:08 PM", "9999-12-31T23:59:59-00:00", "0001-01-01T00:00:00+00:00")
    return found + [b"\x07" + date.encode() for date in dates]


if __name__ == "__main__":
    for number, seed in enumerate(seeds()):
        Path(sys.argv[1], f"{number:03d}").write_bytes(seed)
    atheris.Setup(sys.argv, once)
    atheris.Fuzz()
