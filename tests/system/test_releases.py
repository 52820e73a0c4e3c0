"""What differs between releases and deployments, on real engines: 7.14 without telemetry data, authorization, names."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest

from tests.engines import Engine
from tests.support.program import Program
from tests.support.receiver import Receiver

INSTALLATION = "0c39daee-56d5-4cbb-96f5-3e226fa3eb87"


@pytest.fixture(scope="module")
def guarded() -> Iterator[Engine]:
    """A real 7.24.0 with authorization enabled and HTTP Basic before its REST API."""
    with Engine.start("camunda-7.24.0", authorization=True) as engine:
        yield engine


def configure(program: Program, receiver: Receiver, engine: Engine, *lines: str) -> None:
    table = "\n".join([f'endpoint = "{receiver.url}"', "[engines.orders]", f'rest = "{engine.rest}"', *lines])
    program.configure(table + "\n")


def password(program: Program, text: str) -> None:
    file = program.directory / "password"
    file.write_text(text + "\n", encoding="utf-8")
    file.chmod(0o600)


@pytest.mark.engine
def test_a_real_7_14_reports_metrics_by_legacy_names_and_says_what_is_missing(
    engines: Callable[[str], Engine], program: Program, receiver: Receiver
) -> None:
    engine = engines("camunda-7.14.0")
    configure(program, receiver, engine, f'installation = "{INSTALLATION}"')
    assert program("enable", "--yes").status == 0
    engine.start_process(4)
    shown = program("preview", "--keep", "--json").data["reports"][0]
    assert shown["sources"]["installation"] == "configuration"
    assert shown["missing"]["product.internals.commands"] == "Camunda 7.14 to 7.16 do not say it over REST"
    assert program("send").status == 0
    assert len(receiver.received) == 1, "7.14 sends its initial report by itself"
    report = json.loads(receiver.received[0].body)
    assert report["product"]["version"] == "7.14.0"
    internals = report["product"]["internals"]
    host = [internals.pop(name) for name in ("application-server", "jdk", "camunda-integration")]
    assert [host[0]["version"], host[1]["vendor"], host[2]] == [
        "Apache Tomcat/9.0.46",
        "Debian",
        ["spring-boot-starter"],
    ]
    assert all(
        source.startswith("host ")
        for source in (shown["sources"]["product.internals.jdk"], shown["sources"]["product.internals.*-integration"])
    )
    assert internals == {
        "metrics": {
            "activity-instance-start": {"count": 8},
            "executed-decision-elements": {"count": 0},
            "executed-decision-instances": {"count": 0},
            "root-process-instance-start": {"count": 4},
        },
        "telemetry-enabled": True,
    }
    assert "send theirs by themselves" in program("status").text
    assert program("send", "--initial").status == 0
    assert len(receiver.received) == 1
    assert program("send", "--initial", "--force").status == 0
    assert len(receiver.received) == 2


@pytest.mark.engine
def test_a_real_7_14_without_a_configured_installation_makes_no_report(
    engines: Callable[[str], Engine], program: Program, receiver: Receiver
) -> None:
    configure(program, receiver, engines("camunda-7.14.0"))
    done = program("preview")
    assert done.status == 5
    assert "engines.NAME.installation" in done.errors


@pytest.mark.engine
def test_an_engine_with_authorization_wants_a_user_and_says_which_setting_names_one(
    guarded: Engine, program: Program, receiver: Receiver
) -> None:
    configure(program, receiver, guarded)
    done = program("preview")
    assert done.status == 5
    assert "it wants a user and password" in done.errors
    assert "engines.orders.password-file" in done.errors


@pytest.mark.engine
def test_a_wrong_password_is_told_from_none(guarded: Engine, program: Program, receiver: Receiver) -> None:
    configure(program, receiver, guarded, 'username = "mallory"', 'password-file = "password"')
    password(program, "wrong")
    done = program("preview")
    assert done.status == 5
    assert "it does not accept user and password" in done.errors
    assert "wrong" not in done.errors


@pytest.mark.engine
def test_read_on_system_is_the_least_that_a_user_needs(guarded: Engine, program: Program, receiver: Receiver) -> None:
    profile = {"id": "reporter", "firstName": "R", "lastName": "R"}
    credentials = {"password": "s3cret-of-reporter"}
    guarded.call("POST", "/engine-rest/user/create", body={"profile": profile, "credentials": credentials})
    configure(program, receiver, guarded, 'username = "reporter"', 'password-file = "password"')
    password(program, "s3cret-of-reporter")
    refused = program("preview")
    assert refused.status == 5
    assert "refuses this user (403)" in refused.errors
    assert "READ on resource System" in refused.errors
    grant = {"type": 1, "permissions": ["READ"], "userId": "reporter", "resourceType": 21, "resourceId": "*"}
    guarded.call("POST", "/engine-rest/authorization/create", body=grant)
    assert program("enable", "--yes").status == 0
    guarded.start_process(2)
    assert program("send").status == 0
    assert b'"root-process-instance-start":{"count":2}' in receiver.received[1].body
    for run in (program("history", "--json"), program("config", "show"), program("status")):
        assert b"s3cret-of-reporter" not in run.stdout + run.stderr
    assert b"s3cret-of-reporter" not in program.store.read_bytes()


@pytest.mark.engine
@pytest.mark.parametrize("release", ["camunda-7.24.0", "operaton-1.0.3"])
def test_a_named_engine_is_read_by_its_name_and_an_unknown_name_says_which_there_are(
    release: str, engines: Callable[[str], Engine], program: Program, receiver: Receiver
) -> None:
    engine = engines(release)
    configure(program, receiver, engine, 'name = "default"')
    found = program("environment", "--json").data["engines"][0]["found"]
    assert found["installation"]["value"] == engine.telemetry_data()["installation"]
    configure(program, receiver, engine, 'name = "bestellungen"')
    done = program("environment", "--json")
    assert done.status == 5
    assert done.json["error"]["code"] == "engine-name-unknown"
    assert done.json["error"]["hint"] == "Set engines.orders.name to one of: default."
