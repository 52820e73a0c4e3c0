"""The licence among the data points: the engine's and the one set here, which counts, and that both are shown."""

from __future__ import annotations

from dataclasses import replace

from telemetry_core.environment import gather
from telemetry_core.license import SET_HERE
from telemetry_core.model import Finding, Found, License, Missing, Snapshot

RAW = "customer=ACME;expiryDate=2030-12-31"
ENGINE = Snapshot("orders", "REST http://node1", 1, license_key=License(raw=RAW))
NONE = replace(ENGINE, license_key=None)


def own(found: License) -> Snapshot:
    return Snapshot("", SET_HERE, 1, license_key=found)


def finding(*snapshots: Snapshot) -> Finding:
    return gather(snapshots).findings["license-key"]


def test_the_engines_own_is_used_where_none_was_set_here() -> None:
    assert finding(ENGINE) == Found(License(raw=RAW), ENGINE.source)
    assert finding(NONE) == Missing("the engine has none")


def test_the_one_set_here_is_used_where_the_engine_has_none_or_a_withheld_one() -> None:
    here = License(raw="x", customer="ACME")
    assert finding(NONE, own(here)) == Found(here, SET_HERE)
    assert finding(replace(NONE, problems={"license-key": "withheld"}), own(here)) == Found(here, SET_HERE)


def test_where_both_differ_the_one_set_here_is_used_and_the_other_stays_visible() -> None:
    here = License(raw="other")
    assert finding(ENGINE, own(here)) == Found(here, SET_HERE, others=(Found(License(raw=RAW), ENGINE.source),))


def test_the_same_raw_text_keeps_the_richer_form_with_its_source() -> None:
    rich = License(raw=RAW, customer="ACME", valid_until="2030-12-31")
    assert finding(ENGINE, own(rich)) == Found(rich, SET_HERE)
    assert finding(replace(ENGINE, license_key=rich), own(License(raw=RAW))) == Found(rich, ENGINE.source)


def test_a_database_with_the_same_raw_text_as_the_node_is_no_other_one_and_one_with_another_text_is() -> None:
    rich = replace(ENGINE, license_key=License(raw=RAW, customer="ACME"))
    database = Snapshot("orders", "database x", 1, license_key=License(raw=f"{RAW}\n"))
    assert finding(rich, database) == Found(rich.license_key, ENGINE.source)
    other = replace(database, license_key=License(raw="other"))
    shown = Found(other.license_key, "database x")
    assert finding(rich, other) == Found(rich.license_key, ENGINE.source, others=(shown,))
    here = License(raw="third")
    both = (Found(rich.license_key, ENGINE.source), shown)
    assert finding(rich, other, own(here)) == Found(here, SET_HERE, others=both)
