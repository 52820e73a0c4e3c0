"""From the bytes of a request to a submission, or to the reason why there is none; nothing is stored here."""

from __future__ import annotations

import hashlib
import re
import zlib
from array import array
from base64 import b64decode
from binascii import Error as NotBase64
from itertools import accumulate
from typing import Annotated, TypeVar

import msgspec

from telemetry_collector import report, suspicion, withholding
from telemetry_collector.model import Hash, Refusal, Submission
from telemetry_core.model import Millis

T = TypeVar("T")

BODY_LIMIT = 128 * 1024
"""Bytes of one report, after inflating."""

BATCH_LIMIT = 2 * 1024 * 1024
"""Bytes of a batch, after inflating."""

BATCH_COUNT = 100
"""Reports of a batch."""

DEPTH_LIMIT = 64
DIGITS_LIMIT = 308
"""Of one number; more than that is infinite, or an error, for whoever reads the export."""

_KEY = re.compile(r'"?([!#-~]{1,200})"?')
_TOO_MANY_DIGITS = b"0" * (DIGITS_LIMIT + 1)
_ZEROS = bytes.maketrans(b"123456789", b"000000000")
_NO_MARKS = bytes(set(range(256)) - set(b'[]{}"'))
_AS_LISTS = bytes.maketrans(b"{}", b"[]")
_STEPS = bytes.maketrans(b"[]", b"\x01\xff")
_DIGEST = re.compile(r"sha-256=:([A-Za-z0-9+/=]+):")
_ZLIB_BITS = {"gzip": 31, "x-gzip": 31, "deflate": 15}


class Envelope(msgspec.Struct, frozen=True):
    """What a request says beside its body; empty where it says nothing, but for a key, of which an empty one is none.

    The fields stand in the order of `HEADERS`.
    """

    content_type: str
    content_encoding: str
    content_digest: str
    key: str | None
    content_length: str = ""
    forwarded: str = ""


HEADERS = ("content-type", "content-encoding", "content-digest", "idempotency-key", "content-length")
"""The headers that an envelope is made of, in its order; the one of proxies follows."""


class _One(msgspec.Struct, frozen=True):
    """A report in a batch; `id` is what `Idempotency-Key` is for one alone."""

    report: msgspec.Raw
    id: str | None = None


class _Batch(msgspec.Struct, frozen=True):
    """The content of a batch."""

    reports: Annotated[list[_One], msgspec.Meta(min_length=1, max_length=BATCH_COUNT)]


_BATCH = msgspec.json.Decoder(_Batch)


class Origin(msgspec.Struct, frozen=True):
    """When a request came, and the hashes of where from."""

    received_at: Millis
    hashes: tuple[Hash, ...]


def content(envelope: Envelope, body: bytes, limit: int = BODY_LIMIT) -> bytes | Refusal:
    """The content of a request: its body, said to be JSON, whole, and inflated to at most `limit` bytes."""
    refusal = _type_refused(envelope.content_type)
    if refusal is not None:
        return refusal
    if envelope.content_digest:
        match = _DIGEST.search(envelope.content_digest)
        if match is not None and _decoded(match[1]) != hashlib.sha256(body).digest():
            return Refusal(400, "digest", "The body is not the one that Content-Digest was made from.")
    encoding = envelope.content_encoding.strip().lower()
    if encoding in ("", "identity"):
        return body
    if encoding not in _ZLIB_BITS:
        return Refusal(415, "content-encoding", "The body must come as it is, or compressed by gzip or deflate.")
    return _inflated(body, _ZLIB_BITS[encoding], limit)


def submission(said_key: str | None, body: bytes, origin: Origin) -> Submission | Refusal:
    """A report that came under a key, or without one."""
    match = None if said_key is None else _KEY.fullmatch(said_key)
    if said_key is not None and match is None:
        return Refusal(400, "key", "An Idempotency-Key is 1 to 200 visible ASCII characters.")
    key = "" if match is None else match[1]
    read = _report(body)
    if isinstance(read, Refusal):
        return read
    if key and read.installation is None:
        return Refusal(422, "report", "A report with a key needs an installation.")
    start = read.start
    window = start and report.window(start)
    if window is None:
        if key:
            return Refusal(422, "report", "data-collection-start-date is no date.")
        window = start if start.isprintable() else ""  # whatever an engine says, it stays the same for one window
    return Submission(
        key=key,
        sha256=hashlib.sha256(body).hexdigest(),
        installation=read.installation or "",
        window=window,
        counts=read.counts if window and not key else {},
        body=withholding.storable(body, read.license_raw),
        received_at=origin.received_at,
        hashes=origin.hashes,
        facts=suspicion.facts(read, window),
    )


