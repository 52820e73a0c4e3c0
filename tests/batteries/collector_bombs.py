"""Bombs for the collector: what is small to send and large to read, or never ends; its memory stays what it was."""

from __future__ import annotations

import gzip
import json
import random
import re
import socket
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from telemetry_collector.intake import BATCH_LIMIT, BODY_LIMIT
from tests.batteries.fleet import place
from tests.batteries.tally import Tally, Verdict
from tests.support.collecting import Collector, report

_MIB = 1024 * 1024
AT_ONCE = 16
_PEAK = 128 * _MIB
"""What it may have more for a moment: of each of those at once a batch as it comes, read, and kept until stored."""

_REST = 160 * _MIB
"""What it may have more at the end, however many there were: pages that the allocator keeps."""

_SENT_MOST = 48 * _MIB
_BATCH = "/pings/batch"


def _head(path: str = "/pings", *more: str) -> bytes:
    lines = (f"POST {path} HTTP/1.1", "Host: collector", "Content-Type: application/json", *more, "", "")
    return "\r\n".join(lines).encode()


def _request(body: bytes, path: str = "/pings", *more: str) -> Iterator[bytes]:
    yield _head(path, f"Content-Length: {len(body)}", "Connection: close", *more) + body


def _with(text: bytes) -> bytes:
    """A report with something that nobody knows."""
    return report()[:-1] + b',"unknown":' + text + b"}"


def _depth(path: str, size: int) -> Iterator[bytes]:
    half = size // 2 - 500
    return _request(_of(path, b"[" * half + b"]" * half), path)


def _objects(path: str, size: int) -> Iterator[bytes]:
    times = size // 7
    return _request(_of(path, b'{"a":' * times + b"1" + b"}" * times), path)


