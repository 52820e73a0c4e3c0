"""Requests as an attacker writes them: methods, paths, hosts, lengths, sizes, and headers that come back."""

from __future__ import annotations

import re
import socket
from itertools import product

import httpx
import pytest

from tests.support.page import Visitor
from tests.support.program import Program
from tests.support.web_server import CONFIGURATION, WebServer

SIGN_IN = b"GET /sign-in HTTP/1.1\r\nHost: x\r\n"
PAGES = ("/sign-in", "/", "/engine/orders", "/nothing")


def raw(server: WebServer, request: bytes) -> bytes:
    """All that is answered to bytes, until the server closes or has no more to say."""
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.settimeout(7)
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        found = b""
        while more := connection.recv(65536):
            found += more
        return found


def test_every_answer_of_the_page_forbids_frames_scripts_other_hosts_and_caches(ada: Visitor) -> None:
    paths = (*PAGES, "/engine/orders/preview", "/engine/orders/preview/body", "/engine/orders/history/x")
    answers = [ada.get(path) for path in paths]
    answers += [ada.client.put("/"), ada.client.post("/sign-out", data={}), ada.client.post("/sign-in", content=b"x")]
    for answer in answers:
        policy = dict(part.strip().split(" ", 1) for part in answer.headers["content-security-policy"].split(";"))
        assert policy == {
            "default-src": "'none'", "style-src": "'self'", "img-src": "'self'",
            "form-action": "'self'", "frame-ancestors": "'none'", "base-uri": "'none'",
        }  # fmt: skip
        assert answer.headers["x-frame-options"] == "DENY"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "same-origin"
        assert answer.headers["cross-origin-opener-policy"] == "same-origin"
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"
        assert answer.headers["cache-control"] == "no-store"
        assert "server" not in answer.headers
        assert "access-control-allow-origin" not in answer.headers


def test_pages_have_neither_scripts_nor_styles_of_their_own_nor_addresses_of_other_hosts(ada: Visitor) -> None:
    for path in ("/sign-in", "/", *(f"/engine/orders{part}" for part in ("", "/preview", "/enable", "/sources"))):
        page = ada.page(path)
        assert not re.search(r"<script|<style|\sstyle=|\son\w+=|javascript:", page)
        assert not re.findall(r'(?:href|src|action)="(?!/|#|\?)', page), "addresses begin on this host"
        assert not re.findall(r'(?:href|src|action)="//', page)


@pytest.mark.parametrize(
    "path", ["/sign-in/", "//evil.example/", "/engine/orders/", "//evil.example/%2e%2e", "/\\evil"]
)
def test_nobody_is_sent_to_another_host(path: str, server: WebServer) -> None:
    answer = server.as_nobody().ask("GET", path, Host="evil.example")
    assert "evil" not in answer.headers.get("location", "")
    assert answer.status == 404


def test_who_signs_in_comes_to_no_address_that_the_request_names(server: WebServer) -> None:
    with Visitor(server) as visitor:
        where = {"next": "https://evil.example", "return": "//evil.example", "engine": "orders"}
        form = {"user": "ada", "password": "ada-pw", **where}
        answer = visitor.client.post("/sign-in?next=https://evil.example", data=form, headers={"Host": "evil.example"})
        assert (answer.status_code, answer.headers["location"]) == (303, "/engine/orders")


@pytest.mark.parametrize("host", ["[", "evil.example", "x:y:z", "", '"><script>', "http://evil.example/"])
def test_what_host_a_request_names_changes_no_page(host: str, server: WebServer, ada: Visitor) -> None:
    with Visitor(server) as nobody:
        for client, path in product((ada.client, nobody.client), PAGES):
            answer = client.get(path, headers={"Host": host})
            assert answer.status_code in (200, 303, 404)
            assert "evil" not in str(answer.headers) + answer.text
            assert "<script" not in answer.text


@pytest.mark.parametrize("method", ["HEAD", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "MADEUP"])
def test_other_methods_change_nothing_and_echo_nothing(method: str, ada: Visitor, ready: Program) -> None:
    for path in ("/sign-in", "/sign-out", "/engine/orders/disable", "/engine/orders/license/remove"):
        answer = ada.client.request(method, path, headers={"X-Secret": "canary"}, params={"form-token": "x"})
        assert "canary" not in answer.text
        if method == "HEAD":
            assert answer.content == b""
        else:
            assert answer.status_code == 405
            assert {"GET", "POST"} & set(answer.headers["allow"].split(", ")), "it says what there is (RFC 9110)"
    assert ready("consent", "--json").data["decisions"] == []
    assert ada.get("/engine/orders").status_code == 200, "still signed in"


@pytest.mark.parametrize(
    "lengths",
    [
        b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n",
        b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n",
        b"Content-Length: 4\r\nContent-Length: 5\r\n",
        b"Content-Length: +4\r\n",
        b"Content-Length: 4, 5\r\n",
        b"Transfer-Encoding: gzip, chunked\r\n",
        b"Transfer-Encoding: xchunked\r\n",
        b"Transfer-Encoding : chunked\r\n",
        b"Host: y\r\n",
    ],
)
def test_a_request_whose_end_is_not_clear_is_refused_and_nothing_behind_it_is_read(
    lengths: bytes, server: WebServer
) -> None:
    smuggled = SIGN_IN + b"\r\n"
    answered = raw(server, b"POST /sign-in HTTP/1.1\r\nHost: x\r\n" + lengths + b"\r\n0\r\n\r\n" + smuggled)
    assert re.findall(rb"HTTP/1\.1 (\d+)", answered) in ([b"400"], [b"501"])
    assert b"connection: close" in answered.lower()


