"""Places that take a request and never come to an end: scripts for a raw server, a full queue, a silent name server."""

from __future__ import annotations

import gzip
import itertools
import socket
from collections.abc import Iterator
from contextlib import contextmanager

from tests.support.raw_server import Peer

UNKNOWN_HOST = ".".join(["a" * 60] * 5)
"""A name that nobody knows, and of which no name server is asked: it is too long, so that the resolver refuses it."""

SLOW = 2.0
"""Seconds between bytes: no limit for a single step that is longer would end it."""

_OK = b"HTTP/1.1 202 Accepted\r\n"
_BUSY = b"HTTP/1.1 503 Busy\r\n"
_CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n"


def says_nothing(peer: Peer) -> None:
    """Accepts, and neither reads nor writes."""
    peer.hang()


def reads_and_says_nothing(peer: Peer) -> None:
    """Takes the request and is silent."""
    peer.read_request()
    peer.hang()


def drips_its_head(peer: Peer) -> None:
    """A byte of a header each 2 seconds."""
    peer.read_request()
    peer.send(_OK + b"X-Slow: ")
    peer.drip(itertools.repeat(b"x"), SLOW)


def drips_a_busy_body(peer: Peer) -> None:
    """Busy at once, and a byte of the body each 2 seconds."""
    peer.read_request()
    peer.send(_BUSY + b"Content-Length: 100000\r\n\r\n")
    peer.drip(itertools.repeat(b"x"), SLOW)


def drips_an_accepting_body(peer: Peer) -> None:
    """Accepted at once, and a byte of the body each 2 seconds."""
    peer.read_request()
    peer.send(_OK + b"Content-Length: 100000\r\n\r\n")
    peer.drip(itertools.repeat(b"x"), SLOW)


def headers_without_end(peer: Peer) -> None:
    """Header after header, as fast as it goes."""
    _pour(peer, _OK, b"X-More: " + b"x" * 8000 + b"\r\n")


def a_header_without_end(peer: Peer) -> None:
    """One line that never ends."""
    _pour(peer, _OK + b"X-More: ", b"x" * 65536)


def a_busy_body_without_end(peer: Peer) -> None:
    """Busy, with a body that never ends."""
    _pour(peer, _BUSY + b"\r\n", b"x" * 65536)


def an_accepting_body_without_end(peer: Peer) -> None:
    """Accepted, with a body that never ends."""
    _pour(peer, _OK + b"\r\n", b"x" * 65536)


def a_packed_body_without_end(peer: Peer) -> None:
    """Busy, with a body that would unpack to a thousand times its size, and never ends."""
    _pour(peer, _BUSY + b"Content-Encoding: gzip\r\n\r\n", gzip.compress(b"0" * 64_000_000))


def small_chunks_without_end(peer: Peer) -> None:
    """Busy, with a body in chunks of one byte that never end."""
    _pour(peer, _BUSY + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n" * 8000)


def interim_answers_without_end(peer: Peer) -> None:
    """`100 Continue` as fast as it goes."""
    _pour(peer, b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 2000)


def large_interim_answers_without_end(peer: Peer) -> None:
    """`103 Early Hints` with large headers as fast as it goes."""
    _pour(peer, b"", b"HTTP/1.1 103 Early Hints\r\nLink: " + b"x" * 60_000 + b"\r\n\r\n")


def trailers_without_end(peer: Peer) -> None:
    """Busy, with fields after its body that never end."""
    _pour(peer, _BUSY + _CHUNKED, b"X-More: " + b"x" * 8000 + b"\r\n")


def drips_its_trailers(peer: Peer) -> None:
    """Busy, with a byte of a field after its body each 2 seconds."""
    peer.read_request()
    peer.send(_BUSY + _CHUNKED + b"X-Slow: ")
    peer.drip(itertools.repeat(b"x"), SLOW)


def a_chunk_extension_without_end(peer: Peer) -> None:
    """Busy, with the line of a chunk's size that never ends."""
    _pour(peer, _BUSY + b"Transfer-Encoding: chunked\r\n\r\n5;", b"x" * 65536)


def drips_a_handshake(peer: Peer) -> None:
    """The beginning of a TLS record, and a byte of it each 2 seconds."""
    peer.send(b"\x16\x03\x03\x3f\xff")
    peer.drip(itertools.repeat(b"\x02"), SLOW)


def _pour(peer: Peer, head: bytes, more: bytes) -> None:
    peer.read_request()
    peer.send(head)
    while not peer.stopped.is_set():
        peer.send(more)


@contextmanager
def full_queue() -> Iterator[str]:
    """The address of a socket that listens, whose queue is full: who connects waits for ever."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        waiting: list[socket.socket] = []
        try:
            while True:
                one = socket.socket()
                waiting.append(one)
                one.settimeout(0.2)
                try:
                    one.connect(listening.getsockname())
                except TimeoutError:
                    break
            yield f"127.0.0.1:{listening.getsockname()[1]}"
        finally:
            for one in waiting:
                one.close()


NAME_SERVER = "127.0.0.99"


@contextmanager
def silent_name_server() -> Iterator[socket.socket]:
    """A name server on loopback that takes questions and never answers; it needs a port that only root may take."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taking:
        taking.bind((NAME_SERVER, 53))
        taking.settimeout(1)
        yield taking
