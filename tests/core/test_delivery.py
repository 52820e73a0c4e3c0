"""`telemetry_core.delivery`: what each outcome of an attempt makes of a report and of the counts that it carries."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from telemetry_core.delivery import classify
from telemetry_core.errors import ConfigurationError, SecretExposed, StoreDamaged
from telemetry_core.http import Answer, Exchange
from telemetry_core.model import Attempt, Outcome, Receipt, Report, ReportState
from telemetry_core.store import Place, Store
from tests.support.clock import START
from tests.support.delivering import LEDGER, REDUCED, SETTINGS, Delivery, initial, new_store, periodic
from tests.support.ports import free_port
from tests.support.raw_server import ACCEPTED, Peer, RawServer
from tests.support.receiver import Received, Receiver, Reply
from tests.support.stores import tamper

TOO_LONG_TO_BE_ASKED_FOR = ".".join(["a" * 60] * 5)  # no name server is asked


@pytest.fixture
def store(place: Place) -> Iterator[Store]:
    with new_store(place) as opened:
        yield opened


def answered(status: int | None, store: Store, report: Report | None = None) -> tuple[Delivery, Report, Receipt]:
    with Receiver(lambda _: Reply(status)) as receiver:
        delivery = Delivery(store, receiver.url)
        kept = delivery.open(replace(report or periodic(), endpoint=f"http://127.0.0.1:{receiver.port}"))
        return (delivery, *delivery(kept))


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_2xx_accepts_a_report_and_its_counts_leave(status: int, store: Store) -> None:
    delivery, report, receipt = answered(status, store)
    assert (report.state, report.accepted_at, report.maybe_arrived) == (ReportState.ACCEPTED, START, False)
    assert receipt == Receipt(Outcome.ACCEPTED, status, f"answered {status}")
    assert delivery.ledger == REDUCED
    assert store.reports.attempts(report.id) == [
        Attempt(1, START, START, Outcome.ACCEPTED, status, f"answered {status}")
    ]


def test_409_is_a_conflict_for_a_periodic_report_and_its_counts_leave(store: Store) -> None:
    delivery, report, receipt = answered(409, store)
    assert (report.state, report.accepted_at) == (ReportState.CONFLICT, None)
    assert receipt.outcome is Outcome.CONFLICT
    assert delivery.ledger == REDUCED


def test_409_accepts_an_initial_report_and_no_counts_leave(store: Store) -> None:
    delivery, report, receipt = answered(409, store, initial())
    assert (report.state, report.accepted_at) == (ReportState.ACCEPTED, START)
    assert receipt.outcome is Outcome.CONFLICT
    assert delivery.ledger == LEDGER


def test_an_accepted_initial_report_leaves_counts_and_window_as_they_are(store: Store) -> None:
    delivery, report, _ = answered(202, store, replace(initial(), window_start=1000, window_end=2000))
    assert report.state is ReportState.ACCEPTED
    assert delivery.ledger == LEDGER


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504, 507, 511, 599])
def test_a_receiver_that_cannot_now_leaves_the_report_pending_and_the_outcome_open(status: int, store: Store) -> None:
    delivery, report, receipt = answered(status, store)
    assert (report.state, report.maybe_arrived, report.failed_runs) == (ReportState.PENDING, True, 1)
    assert (receipt.outcome, receipt.status) == (Outcome.UNKNOWN, status)
    assert report.next_attempt_at == START + 60_000
    assert delivery.ledger == LEDGER


@pytest.mark.parametrize("status", [300, 301, 302, 303, 307, 308, 400, 401, 403, 404, 410, 413, 415, 422, 501, 505])
def test_a_refused_report_is_closed_and_its_counts_stay(status: int, store: Store) -> None:
    delivery, report, receipt = answered(status, store)
    assert (report.state, report.maybe_arrived) == (ReportState.REFUSED, False)
    assert (receipt.outcome, receipt.status) == (Outcome.REFUSED, status)
    assert report.next_attempt_at == START + 82_080_000  # a day less 5 %
    assert delivery.ledger == LEDGER


def test_a_connection_that_is_cut_after_the_body_leaves_the_outcome_open(store: Store) -> None:
    delivery, report, receipt = answered(None, store)
    assert (report.state, report.maybe_arrived) == (ReportState.PENDING, True)
    assert receipt == Receipt(Outcome.UNKNOWN, detail="the connection ended without an HTTP answer")
    assert delivery.ledger == LEDGER


def test_a_redirect_is_not_followed(store: Store) -> None:
    with Receiver() as elsewhere, Receiver(lambda _: Reply(307, {"Location": elsewhere.url})) as receiver:
        report, _ = Delivery(store, receiver.url)()
        assert report.state is ReportState.REFUSED
        assert elsewhere.received == []


def refuses_connections() -> str:
    return f"http://127.0.0.1:{free_port()}/"


@pytest.mark.parametrize(
    ("url", "detail"),
    [
        (f"http://{TOO_LONG_TO_BE_ASKED_FOR}/", "its name is not known"),
        ("refused", "connection refused"),
        ("tls", "it does not speak TLS: check port and scheme of the address"),
    ],
)
def test_without_a_connection_the_report_was_not_sent(url: str, detail: str, store: Store) -> None:
    with RawServer(lambda peer: peer.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as plain:
        made = {"refused": refuses_connections(), "tls": f"https://{plain.address}/"}
        delivery = Delivery(store, made.get(url, url))
        report, receipt = delivery()
    assert (report.state, report.maybe_arrived, report.failed_runs) == (ReportState.PENDING, False, 1)
    assert receipt == Receipt(Outcome.NOT_SENT, detail=detail)
    assert report.next_attempt_at == START + 60_000
    assert delivery.ledger == LEDGER
    assert store.reports.attempts(report.id) == [Attempt(1, START, START, Outcome.NOT_SENT, None, detail)]


@pytest.mark.parametrize("status", [302, 400, 404, 501, 505])
def test_refused_after_an_attempt_with_an_open_outcome_stays_pending(status: int, store: Store) -> None:
    replies = iter([Reply(None), Reply(status), Reply(202)])
    with Receiver(lambda _: next(replies)) as receiver:
        delivery = Delivery(store, receiver.url, settings=replace(SETTINGS, retries=1))
        report, receipt = delivery()
        assert (report.state, report.maybe_arrived) == (ReportState.PENDING, True)
        assert receipt.outcome is Outcome.REFUSED
        assert report.next_attempt_at == START + 500 + 82_080_000
        assert delivery.ledger == LEDGER
        report, _ = delivery.next_run()(report)
    assert report.state is ReportState.ACCEPTED
    assert delivery.ledger == REDUCED
    assert len({(request.key, request.body) for request in receiver.received}) == 1


def test_refused_after_an_attempt_whose_end_nobody_saw_stays_pending(store: Store) -> None:
    with Receiver(lambda _: Reply(400)) as receiver:
        delivery = Delivery(store, receiver.url)
        begun, _ = store.reports.begin_attempt(
            delivery.open(periodic(receiver.url)), START
        )  # and the process is killed
        report, _ = delivery(begun)
    assert (report.state, report.maybe_arrived, report.attempts) == (ReportState.PENDING, True, 2)
    assert delivery.ledger == LEDGER


def test_an_attempt_that_sent_nothing_does_not_keep_a_refused_report_pending(store: Store) -> None:
    report, _ = Delivery(store, refuses_connections())()
    with Receiver(lambda _: Reply(400)) as receiver:
        moved = replace(report, endpoint=f"http://127.0.0.1:{receiver.port}")
        report, _ = Delivery(store, receiver.url)(moved)
    assert report.state is ReportState.REFUSED


def test_the_store_knows_of_an_attempt_before_its_first_byte(store: Store) -> None:
    seen: list[list[Attempt]] = []

    def look(request: Received) -> Reply:
        with Store.for_reading(store.place, START) as other:
            seen.append(other.reports.attempts(request.key))
        return Reply(202)

    with Receiver(look) as receiver:
        Delivery(store, receiver.url)()
    assert seen == [[Attempt(1, START)]]


def test_acceptance_and_the_counts_that_leave_are_one_transaction(store: Store) -> None:
    def damage(_: Received) -> Reply:
        tamper(store, "UPDATE base SET digest = 'x'")
        return Reply(202)

    with Receiver(damage) as receiver:
        delivery = Delivery(store, receiver.url)
        with pytest.raises(StoreDamaged):
            delivery()
    kept = store.reports.get(periodic().id)
    assert kept is not None
    assert kept.state is ReportState.PENDING
    assert store.reports.attempts(kept.id) == [Attempt(1, START)]


def test_a_report_that_arrives_after_telemetry_was_disabled_is_accepted_and_no_counts_appear(store: Store) -> None:
    with Receiver() as receiver:
        delivery = Delivery(store, receiver.url)
        store.ledgers.remove(LEDGER.installation)
        report, _ = delivery()
    assert report.state is ReportState.ACCEPTED
    assert delivery.ledger is None


def test_a_report_of_before_does_not_touch_the_counts_of_a_ledger_begun_anew(store: Store) -> None:
    anew = replace(LEDGER, window_start=1500)
    with Receiver() as receiver:
        delivery = Delivery(store, receiver.url)
        store.ledgers.put(anew)
        report, _ = delivery()
    assert report.state is ReportState.ACCEPTED
    assert delivery.ledger == anew


def test_no_count_becomes_negative(store: Store) -> None:
    with Receiver() as receiver:
        delivery = Delivery(store, receiver.url)
        more = replace(periodic().carried, metrics={"root-process-instance-start": 100}, commands=None)
        delivery(delivery.open(replace(periodic(receiver.url), carried=more)))
    assert delivery.ledger is not None
    assert delivery.ledger.accumulated.metrics == {"activity-instance-start": 9}
    assert delivery.ledger.accumulated.commands == {"StartProcessInstanceCmd": 5, "DeployCmd": 1}


def test_the_answer_is_read_up_to_64_kib_and_its_beginning_is_kept(store: Store) -> None:
    with Receiver(lambda _: Reply(202, body=b"x" * 1_000_000)) as receiver:
        _, receipt = Delivery(store, receiver.url)()
    assert (receipt.outcome, receipt.answer) == (Outcome.ACCEPTED, "x" * 65_536)
    assert [attempt.answer for attempt in store.reports.attempts(periodic().id)] == ["x" * 4096]


def test_an_answer_that_is_no_text_is_made_one() -> None:
    receipt = classify(Exchange(Answer(202, {}, b"ok \xff", complete=True), body_begun=True), START)
    assert receipt.answer == "ok \N{REPLACEMENT CHARACTER}"


def test_the_token_leaves_only_where_a_token_file_is_set(store: Store, tmp_path: Path) -> None:
    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send(ACCEPTED)

    token = tmp_path / "token"
    token.write_text("t0ken\nand a note\n", encoding="utf-8")
    token.chmod(0o600)
    with RawServer(script) as server:
        url = f"http://{server.address}/"
        Delivery(store, url)(Delivery(store, url).open(initial(url)))
        Delivery(store, url, settings=replace(SETTINGS, token_file=token))()
        without, with_token = (bytes(peer.received).split(b"\r\n") for peer in server.peers)
    assert not [line for line in without if line.lower().startswith(b"authorization")]
    assert [line for line in with_token if b"t0ken" in line] == [b"Authorization: Bearer t0ken"]


def test_a_token_that_others_can_read_ends_it_before_any_attempt(store: Store, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("t0ken\n", encoding="utf-8")
    token.chmod(0o640)
    with Receiver() as receiver:
        delivery = Delivery(store, receiver.url, settings=replace(SETTINGS, token_file=token))
        with pytest.raises(SecretExposed):
            delivery()
        assert receiver.received == []
    assert store.reports.attempts(periodic().id) == []


def test_a_certificate_file_that_cannot_be_used_is_no_attempt(store: Store, tmp_path: Path) -> None:
    settings = replace(SETTINGS, ca_file=tmp_path / "absent.pem")
    delivery = Delivery(store, "https://127.0.0.1:1/", settings=settings)
    with pytest.raises(ConfigurationError):
        delivery()
    assert store.reports.attempts(periodic().id) == []
