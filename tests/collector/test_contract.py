"""The contract of `POST /pings` with a key: receipts, duplicates, conflicts, batches; on both databases."""

from __future__ import annotations

import gzip
import hashlib
import json
import time
import zlib
from base64 import b64encode
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from telemetry_collector import intake
from telemetry_collector.intake import Origin
from telemetry_collector.model import Submission
from tests.support.collecting import Collector, captured, report

START = "2026-11-23T23:00:08.920+0000"
New = Callable[[], str]


def test_the_same_key_and_bytes_again_are_a_duplicate_that_counts_once(lasting: Collector, installation: New) -> None:
    mine = installation()
    body = report(installation=mine, start=START)
    first, again = lasting.send(body, f"{mine}-1"), lasting.send(body, f"{mine}-1")
    assert (first.status, again.status) == (202, 202)
    assert again.json == {**first.json, "duplicate": True}
    assert len(lasting.of(mine)) == 1


def test_of_many_at_once_with_the_same_key_one_is_stored(lasting: Collector, installation: New) -> None:
    mine = installation()
    body = report(installation=mine, start=START)
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: lasting.send(body, f"{mine}-1"), range(64)))
    assert {answer.status for answer in answers} == {202}
    assert sum(not answer.json["duplicate"] for answer in answers) == 1
    assert len(lasting.of(mine)) == 1


def test_the_same_key_with_other_bytes_is_a_conflict(lasting: Collector, installation: New) -> None:
    mine = installation()
    first = lasting.send(report(installation=mine, count=1), f"{mine}-1").json
    other = lasting.send(report(installation=mine, count=2), f"{mine}-1")
    assert (other.status, other.headers["content-type"]) == (409, "application/problem+json")
    assert other.json["reason"] == "conflict"
    assert other.json["held"] == {key: first[key] for key in ("id", "sha256", "received-at")} | {"window": None}
    assert len(lasting.of(mine)) == 1


def test_the_same_installation_and_window_with_other_bytes_is_a_conflict_that_names_the_window(
    lasting: Collector, installation: New
) -> None:
    mine = installation()
    first = lasting.send(report(installation=mine, start=START, count=1), f"{mine}-1").json
    for start in (START, "2026-11-24T00:00:08.920+01:00"):
        other = lasting.send(report(installation=mine, start=start, count=2), f"{mine}-2")
        assert other.status == 409
        assert other.json["held"]["id"] == first["id"]
        assert other.json["held"]["window"] == "2026-11-23T23:00:08.920Z"
    assert lasting.send(report(installation=mine, start="2026-11-24T23:00:08.920Z"), f"{mine}-2").status == 202
    assert lasting.send(report(installation=installation(), start=START), f"{mine}-3").status == 202


def test_the_same_window_and_bytes_under_another_key_are_a_duplicate(lasting: Collector, installation: New) -> None:
    mine = installation()
    body = report(installation=mine, start=START)
    first, other = lasting.send(body, f"{mine}-1"), lasting.send(body, f"{mine}-2")
    assert (other.status, other.json["id"], other.json["duplicate"]) == (202, first.json["id"], True)


def test_unknown_fields_are_kept_as_they_came(lasting: Collector, installation: New) -> None:
    mine = installation()
    tree = json.loads(report(installation=mine))
    tree["new"] = {"deep": [1, 2.5, None, "ä=<\u2028", 12345678901234567890123]}
    tree["product"]["internals"]["operaton-integration"] = ["spring-boot-starter"]
    assert lasting.send(json.dumps(tree).encode(), f"{mine}-1").status == 202
    assert lasting.of(mine)[0]["report"] == tree


def _with(installation: str, **internals: object) -> bytes:
    tree = json.loads(report(installation=installation))
    tree["product"]["internals"] |= {name.replace("_", "-"): value for name, value in internals.items()}
    return json.dumps(tree).encode()


