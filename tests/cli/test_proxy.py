"""Proxies and authorities of the surroundings, by the program as the shell calls it."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest
import trustme

from tests.support.certificates import Certificates
from tests.support.ports import free_port
from tests.support.program import Program
from tests.support.proxy import HttpProxy
from tests.support.receiver import Receiver
from tests.support.simulated_engine import SimulatedEngine

USER = "reporter:proXy"


@pytest.fixture
def certificates(tmp_path: Path) -> Certificates:
    made = Certificates(trustme.CA(), tmp_path)
    made.authority.cert_pem.write_to_path(str(made.ca_file))
    return made


@pytest.fixture
def tls(certificates: Certificates) -> ssl.SSLContext:
    return certificates.server()


def configure(program: Program, receiver: Receiver, simulated: SimulatedEngine) -> None:
    program.configure(f'endpoint = "{receiver.url}"\n[engines.orders]\nrest = "{simulated.rest}"\n')


def test_what_is_previewed_is_what_the_endpoint_gets_through_a_proxy_that_asks_who_we_are(
    program: Program, simulated: SimulatedEngine, certificates: Certificates, tls: ssl.SSLContext
) -> None:
    with Receiver(tls=tls) as receiver, HttpProxy(user=USER) as proxy:
        configure(program, receiver, simulated)
        program.variables |= {
            "HTTPS_PROXY": f"http://{USER}@{proxy.address}",
            "http_proxy": f"http://127.0.0.1:{free_port()}",  # where the engine would be asked through, if it were
            "SSL_CERT_FILE": str(certificates.ca_file),
        }
        assert program("enable", "--yes").status == 0
        kept = program("preview", "--keep", "--json")
        assert program("send").status == 0
        shown, history = program("config", "show", "--json"), program("history", "--json")
        (preview,) = kept.data["reports"]
        (request,) = [one for one in receiver.received if one.key == preview["id"]]
        assert {head.split(b" ")[0] for head in proxy.heads} == {b"CONNECT"}
    assert request.head[0] == "POST /pings HTTP/1.1"
    assert list(request.head[1:]) == [f"{name}: {value}" for name, value in preview["request"]["headers"].items()]
    assert request.body.decode() == preview["body"]
    settings = {one["key"]: (one["value"], one["origin"]) for one in shown.data["settings"]}
    assert settings["reporter.proxy"] == (proxy.url, "HTTPS_PROXY")
    assert settings["reporter.ca-file"] == (str(certificates.ca_file), "SSL_CERT_FILE")
    everything = "".join(run.text + run.errors for run in (kept, shown, history))
    assert "proXy" not in everything
    assert "cmVwb3J0ZXI6cHJvWHk" not in everything
    assert "proxy-authorization" not in everything.lower()


def test_an_endpoint_of_no_proxy_is_asked_directly(
    program: Program, simulated: SimulatedEngine, certificates: Certificates, tls: ssl.SSLContext
) -> None:
    with Receiver(tls=tls) as receiver, HttpProxy(user=USER) as proxy:
        configure(program, receiver, simulated)
        program.variables |= {"HTTPS_PROXY": proxy.url, "SSL_CERT_FILE": str(certificates.ca_file)}
        program.variables |= {"NO_PROXY": "localhost, 127.0.0.0/8"}
        assert program("enable", "--yes").status == 0
        assert program("send").status == 0
        assert len(receiver.received) == 2
        assert proxy.received == b""


def test_a_proxy_that_wants_a_user_keeps_the_report_and_says_where_to_write_one(
    program: Program, simulated: SimulatedEngine, certificates: Certificates, tls: ssl.SSLContext
) -> None:
    with Receiver(tls=tls) as receiver, HttpProxy(user=USER) as proxy:
        configure(program, receiver, simulated)
        program.variables |= {"HTTPS_PROXY": proxy.url, "SSL_CERT_FILE": str(certificates.ca_file)}
        program.variables |= {"TELEMETRY_REPORTER__RETRIES": "0"}
        assert program("enable", "--yes").status == 0
        done = program("send")
        assert receiver.received == []
    assert done.status == 6
    assert "the proxy wants a user and password (407): write them into a file with mode 0600" in done.errors
    reports = program("history", "--json").data["reports"]
    assert [(one["state"], one["maybe-arrived"]) for one in reports] == [("pending", False)] * len(reports)


def test_an_authority_that_nobody_knows_is_said_with_the_setting_that_names_it(
    program: Program, simulated: SimulatedEngine, tls: ssl.SSLContext
) -> None:
    with Receiver(tls=tls) as receiver:
        configure(program, receiver, simulated)
        program.variables |= {"TELEMETRY_REPORTER__RETRIES": "0"}
        assert program("enable", "--yes").status == 0
        done = program("send")
        assert receiver.received == []
    assert done.status == 6
    assert "unknown certificate authority: set reporter.ca-file." in done.errors