def batch(body: bytes, origin: Origin) -> list[Submission | Refusal] | Refusal:
    """The reports of a batch, each by itself; the bytes of one are those between its key `report` and what follows."""
    read = _read_as("batch", _BATCH, body)
    if isinstance(read, Refusal):
        return read
    return [
        submission(one.id, bytes(one.report), origin) if len(one.report) <= BODY_LIMIT else too_large(BODY_LIMIT)
        for one in read.reports
    ]


def _read_as(kind: str, decoder: msgspec.json.Decoder[T], body: bytes) -> T | Refusal:
    try:
        body.decode("utf-8")
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        return Refusal(422, kind, f"The body is no {kind}: {error}.")
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return Refusal(400, "json", f"The body is no JSON in UTF-8: {error}.")
    except RecursionError:
        return _TOO_DEEP


def _report(body: bytes) -> report.Report | Refusal:
    read = _read_as("report", report.DECODER, body)
    if isinstance(read, Refusal):
        return read
    if _is_too_deep(body):
        return _TOO_DEEP
    if _TOO_MANY_DIGITS in body.translate(_ZEROS) and _TOO_MANY_DIGITS in _bare(_unescaped(body)).translate(_ZEROS):
        return Refusal(422, "json-bounds", f"A number has more than {DIGITS_LIMIT} digits.")
    return read


_TOO_DEEP = Refusal(422, "json-bounds", f"Objects and lists lie in one another more than {DEPTH_LIMIT} deep.")


def _is_too_deep(body: bytes) -> bool:
    """Whether brackets of a JSON text lie too deep in one another; those in strings are none."""
    if body.count(b"{") + body.count(b"[") <= DEPTH_LIMIT:
        return False
    marks = _unescaped(body).translate(_AS_LISTS, _NO_MARKS).replace(b'""', b"")  # quotes are left around brackets only
    outer = _bare(marks).replace(b"[]", b"")  # nearly nothing, since nearly all hold no others
    return 1 + max(accumulate(array("b", outer.translate(_STEPS))), default=0) > DEPTH_LIMIT


def _unescaped(text: bytes) -> bytes:
    """A JSON text where every quote begins or ends a string."""
    return text.replace(rb"\\", b"").replace(rb"\"", b"")


def _bare(text: bytes) -> bytes:
    """Such a text without its strings."""
    return b"".join(text.split(b'"')[::2])


def _type_refused(content_type: str) -> Refusal | None:
    if content_type == "application/json":
        return None
    kind, _, parameters = content_type.partition(";")
    charset = re.search(r"charset\s*=\s*\"?([^\s;\"]+)", parameters, re.IGNORECASE)
    if kind.strip().lower() == "application/json" and (charset is None or charset[1].lower() in ("utf-8", "utf8")):
        return None
    return Refusal(415, "content-type", "The body must be said to be application/json, in UTF-8.")


def _decoded(text: str) -> bytes:
    try:
        return b64decode(text, validate=True)
    except NotBase64:
        return b""


def _inflated(body: bytes, bits: int, limit: int) -> bytes | Refusal:
    inflater = zlib.decompressobj(bits)
    try:
        inflated = inflater.decompress(body, limit + 1)
    except zlib.error:
        return Refusal(400, "compression", "The body is not compressed as Content-Encoding says.")
    if len(inflated) > limit:
        return too_large(limit)
    if not inflater.eof or inflater.unused_data:
        return Refusal(400, "compression", "The compressed body is cut, or something follows it.")
    return inflated


def too_large(limit: int) -> Refusal:
    """The refusal of a body that is larger than `limit` bytes."""
    return Refusal(413, "too-large", f"The body is larger than {limit} bytes, inflated.")
