"""The data as an engine's own REST API says it: against what real engines have said."""

from __future__ import annotations

import json

import pytest

from telemetry_core import payload, wire
from telemetry_core.engines import answers
from telemetry_core.environment import gather
from telemetry_core.model import Counts, License, Payload
from telemetry_core.payload import Usage
from tests.support.simulated_engine import CAPTURES

RELEASES = ("camunda-7.17.0", "camunda-7.24.0", "operaton-1.0.3")
EVERYTHING = Usage(Counts({}, {"StartProcessInstanceCmd": 5}), 1_795_000_000_000, {})


def said(release: str, withheld: frozenset[str] = frozenset()) -> tuple[dict[str, object], Payload]:
    body = (CAPTURES / f"{release}.json").read_bytes()
    environment = gather([answers.snapshot("orders", "http://127.0.0.1/engine-rest", body, 0)])
    return json.loads(body), payload.periodic(environment, EVERYTHING, withheld).payload


@pytest.mark.parametrize("release", RELEASES)
def test_values_and_order_are_those_of_a_real_engine(release: str) -> None:
    captured, built = said(release)
    tree = wire.engine_tree(built)
    assert list(tree) == list(captured)
    theirs, ours = captured["product"], tree["product"]
    assert isinstance(theirs, dict)
    assert isinstance(ours, dict)
    assert list(ours) == list(theirs)
    theirs, ours = theirs["internals"], ours["internals"]
    assert [key for key in ours if key in theirs] == list(theirs)
    assert set(ours) - set(theirs) <= {"license-key", "data-collection-start-date"}, "null where others have no key"
    counted = {"commands", "metrics", "data-collection-start-date"}
    assert {k: v for k, v in ours.items() if k in theirs.keys() - counted} == {
        k: v for k, v in theirs.items() if k not in counted
    }
    assert "telemetry-enabled" not in ours


def test_what_is_unknown_is_null_and_so_is_what_is_withheld() -> None:
    _, built = said("camunda-7.24.0", frozenset({"jdk.vendor", "webapps", "commands.StartProcessInstanceCmd"}))
    product = wire.engine_tree(built)["product"]
    assert isinstance(product, dict)
    internals = product["internals"]
    assert internals["jdk"] == {"version": "17.0.15", "vendor": None}
    assert internals["webapps"] is None
    assert internals["commands"] == {}
    assert internals["license-key"] is None


def test_a_licence_has_all_its_keys() -> None:
    _, built = said("camunda-7.24.0")
    object.__setattr__(built, "license_key", License(raw="customer=ACME"))
    product = wire.engine_tree(built)["product"]
    assert isinstance(product, dict)
    assert product["internals"]["license-key"] == {
        "customer": None,
        "type": None,
        "valid-until": None,
        "unlimited": None,
        "features": None,
        "raw": "customer=ACME",
    }