BAD: list[tuple[str, bytes, int, str]] = [
    ("no JSON", b"{", 400, "json"),
    ("nothing", b"", 400, "json"),
    ("something after it", report() + b"x", 400, "json"),
    ("no UTF-8", b'{"installation":"\xff"}', 400, "json"),
    ("NaN", report().replace(b'"count":1', b'"count":NaN'), 400, "json"),
    ("no object", b"[]", 422, "report"),
    ("no product", b'{"installation":"x"}', 422, "report"),
    ("no installation", report(installation=None), 422, "report"),
    ("an installation of control characters", report(installation="a\x00b"), 422, "report"),
    ("an installation with a line after it", report(installation="a\n"), 422, "report"),
    ("an installation without end", report(installation="a" * 256), 422, "report"),
    ("a count below 0", _with("x", metrics={"a": {"count": -1}}), 422, "report"),
    ("a count beyond 64 bits", _with("x", metrics={"a": {"count": 2**63}}), 422, "report"),
    ("a count that is no whole number", _with("x", metrics={"a": {"count": 1.5}}), 422, "report"),
    ("a count that is none", _with("x", commands={"a": 1}), 422, "report"),
    ("too many commands", _with("x", commands={str(n): {"count": 1} for n in range(2001)}), 422, "report"),
    ("a start that is no date", report(start="yesterday"), 422, "report"),
    ("a day that there is not", report(start="2026-02-30T00:00:00.000+0000"), 422, "report"),
    ("depth", _with("x", new=json.loads("[" * 70 + "]" * 70)), 422, "json-bounds"),
    (
        "depth of lists and objects in turn",
        _with("x", new=json.loads('[{"a":' * 35 + "1" + "}]" * 35)),
        422,
        "json-bounds",
    ),
    ("depth that texts hide", _with("x", new=json.loads('["]",' * 70 + "1" + ',"["]' * 70)), 422, "json-bounds"),
    ("depth without end", report()[:-1] + b',"new":' + b"[" * 100_000, 422, "json-bounds"),
    ("digits without end", report()[:-1] + b',"new":' + b"9" * 5000 + b"}", 422, "json-bounds"),
    ("size", _with("x", new="x" * 128 * 1024), 413, "too-large"),
]


@pytest.mark.parametrize(("body", "status", "reason"), [row[1:] for row in BAD], ids=[row[0] for row in BAD])
def test_what_is_no_report_is_refused_with_a_reason(
    body: bytes, status: int, reason: str, lasting: Collector, installation: New
) -> None:
    key = installation()
    answer = lasting.send(body, key)
    assert (answer.status, answer.json["reason"], answer.json["status"]) == (status, reason, status)
    assert answer.json["detail"].endswith(".")
    assert answer.headers["content-type"] == "application/problem+json"
    good = lasting.send(report(installation=key), key)
    assert (good.status, good.json["duplicate"]) == (202, False), "the key is free still"


def test_brackets_and_digits_in_texts_are_no_bombs(lasting: Collector, installation: New) -> None:
    mine = installation()
    texts = ["[" * 100, "", '{\\"' * 30, "9" * 200, "]", "\\", '"[\\', "["]
    assert lasting.send(_with(mine, webapps=texts * 10, x="9" * 500), mine).status == 202


def test_brackets_may_lie_64_deep_and_not_deeper(lasting: Collector, installation: New) -> None:
    mine = installation()
    for depth, status in ((60, 202), (61, 422)):  # with what is in them, and the three objects that they are in
        new = json.loads("[" * depth + "[]," * 100 + "{}" + "]" * depth)
        assert lasting.send(_with(mine, new=new), f"{mine}-{depth}").status == status


@pytest.mark.parametrize(
    "piece",
    [
        pytest.param('"' + "[" * 20_400 + '"', id="in a text"),
        pytest.param(",".join(["[" * 60 + "]" * 60] * 169), id="deep"),
        pytest.param(",".join(['"["'] * 5000), id="in many texts"),
        pytest.param('"' + "9" * 400 + '",' + ",".join(['""'] * 6600), id="digits before many texts"),
        pytest.param('"' + "A" * 100 + '",' + ",".join(['""'] * 6600), id="many texts beside a signature"),
    ],
)
def test_no_batch_takes_much_longer_to_read_than_an_ordinary_one_of_its_size(piece: str) -> None:
    def seconds_a_byte(new: str) -> float:
        raw = {"license-key": {"raw": "A" * 100}} if "A" in new else {}
        body = _with("x", **raw)[:-1] + b',"new":' + new.encode() + b"}"
        batch = b'{"reports":[%s]}' % b",".join([b'{"report":%s}' % body] * 90)
        begun = time.process_time()
        read = intake.batch(batch, Origin(0, ()))
        took = time.process_time() - begun
        assert isinstance(read, list), read
        assert all(isinstance(one, Submission) for one in read), read[0]
        return took / len(batch)

    ordinary = "{" + ",".join(f'"command-{number}":{{"count":1}}' for number in range(700)) + "}"
    at_best = min(seconds_a_byte(ordinary) for _ in range(3))
    assert min(seconds_a_byte(f"[{piece}]") for _ in range(3)) < 12 * at_best


@pytest.mark.parametrize(
    ("headers", "status", "reason"),
    [
        ({"Content_Type": "text/plain"}, 415, "content-type"),
        ({"Content_Type": ""}, 415, "content-type"),
        ({"Content_Type": "application/json; charset=latin-1"}, 415, "content-type"),
        ({"Content_Encoding": "br"}, 415, "content-encoding"),
        ({"Content_Encoding": "gzip, gzip"}, 415, "content-encoding"),
        ({"Content_Encoding": "gzip"}, 400, "compression"),
        ({"Content_Digest": f"sha-256=:{b64encode(bytes(32)).decode()}:"}, 400, "digest"),
        ({"Idempotency_Key": "a b"}, 400, "key"),
        ({"Idempotency_Key": ""}, 400, "key"),
        ({"Idempotency_Key": "a" * 201}, 400, "key"),
    ],
)
def test_headers_that_do_not_fit_are_refused(
    headers: dict[str, str], status: int, reason: str, lasting: Collector
) -> None:
    answer = lasting.send(report(), **headers)
    assert (answer.status, answer.json["reason"]) == (status, reason)


