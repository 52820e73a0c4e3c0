"""A thousand connections at a byte per ten seconds, in the head or in the body: others are served meanwhile."""

from __future__ import annotations

import http.client
import selectors
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from uuid import uuid4

from telemetry_collector import slow
from tests.batteries.fleet import place
from tests.batteries.tally import Tally, Verdict
from tests.support.collecting import Collector, report

CONNECTIONS = 1000
DRIP_SECONDS = 10.0
GOOD = 8
SERVED_WITHIN = 5.0
"""Seconds in which a good client has its answer, over a connection of its own."""

SHARE = 0.999
_MARGIN = 5.0
_HEAD = b"POST /pings HTTP/1.1\r\nHost: collector\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n"


class Slow:
    """Connections that each say a byte in ten seconds; one that is cut off is made anew. Use it as a context manager.

    Attributes:
        longest: Seconds that one that is still in its head was not cut off.
    """

    def __init__(self, port: int) -> None:
        self.longest = 0.0
        self.cut = 0
        self._port = port
        self._over = threading.Event()
        self._selector = selectors.DefaultSelector()
        self._thread = threading.Thread(target=self._drip)
        self._said: dict[socket.socket, int] = {}
        self._born: dict[socket.socket, float] = {}
        for number in range(CONNECTIONS):
            self._connect(is_in_head=number % 2 == 0)

    def __enter__(self) -> Slow:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        for one in self._born:
            one.close()
        self._selector.close()

    def _connect(self, *, is_in_head: bool) -> None:
        one = socket.create_connection(("127.0.0.1", self._port), timeout=30)
        self._said[one] = 1 if is_in_head else len(_HEAD)
        with suppress(OSError):
            one.sendall(_HEAD[: self._said[one]])
        one.setblocking(False)  # noqa: FBT003  # the standard library's
        self._born[one] = time.monotonic()
        self._selector.register(one, selectors.EVENT_READ)

    def _drip(self) -> None:
        next_drip = time.monotonic() + DRIP_SECONDS
        while not self._over.is_set():
            for key, _ in self._selector.select(0.1):
                if isinstance(key.fileobj, socket.socket):
                    self._heard(key.fileobj)
            now = time.monotonic()
            in_head = [now - born for one, born in self._born.items() if self._said[one] < len(_HEAD)]
            self.longest = max([self.longest, *in_head])
            if now >= next_drip:
                next_drip = now + DRIP_SECONDS
                for one, said in self._said.items():
                    with suppress(OSError):
                        one.send(_HEAD[said : said + 1] or b" ")
                    self._said[one] = said + 1

    def _heard(self, one: socket.socket) -> None:
        with suppress(OSError):
            if one.recv(4096):
                return
        is_in_head = self._said.pop(one) < len(_HEAD)
        del self._born[one]
        self._selector.unregister(one)
        one.close()
        self.cut += 1
        if not self._over.is_set():
            self._connect(is_in_head=is_in_head)


def run(count: int, seed: int) -> Tally:
    """So many requests of good clients."""
    tally = Tally("collector_slow", seed)
    with place() as program, Collector(program) as collector, ThreadPoolExecutor(GOOD) as pool:
        with Slow(collector.port) as crowd:
            begun = time.monotonic()
            pause = max(0.0, (slow.HEAD_SECONDS + 2 * _MARGIN) * GOOD / count)  # at least until the slow ones are cut
            good = list(pool.map(lambda _: _served(collector.port, pause), range(count)))
            seconds = time.monotonic() - begun
        for is_good, number in ((True, good.count("")), (False, count - good.count(""))):
            if number:
                what = next((one for one in good if one), "")
                few = number <= count * (1 - SHARE)
                tally.add(f"{number} requests", Verdict(wrong="" if is_good or few else what), number)
        late = crowd.longest > slow.HEAD_SECONDS + _MARGIN
        tally.add(f"slow for {crowd.longest:.0f} s", Verdict(late=int(late)))
        tally.more = f", {CONNECTIONS} slow connections, {crowd.cut} cut off in {seconds:.0f} s"
        tally.more += f", {count - good.count('')} requests not served"
        if collector.end() != 0 or collector.errors:
            tally.add("the end", Verdict(wrong=f"{collector.errors!r}"))
    return tally


def _served(port: int, pause: float) -> str:
    """What is wrong with the answer to a good client; empty where it is good."""
    begun = time.monotonic()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=SERVED_WITHIN)
    try:
        headers = {"Content-Type": "application/json", "Idempotency-Key": str(uuid4())}
        connection.request("POST", "/pings", report(installation=str(uuid4())), headers)
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        return repr(error)
    finally:
        connection.close()
    took = time.monotonic() - begun
    time.sleep(max(0.0, pause - took))
    return "" if status == 202 and took < SERVED_WITHIN else f"{status} after {took:.1f} s"
