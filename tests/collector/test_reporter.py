"""`telemetry` itself as a sender: its report is stored once, with the digest that its history has."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from tests.support.collecting import Collector
from tests.support.program import Program
from tests.support.simulated_engine import SimulatedEngine


def test_what_telemetry_sends_is_what_it_previews_and_what_is_stored(
    program: Program, simulated: SimulatedEngine, tmp_path: Path
) -> None:
    program.config.touch()
    store = tmp_path / "collector" / "collector.db"
    with Collector(program, "--store", str(store)) as collector:
        program.configure(f'endpoint = "{collector.url}"\n[engines.orders]\nrest = "{simulated.rest}"\n')
        assert program("enable", "--yes").status == 0
        assert program("preview", "--keep").status == 0
        previewed = program("preview", "--raw").stdout
        sent = program("send", "--json").data["delivered"]
        assert {one["state"] for one in sent} == {"accepted"}
        exported = program("collector", "export", "--store", str(store)).json["reports"]
        (initial, periodic) = sorted(exported, key=lambda one: one["received-at"])
        history = {one["id"]: one for one in program("history", "--json").data["reports"]}
    assert {one["id"] for one in exported} == set(history)
    assert history[initial["id"]]["kind"] == "initial"
    assert periodic["report"] == json.loads(previewed)
    assert history[periodic["id"]]["sha256"] == hashlib.sha256(previewed).hexdigest()
    assert not any(one["duplicate"] for one in exported)
