"""`telemetry environment` and `telemetry config show`: what was found and what is set, each with its source."""

from __future__ import annotations

import time

from tests.support.ports import free_port
from tests.support.program import Program
from tests.support.simulated_engine import SimulatedEngine


def test_each_data_point_has_its_source_and_nothing_is_kept(configured: Program, simulated: SimulatedEngine) -> None:
    engine = configured("environment", "--json").data["engines"][0]
    source = f"REST {simulated.rest}"
    assert engine["found"]["installation"] == {"value": simulated.installation, "source": source}
    assert engine["found"]["database"]["value"] == {"vendor": "H2", "version": "2.3.232 (2024-08-11)"}
    assert engine["found"]["product.version"]["value"] == "7.24.0"
    assert engine["found"]["integration"]["value"] == {
        "key": "camunda-integration",
        "names": ["spring-boot-starter"],
    }
    assert engine["missing"] == {"license-key": "the engine has none"}
    assert not configured.store.exists()


def test_a_part_of_the_wrong_shape_is_missing_with_the_reason_and_the_rest_is_there(
    configured: Program, simulated: SimulatedEngine
) -> None:
    internals = simulated.data["product"]["internals"]
    internals["jdk"] = {"vendor": 17}
    internals["webapps"] = "cockpit"
    engine = configured("environment", "--json").data["engines"][0]
    assert "Expected" in engine["missing"]["jdk"]
    assert "Expected" in engine["missing"]["webapps"]
    assert engine["found"]["database"]["value"]["vendor"] == "H2"


def test_config_show_names_the_file_and_line_or_the_variable_that_decides(configured: Program) -> None:
    settings = configured("config", "show", "--json", variables={"TELEMETRY_REPORTER__PERIOD": "12h"}).data["settings"]
    origins = {setting["key"]: (setting["value"], setting["origin"]) for setting in settings}
    assert origins["reporter.period"] == ("12h", "TELEMETRY_REPORTER__PERIOD")
    assert origins["reporter.retries"] == (2, "default")
    assert origins["endpoint"][1] == f"{configured.config}:1"


def test_config_show_never_shows_a_password(program: Program) -> None:
    program.configure('[engines.orders]\nrest = "http://demo:geheim@127.0.0.1:8080/engine-rest"\n')
    program.config.chmod(0o600)
    shown = program("config", "show")
    assert "geheim" not in shown.text
    assert "http://127.0.0.1:8080/engine-rest" in shown.text


def test_credentials_in_a_file_that_others_can_read_are_refused_with_the_command_that_helps(program: Program) -> None:
    program.configure('[engines.orders]\nrest = "http://demo:geheim@127.0.0.1:8080/engine-rest"\n')
    program.config.chmod(0o644)
    done = program("status")
    assert done.status == 3
    assert f"chmod 600 {program.config}" in done.errors
    assert "geheim" not in done.errors


def test_an_engine_that_does_not_say_whether_it_reports_by_itself_is_read_all_the_same(program: Program) -> None:
    with SimulatedEngine("camunda-7.17.0") as engine:
        engine.override["/telemetry/configuration"] = (403, "application/json", b"{}")
        program.configure(f'[engines.orders]\nrest = "{engine.rest}"\n')
        done = program("environment", "--json")
    assert done.status == 0
    assert done.data["engines"][0]["found"]["product.version"]["value"] == "7.17.0"


def test_what_sources_say_differently_stands_side_by_side(program: Program) -> None:
    with SimulatedEngine() as one, SimulatedEngine() as two:
        two.data["product"]["version"] = "7.23.0"
        two.data["product"]["internals"]["webapps"] = ["cockpit", "secret-project"]
        program.configure(f'[engines.orders]\nnodes = ["{one.rest}", "{two.rest}"]\n')
        engine = program("environment", "--json").data["engines"][0]
        shown = program("environment").text
    assert engine["found"]["product.version"] == {"value": "7.24.0", "source": f"REST {one.rest}"}
    assert engine["also-found"] == {
        "product.version": [{"value": "7.23.0", "source": f"REST {two.rest}"}],
        "webapps": [{"value": ["secret-project"], "source": "words of visited addresses, never reported"}],
    }
    assert f"7.23.0  [REST {two.rest}]" in shown
    assert "secret-project" not in program("preview", "--json").text


def test_a_node_of_another_installation_is_shown_and_nothing_of_it_is_used(program: Program) -> None:
    with SimulatedEngine() as one, SimulatedEngine() as two:
        two.installation = "another"
        two.data["product"]["internals"]["jdk"]["vendor"] = "Other"
        program.configure(f'[engines.orders]\nnodes = ["{one.rest}", "{two.rest}"]\n')
        engine = program("environment", "--json").data["engines"][0]
    assert engine["also-found"] == {}
    assert {source: said for source, said in engine["sources"].items() if source.startswith("REST ")} == {
        f"REST {one.rest}": {},
        f"REST {two.rest}": {"installation": "it shows another installation (another); nothing of it is used"},
    }


def test_what_is_withheld_is_found_and_marked(configured: Program) -> None:
    variables = {"TELEMETRY_WITHHOLD": "jdk.vendor,webapps"}
    engine = configured("environment", "--json", variables=variables).data["engines"][0]
    assert engine["withheld"] == ["jdk.vendor", "webapps"]
    assert engine["found"]["webapps"]["value"] == ["cockpit"]
    assert "withheld" in configured("environment", variables=variables).text


def test_entries_that_show_one_installation_but_not_the_same_counts_are_reported(program: Program) -> None:
    """The database of one is a copy of the other's, which has worked since."""
    moment = time.time_ns() // 1_000_000 - 60 * 60_000
    with SimulatedEngine(now=lambda: moment) as production, SimulatedEngine(now=lambda: moment) as copy:
        addresses = {"production": production, "copy": copy}
        program.configure("".join(f'[engines.{name}]\nrest = "{one.rest}"\n' for name, one in addresses.items()))
        production.flush()
        copy.flush()
        assert program("environment", "--json").data["warnings"] == []
        production.start_process(3)
        production.flush()
        warnings = program("environment", "--json").data["warnings"]
        alone = program("environment", "--engine", "copy", "--json").data["warnings"]
    assert len(warnings) == 1
    assert "One installation, but not the same counts" in warnings[0]
    assert f"REST {production.rest} (production): " in warnings[0]
    assert "root-process-instance-start 8" in warnings[0]
    assert f"REST {copy.rest} (copy): " in warnings[0]
    assert alone == []


def test_a_node_that_gives_no_answer_is_shown_beside_those_that_do(
    program: Program, simulated: SimulatedEngine
) -> None:
    dead = f"http://127.0.0.1:{free_port()}/engine-rest"
    program.configure(f'[engines.orders]\nnodes = ["{simulated.rest}", "{dead}"]\n')
    done = program("environment", "--json")
    assert done.status == 0
    sources = done.data["engines"][0]["sources"]
    assert sources[f"REST {simulated.rest}"] == {}
    assert "connection refused" in sources[f"REST {dead}"]["answer"]