def test_headers_that_say_the_same_in_other_words_are_taken(lasting: Collector, installation: New) -> None:
    mine = installation()
    body = report(installation=mine)
    digest = f"sha-256=:{b64encode(hashlib.sha256(body).digest()).decode()}:"
    kind = "Application/JSON; charset=UTF-8"
    answer = lasting.send(body, f'"{mine}"', Content_Type=kind, Content_Digest=digest, Content_Encoding="identity")
    assert (answer.status, answer.json["id"]) == (202, mine)


def test_a_compressed_report_is_the_same_report(lasting: Collector, installation: New) -> None:
    mine = installation()
    body = report(installation=mine)
    plain = lasting.send(body, mine)
    for encoding, content in (("gzip", gzip.compress(body)), ("deflate", zlib.compress(body))):
        answer = lasting.send(content, mine, Content_Encoding=encoding)
        assert answer.json == {**plain.json, "duplicate": True}


def test_a_bomb_is_inflated_no_further_than_to_the_limit(lasting: Collector) -> None:
    bomb = gzip.compress(b" " * 100_000_000)
    assert len(bomb) < 128 * 1024
    answer = lasting.send(bomb, "bomb", Content_Encoding="gzip")
    assert (answer.status, answer.json["reason"]) == (413, "too-large")
    cut = lasting.send(gzip.compress(report())[:-9], "cut", Content_Encoding="gzip")
    assert (cut.status, cut.json["reason"]) == (400, "compression")
    twice = lasting.send(gzip.compress(report()) * 2, "twice", Content_Encoding="gzip")
    assert (twice.status, twice.json["reason"]) == (400, "compression")


def test_the_limit_is_128_kib_after_inflating_and_not_a_byte_less(lasting: Collector, installation: New) -> None:
    mine = installation()
    room = 128 * 1024 - len(_with(mine, new=""))
    assert lasting.send(_with(mine, new="x" * room), mine).status == 202
    assert lasting.send(_with(mine, new="x" * (room + 1)), f"{mine}-2").status == 413


def test_a_batch_is_judged_report_by_report(lasting: Collector, installation: New) -> None:
    first, second = installation(), installation()
    before = lasting.send(report(installation=first, start=START), f"{first}-1").json
    answer = lasting.send_batch(
        (f"{first}-1", report(installation=first, start=START)),
        (f"{first}-2", report(installation=first, start=START, count=2)),
        (f"{second}-1", report(installation=second, start=START)),
        (f"{second}-1", report(installation=second, start=START)),
        ("bad", b"{}"),
        (None, report(installation=second)),
    )
    assert answer.status == 207
    receipts = answer.json["receipts"]
    assert [one["status"] for one in receipts] == [202, 409, 202, 202, 422, 202]
    assert [one.get("duplicate") for one in receipts] == [True, None, False, True, None, False]
    assert receipts[0]["id"] == receipts[1]["held"]["id"] == before["id"]
    body = report(installation=second, start=START)
    assert receipts[2]["sha256"] == hashlib.sha256(body).hexdigest(), "the bytes in the batch are the report's"
    assert len(lasting.of(second)) == 2
    again = lasting.send(body, f"{second}-1")
    assert (again.status, again.json["duplicate"]) == (202, True), "alone or in a batch, it is the same report"


def test_a_batch_that_is_stored_whole_is_answered_202(lasting: Collector, installation: New) -> None:
    ids = [installation() for _ in range(100)]
    answer = lasting.send_batch(*((one, report(installation=one)) for one in ids))
    assert answer.status == 202
    assert [one["id"] for one in answer.json["receipts"]] == ids
    too_many = lasting.send_batch(*((one, report(installation=one)) for one in [*ids, "more"]))
    assert (too_many.status, too_many.json["reason"]) == (422, "batch")
    for content, status in ((b"{}", 422), (b'{"reports":[]}', 422), (b"[]", 422), (b"", 400), (b'{"reports"', 400)):
        answer = lasting.ask("POST", "/pings/batch", body=content, Content_Type="application/json")
        assert answer.status == status
    large = lasting.send_batch((None, _with("x", new="x" * 128 * 1024)))
    assert (large.status, large.json["receipts"][0]["status"]) == (207, 413)


def test_other_paths_and_methods_are_none(lasting: Collector) -> None:
    assert lasting.ask("GET", "/pings").status == 405
    assert lasting.ask("GET", "/").status == 404
    assert lasting.ask("GET", "/").json["reason"] == "request"


def test_what_engines_send_is_taken_with_a_key_too(lasting: Collector, installation: New) -> None:
    assert lasting.send(captured("7.17.0", 2), installation()).status == 202