def _keys(path: str, size: int) -> Iterator[bytes]:
    keys = b",".join(b'"%x":1' % number for number in range(size // 10))
    return _request(_of(path, b"{" + keys + b"}"), path)


def _counters(path: str, size: int) -> Iterator[bytes]:
    metrics = {f"{number:x}": {"count": number} for number in range(size // 24)}
    internals = {"metrics": metrics, "commands": metrics}
    body = json.dumps({"installation": "x", "product": {"name": "x", "internals": internals}}).encode()[:size]
    return _request(body, path)


def _digits(path: str, size: int) -> Iterator[bytes]:
    return _request(_of(path, b"9" * (size - 1000)), path)


def _batch_of_many(_path: str, size: int) -> Iterator[bytes]:
    return _request(b'{"reports":[' + b",".join([b'{"report":{}}'] * (size // 15)) + b"]}", _BATCH)


def _batch_of_large(_path: str, size: int) -> Iterator[bytes]:
    one = b'{"report":' + _with(b'"' + b"x" * (BODY_LIMIT - 2000) + b'"') + b"}"
    return _request(b'{"reports":[' + b",".join([one] * (size // len(one))) + b"]}", _BATCH)


def _gzip(path: str, _size: int) -> Iterator[bytes]:
    return _request(_ZEROS_BY_GZIP, path, "Content-Encoding: gzip")


def _deflate(path: str, _size: int) -> Iterator[bytes]:
    return _request(_ZEROS_BY_DEFLATE, path, "Content-Encoding: deflate")


def _endless_body(path: str, _size: int) -> Iterator[bytes]:
    yield _head(path, "Transfer-Encoding: chunked")
    yield from _endless(b"10000\r\n" + b" " * 65536 + b"\r\n")


def _endless_fields(path: str, _size: int) -> Iterator[bytes]:
    yield _head(path)[:-2]
    yield from _endless(b"X-More: %s\r\n" % (b"x" * 1000) * 64)


def _endless_field(path: str, _size: int) -> Iterator[bytes]:
    yield _head(path)[:-2] + b"X-More: "
    yield from _endless(b"x" * 65536)


def _endless_path(_path: str, _size: int) -> Iterator[bytes]:
    yield b"POST /"
    yield from _endless(b"x" * 65536)


def _endless_trailer(path: str, _size: int) -> Iterator[bytes]:
    yield _head(path, "Transfer-Encoding: chunked") + b"2\r\n{}\r\n0\r\n"
    yield from _endless(b"X-More: %s\r\n" % (b"x" * 1000) * 64)


def _pipeline(_path: str, _size: int) -> Iterator[bytes]:
    yield from _endless(b"GET /openapi.json HTTP/1.1\r\nHost: collector\r\n\r\n" * 1000)


def _endless(piece: bytes) -> Iterator[bytes]:
    yield from [piece] * (_SENT_MOST // len(piece))


def _of(path: str, text: bytes) -> bytes:
    return b'{"reports":[{"report":' + _with(text) + b"}]}" if path == _BATCH else _with(text)


_ZEROS_BY_GZIP = gzip.compress(bytes(100 * _MIB), mtime=0)
_ZEROS_BY_DEFLATE = zlib.compress(bytes(100 * _MIB), 9)
Bomb = Callable[[str, int], Iterator[bytes]]
BOMBS: tuple[Bomb, ...] = (
    _depth, _objects, _keys, _counters, _digits, _batch_of_many, _batch_of_large, _gzip, _deflate,
    _endless_body, _endless_fields, _endless_field, _endless_path, _endless_trailer, _pipeline,
)  # fmt: skip


def run(count: int, seed: int) -> Tally:
    """So many bombs, of each kind in turn, many at once; then one good report."""
    chance = random.Random(seed)
    tally = Tally("collector_bombs", seed)
    with place() as program, Collector(program) as collector, ThreadPoolExecutor(AT_ONCE) as pool:
        for number in range(2 * AT_ONCE):
            collector.send(report(installation=f"warm {number}"), f"warm-{number}")
        first, highest = collector.memory(), 0
        for number in range(-(-count // AT_ONCE)):
            bomb = BOMBS[number % len(BOMBS)]
            path, size = chance.choice([("/pings", BODY_LIMIT), (_BATCH, BATCH_LIMIT)])
            before = collector.memory()
            Path(f"/proc/{collector.pid}/clear_refs").write_text("5", encoding="ascii")  # the peak begins anew
            port = collector.port
            answers = list(pool.map(lambda _, b=bomb, p=path, s=size, to=port: _thrown(to, b(p, s)), range(AT_ONCE)))
            grown = collector.memory("VmHWM") - before
            highest = max(highest, grown)
            wrong = [f"answered with {status}" for status in answers if status >= 500 and status != 503]
            wrong += [f"{grown // _MIB} MiB more for a moment"] if grown > _PEAK else []
            good = collector.send(report(installation=f"good {number}"), f"good-{number}").status
            wrong += [] if good == 202 else [f"a good report was answered with {good}"]
            tally.add(f"{bomb.__name__} to {path}", Verdict(wrong=", ".join(wrong)), AT_ONCE)
        more = collector.memory() - first
        ended = collector.end()
        wrong = [f"{more // _MIB} MiB more at the end"] if more > _REST else []
        wrong += [f"{ended} {collector.errors[:300]!r}"] if ended or collector.errors else []
        tally.add("the end", Verdict(wrong=", ".join(wrong)))
        tally.more = f", resident {first // _MIB} MiB, at most {highest // _MIB} more, {more // _MIB} more at the end"
    return tally


def _thrown(port: int, pieces: Iterator[bytes]) -> int:
    """Send it, and read nothing before; the status of the answer, 0 where there is none."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        with suppress(OSError):
            for piece in pieces:
                connection.sendall(piece)
        answer = b""
        with suppress(OSError):
            while b"\r\n" not in answer and (more := connection.recv(4096)):
                answer += more
    found = re.match(rb"HTTP/1.1 (\d{3}) ", answer)
    return int(found[1]) if found else 0