def test_bodies_are_read_up_to_a_limit_whatever_they_say_of_their_length(server: WebServer) -> None:
    kind = b"Content-Type: application/x-www-form-urlencoded\r\nSec-Fetch-Site: same-origin\r\n"
    whole = b"POST /sign-in HTTP/1.1\r\nHost: x\r\n" + kind
    said = raw(server, whole + b"Content-Length: 70000\r\n\r\n" + b"x" * 70_000)
    chunks = b"8000\r\n" + b"x" * 0x8000 + b"\r\n"
    unsaid = raw(server, whole + b"Transfer-Encoding: chunked\r\n\r\n" + chunks * 3 + b"0\r\n\r\n")
    for answered in (said, unsaid):
        assert answered.startswith(b"HTTP/1.1 413")
        assert b"x" * 100 not in answered


def test_heads_are_read_up_to_a_limit(server: WebServer) -> None:
    for part in (b"GET /" + b"x" * 100_000, SIGN_IN + b"Cookie: " + b"x" * 100_000, SIGN_IN + b"a: b\r\n" * 20_000):
        with socket.create_connection(("127.0.0.1", server.port)) as connection:
            connection.settimeout(9)
            try:
                connection.sendall(part)
                said = connection.recv(20)
                assert not said or said.startswith(b"HTTP/1.1 4")
            except ConnectionError:
                continue


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/x-www-form-urlencoded", b"&".join(b"f%d=1" % number for number in range(51))),
        ("application/x-www-form-urlencoded", b"user=%ff%fe&password=x"),
        ("application/x-www-form-urlencoded", b"user=%ed%a0%80&password=x"),
        ("application/x-www-form-urlencoded", "user=ü".encode()),
        ("multipart/form-data; boundary=x", b"--x\r\nContent-Disposition: form-data; name=user\r\n\r\nada\r\n--x--"),
        ("text/plain", b"user=ada&password=ada-pw"),
        ("application/json", b'{"user":"ada","password":"ada-pw"}'),
        ("", b"user=ada&password=ada-pw"),
    ],
)
def test_what_is_no_form_of_the_page_is_refused(kind: str, body: bytes, server: WebServer) -> None:
    answer = server.as_nobody().ask("POST", "/sign-in", body=body, kind=kind, Sec_Fetch_Site="same-origin")
    assert answer.status == 400
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    "name", ["..%2fbase.html", "%2e%2e%2ftemplates%2fbase.html", "..%5c..%5cserver.py", "style.css%00", "locale"]
)
def test_no_file_but_the_pages_own_is_served_and_none_under_a_digest_that_is_not_its_own(
    name: str, server: WebServer
) -> None:
    nobody = server.as_nobody()
    digest = re.findall(r'href="/page/(\w+)/style\.css"', nobody.get("/sign-in").body.decode())[0]
    assert nobody.get(f"/page/{digest}/style.css").headers["cache-control"].endswith("immutable")
    assert nobody.get(f"/page/{digest}/{name}").status == 404
    assert nobody.get("/page/0123456789ab/style.css").status == 404, "a cache would keep it for the next release"


def test_a_download_is_a_file_of_the_named_kind_and_nothing_else(ada: Visitor, ready: Program) -> None:
    ready("enable", "--yes")
    ready("send")
    report = ready("history", "--json").data["reports"][0]["id"]
    for path in ("/engine/orders/preview/body", f"/engine/orders/history/{report}/body"):
        answer = ada.client.get(path, params={"kind": 'x"\r\nX-Evil: 1'})
        assert answer.headers["content-type"] == "application/json"
        assert re.fullmatch(r'attachment; filename="[\w-]+\.json"', answer.headers["content-disposition"])
        assert "x-evil" not in answer.headers


@pytest.mark.parametrize(
    "path",
    ["/engine/%0d%0aSet-Cookie:%20a=b", "/sign-in?engine=%0d%0aX-Evil:1", "/engine/orders/history/%0d%0aX-Evil:1"],
)
def test_no_header_is_made_of_what_a_request_says(path: str, ada: Visitor) -> None:
    answer = ada.client.get(path, headers={"Accept-Language": "de\tX-Evil", "X-Forwarded-Proto": "x"})
    assert not {"x-evil", "set-cookie"} & set(answer.headers)
    assert answer.headers.get("content-language", "en") in ("en", "de")


@pytest.mark.parametrize(
    "headers",
    [
        {"Accept-Language": "," * 400 + "de;q=9"},
        {"Accept-Language": "\xff\xfe, *;q=0.000, -"},
        {"Origin": "http://["},
        {"Origin": "null", "Host": ""},
        {"Cookie": 'telemetry-session="\\377;;=;telemetry-session=\xe9'},
        {"User-Agent": "\xff" * 3000},
    ],
)
def test_languages_origins_and_cookies_that_make_no_sense_are_no_bug(
    headers: dict[str, str], server: WebServer
) -> None:
    with httpx.Client(base_url=f"http://127.0.0.1:{server.port}") as client:
        sent = {name.encode(): value.encode("latin-1") for name, value in headers.items()}
        assert client.get("/sign-in", headers=sent).status_code == 200
        form = {"user": "ada", "password": "ada-pw"}
        assert client.post("/sign-in", data=form, headers=sent).status_code == 403, "it is not from this page"


def test_a_form_of_another_site_cannot_use_a_password_that_the_browser_keeps_for_the_rest_api(
    server: WebServer,
) -> None:
    ada = server.as_user("ada", "ada-pw")
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""):
        assert ada.ask("POST", CONFIGURATION, body=b'{"enableTelemetry":true}', kind=kind).status == 415
    preflight = ada.ask("OPTIONS", CONFIGURATION, Origin="https://evil.example", Access_Control_Request_Method="POST")
    assert not [name for name in preflight.headers if name.startswith("access-control")]
