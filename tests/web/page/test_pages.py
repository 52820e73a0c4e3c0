"""What the pages show: the same bytes, digests and sources as the command line, and nothing of another engine."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from tests.support.guarded_engine import GuardedEngine
from tests.support.page import Visitor, pairs, words
from tests.support.program import Program
from tests.support.receiver import Receiver, Reply
from tests.support.web_server import WebServer

LICENSE = "MEUCIQDlicencesignature{n};customer=ACME & Söhne;expiryDate={end};camundaBPM=true;optimize=false"
RAW = "customer=ACME & Söhne;expiryDate={end};camundaBPM=true;optimize=false"


def test_the_preview_is_the_one_of_the_command_line_byte_for_byte(ada: Visitor, ready: Program) -> None:
    ready("enable", "--yes")
    assert ready("preview", "--keep").status == 0
    (report,) = ready("preview", "--json").data["reports"]
    page = ada.page("/engine/orders/preview")
    shown = words(page)
    for expected in (report["sha256"], f"{report['size']} bytes", report["id"], report["request"]["url"]):
        assert expected in shown
    for name, value in report["request"]["headers"].items():
        assert f"{name}: {value}" in shown
    download = ada.get("/engine/orders/preview/body")
    assert download.content == ready("preview", "--raw").stdout == report["body"].encode()
    assert download.headers["content-disposition"] == 'attachment; filename="orders-periodic-preview.json"'
    sources = dict(pairs(page.partition("Where each value comes from")[2]))
    for field, source in report["sources"].items():
        assert field in sources[source]
    initial = ada.get("/engine/orders/preview/body?kind=initial").content
    assert initial == ready("preview", "--initial", "--raw").stdout


def test_what_changed_since_the_last_report_is_marked_where_it_never_left(
    ada: Visitor, ready: Program, guarded: GuardedEngine
) -> None:
    ready("enable", "--yes", "--without", "license")
    guarded.start_process(3)
    assert ready("send").status == 0
    before = words(ada.page("/engine/orders/preview")).partition("Changed since")[2].partition("Where each")[0]
    assert "product.internals.metrics.process-instances.count 3 0 yes" in before
    assert "never left before" not in before


def test_the_history_has_bytes_attempts_and_receipts(
    ada: Visitor, ready: Program, receiver: Receiver, guarded: GuardedEngine
) -> None:
    assert "No report was ever prepared." in words(ada.page("/engine/orders/history"))
    ready("enable", "--yes")
    answers = iter([Reply(503, body=b"later"), Reply(202, body=b'{"receipt":"<b>r-1</b>"}')])
    receiver.answer = lambda _: next(answers, Reply())
    guarded.start_process(2)
    assert ready("send", variables={"TELEMETRY_REPORTER__RETRIES": "2"}).status == 0
    reports = ready("history", "--json").data["reports"]
    listed = ada.page("/engine/orders/history")
    for report in reports:
        assert report["id"] in listed
        one = ada.page(f"/engine/orders/history/{report['id']}")
        assert report["sha256"] in one
        assert ada.get(f"/engine/orders/history/{report['id']}/body").content == (
            ready("history", report["id"], "--raw").stdout
        )
    first = ada.page(f"/engine/orders/history/{reports[-1]['id']}")
    attempts = words(first.partition("Attempts and receipts")[2].partition("Body of the report")[0])
    assert "503" in attempts
    assert '{"receipt":"<b>r-1</b>"}' in attempts, "what the receiver said is text"
    assert "<b>r-1" not in first


def test_reports_of_another_engine_are_not_found(ada: Visitor, ready: Program, guarded: GuardedEngine) -> None:
    ready("enable", "--yes")
    ready("send")
    known = ready("history", "--json").data["reports"][0]["id"]
    ready.configure(ready.config.read_text().replace("[engines.orders]", "[engines.other]"))
    guarded.installation = "33333333-3333-3333-3333-333333333333"
    ada.sign_in("ada", "ada-pw")
    for path in (f"/engine/other/history/{known}", f"/engine/other/history/{known}/body", "/engine/other/history/x",
                 "/engine/other/history/%00"):  # fmt: skip
        answer = ada.get(path)
        assert answer.status_code == 400
        assert "No report of this engine has this id." in words(answer.text)
    assert known not in ada.page("/engine/other/history")


def test_a_licence_is_set_structured_and_raw_without_its_signature_and_removed(
    ada: Visitor, ready: Program, receiver: Receiver
) -> None:
    ready("enable", "--yes")
    end = f"{datetime.now(UTC) + timedelta(days=30):%Y-%m-%d}"
    answer = ada.post("/engine/orders/license/set", {"key": LICENSE.format(n=1, end=end)})
    assert (answer.status_code, answer.headers["location"]) == (303, "/engine/orders/license")
    page = words(ada.page("/engine/orders/license"))
    assert f"The licence ends on {end}, in 30 days." in page
    assert f"The licence ends on {end}" in words(ada.page("/engine/orders"))
    assert "ACME & Söhne" in page
    assert "signature1" not in page
    ready("send")
    carried = json.loads(receiver.received[-1].body)["product"]["internals"]["license-key"]
    assert carried == {
        "customer": "ACME & Söhne",
        "type": "UNIFIED",
        "valid-until": end,
        "unlimited": False,
        "features": {"camundaBPM": "true"},
        "raw": RAW.format(end=end),
    }
    assert ready("license", "show", "--json").data["engines"][0]["set-by"] == "ada"
    ada.post("/engine/orders/license/remove", {})
    assert "none was set here" in words(ada.page("/engine/orders/license"))
    ada.post("/engine/orders/license/remove", {})
    assert "No licence was set here." in words(ada.page("/engine/orders/license"))


def test_a_licence_is_for_the_installation_that_the_engine_shows_now_and_the_next_report_carries_it(
    ada: Visitor, ready: Program, guarded: GuardedEngine, receiver: Receiver
) -> None:
    ready("enable", "--yes")
    assert ready("send").status == 0
    guarded.installation = "33333333-3333-3333-3333-333333333333"  # its database was made anew
    ada.post("/engine/orders/license/set", {"key": LICENSE.format(n=3, end="2999-12-31")})
    assert "The licence is kept. The next periodic report carries it" in words(ada.page("/engine/orders/license"))
    assert ready("send", "--force").status == 0
    report = json.loads(receiver.received[-1].body)
    assert report["installation"] == guarded.installation
    assert report["product"]["internals"]["license-key"]["raw"] == RAW.format(end="2999-12-31")
    assert "ACME" in words(ada.page("/engine/orders/license"))
    history = ada.page("/engine/orders/history")
    known = {one["id"]: one["installation"] for one in ready("history", "--json").data["reports"]}
    for report_id, installation in known.items():
        assert (report_id in history) is (installation == guarded.installation)
    assert "Reports of the engine's earlier installations, such as on another database, are in" in words(history)


def test_a_licence_of_an_engine_that_does_not_answer_is_kept_for_the_installation_known_so_far_and_that_is_said(
    ada: Visitor, ready: Program, guarded: GuardedEngine
) -> None:
    ready("enable", "--yes")
    guarded.override["/telemetry/data"] = guarded.override["/version"] = (503, "text/plain", b"")
    answer = ada.post("/engine/orders/license/set", {"key": LICENSE.format(n=4, end="2999-12-31")})
    assert answer.status_code == 303
    page = words(ada.page("/engine/orders/license"))
    assert "The engine does not answer, so the licence is kept for the installation known so far." in page
    assert "The next periodic report carries it" not in page
    assert ready("license", "show", "--json").data["engines"][0]["installation"] == guarded.installation


def test_a_licence_of_several_lines_is_the_same_from_a_form_as_from_a_file(ada: Visitor, ready: Program) -> None:
    key = "MEUCIQDlicence;\nsignature5;customer=ACME;\nexpiryDate=2999-12-31;\n\ncamundaBPM=true\n"
    file = ready.directory / "licence"
    file.write_bytes(key.encode())
    assert ready("license", "set", "--file", str(file)).status == 0
    of_file = ready("license", "show", "--json").data["engines"][0]
    browsers = key.replace("\n", "\r\n")  # so they send what stands in a text area (HTML, form submission)
    assert ada.post("/engine/orders/license/set", {"key": browsers}).status_code == 303
    of_form = ready("license", "show", "--json").data["engines"][0]
    assert "\n" in of_file["raw"]
    for name in ("raw", "customer", "valid-until", "features"):
        assert of_form[name] == of_file[name]


@pytest.mark.parametrize(
    "key", ["", "A" * 200, "-----BEGIN LICENSE KEY-----\nQUJD\n-----END LICENSE KEY-----", "{no: json"]
)
def test_a_text_that_may_be_all_signature_is_refused_and_not_shown_again(key: str, ada: Visitor) -> None:
    answer = ada.post("/engine/orders/license/set", {"key": key})
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    assert not key or key not in answer.text
    assert "none was set here" in words(ada.page("/engine/orders/license"))


def test_who_may_only_look_sees_the_licence_and_has_no_form_for_it(server: WebServer, ready: Program) -> None:
    ready("license", "set", "-", stdin=LICENSE.format(n=2, end="2999-12-31").encode())
    with Visitor(server) as rita:
        rita.sign_in("rita", "rita-pw")
        page = rita.page("/engine/orders/license")
        assert "2999-12-31" in page
        assert "textarea" not in page
        for path in ("set", "remove"):
            assert rita.post(f"/engine/orders/license/{path}", {"key": "a;b;2030-01-01"}).status_code == 403
    assert ready("license", "show", "--json").data["engines"][0]["set"] is True


def test_the_consent_history_has_the_words_and_numbers_of_the_command(ada: Visitor, ready: Program) -> None:
    assert "Nothing was decided yet." in words(ada.page("/engine/orders/consent"))
    ready("enable", "--yes", "--reason", "audit")
    ready("disable")
    page = words(ada.page("/engine/orders/consent"))
    for line in ready("consent").text.splitlines():
        name, _, value = line.strip().partition("  ")
        assert value.strip().removeprefix("orders: ") in page, name
    assert page.index("2 · disabled") < page.index("1 · enabled"), "newest first"


def test_sources_and_health_are_those_of_the_commands(ada: Visitor, ready: Program) -> None:
    page = words(ada.page("/engine/orders/sources"))
    for value in ready("environment", "--json").data["engines"][0]["missing"].values():
        assert f"missing: {value}" in page
    assert "OK no report is expected" in page
    ready("enable", "--yes")
    assert "OK no report yet" in words(ada.page("/engine/orders/sources"))


def test_usage_is_drawn_from_what_was_accepted(ada: Visitor, ready: Program, guarded: GuardedEngine) -> None:
    assert "No report with metrics was accepted yet." in words(ada.page("/engine/orders/usage"))
    ready("enable", "--yes")
    for times in (4, 2):
        guarded.start_process(times)
        assert ready("send", "--force").status == 0
    page = ada.page("/engine/orders/usage")
    plot = page.partition(">process-instances</h2>")[2].partition("</section>")[0]
    assert "6 in all, at most 4 in one; reports: 2" in plot
    heights = [float(part.partition('"')[0]) for part in plot.split('height="')[1:]]
    assert heights == [160.0, 80.0]
    assert "StartProcessInstanceCmd 6" in words(page.partition("Commands that were")[2])


def test_usage_goes_on_over_an_upgrade_after_which_metrics_have_other_names(
    ada: Visitor, ready: Program, guarded: GuardedEngine
) -> None:
    product = guarded.data["product"]
    ready("enable", "--yes")
    for version, times in (("7.16.0", 4), ("7.24.0", 2)):
        product["version"] = version
        guarded.start_process(times)
        assert ready("send", "--force").status == 0
    page = words(ada.page("/engine/orders/usage"))
    assert "process-instances 6 in all, at most 4 in one; reports: 2" in page
    assert "flow-node-instances 12 in all, at most 8 in one; reports: 2" in page
    assert "root-process-instance-start" not in page, "it is the same metric"


def test_a_configuration_that_is_wrong_is_said_to_nobody(ada: Visitor, ready: Program) -> None:
    text = ready.config.read_text()
    ready.configure(text + "nonsense = 1\n")
    for path in ("/", "/sign-in", "/engine/orders"):
        answer = ada.get(path)
        assert answer.status_code == 500
        assert "The server is not configured right" in words(answer.text)
        assert "nonsense" not in answer.text
    ready.configure(text)
    assert ada.get("/engine/orders").status_code == 200


def test_pages_that_are_none_are_said_to_be_none(ada: Visitor) -> None:
    for path in ("/nothing", "/engine/orders/nothing", "/page/x/../base.html", "/page/x/base.html"):
        answer = ada.get(path)
        assert (answer.status_code, "There is no such page." in answer.text) == (404, True)
    assert ada.client.put("/sign-in").status_code == 405
