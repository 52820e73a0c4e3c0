"""`telemetry_core.store.tables`: the small tables, and that a flipped bit or a row that is gone is noticed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from telemetry_core.errors import StoreDamaged
from telemetry_core.model import Contact, KeptLicense, License, Product, State
from telemetry_core.store import Place, Store, rows
from tests.core.store.test_rows import DECISION
from tests.support.clock import START
from tests.support.delivering import INSTALLATION, LEDGER, REDUCED, new_store, periodic
from tests.support.stores import tamper

DECISIONS = [
    DECISION,
    replace(DECISION, engine="billing", decided_at=START + 1),
    replace(DECISION, state=State.DISABLED, decided_at=START + 2, fields=(), endpoint=None),
]


@pytest.fixture
def store(place: Place) -> Iterator[Store]:
    with new_store(place) as opened:
        yield opened


def damage(reading: Callable[[], object]) -> str:
    with pytest.raises(StoreDamaged) as raised:
        reading()
    assert raised.value.hint == "Keep the file, and restore it from a backup if you have one."
    return raised.value.message.removeprefix("The store is damaged: ").removesuffix(" is not as it was written.")


def test_a_property_belongs_to_its_scope(store: Store) -> None:
    store.properties.put("", "phase", "1")
    store.properties.put(INSTALLATION, "phase", "2")
    store.properties.put(INSTALLATION, "phase", "3")
    assert store.properties.get("", "phase") == "1"
    assert store.properties.get(INSTALLATION, "phase") == "3"
    assert store.properties.get("another", "phase") is None
    store.properties.remove(INSTALLATION, "phase")
    store.properties.remove(INSTALLATION, "phase")
    assert store.properties.get(INSTALLATION, "phase") is None
    assert store.properties.get("", "phase") == "1"


@pytest.mark.parametrize("change", ["value = '2'", "digest = 'x'"])
def test_a_changed_property_is_noticed(change: str, store: Store) -> None:
    store.properties.put("", "phase", "1")
    tamper(store, f"UPDATE property SET {change} WHERE name = 'phase'")
    assert damage(lambda: store.properties.get("", "phase")) == "property phase"


def test_a_property_under_another_name_is_noticed(store: Store) -> None:
    store.properties.put("", "phase", "1")
    tamper(store, "UPDATE property SET name = 'first-run' WHERE name = 'phase'")
    assert damage(lambda: store.properties.get("", "first-run")) == "property first-run"


def test_the_history_of_the_consent_has_every_decision_oldest_first(store: Store) -> None:
    assert store.consents.history() == []
    for decision in DECISIONS:
        store.consents.append(decision)
    assert store.consents.history() == DECISIONS
    with Store.for_reading(store.place, START) as other:
        assert other.consents.history() == DECISIONS


@pytest.mark.parametrize("number", [1, 2, 3])
@pytest.mark.parametrize(
    "change", ["engine = 'sales'", "decision = replace(decision, 'admin', 'nobody')", "digest = 'x'", "number = 9"]
)
def test_a_changed_decision_is_noticed(number: int, change: str, store: Store) -> None:
    for decision in DECISIONS:
        store.consents.append(decision)
    tamper(store, f"UPDATE consent SET {change} WHERE number = {number}")
    assert "decision" in damage(store.consents.history)


@pytest.mark.parametrize("numbers", ["1", "2", "3", "2, 3", "1, 2, 3"])
def test_a_decision_that_is_gone_is_noticed_the_last_one_too(numbers: str, store: Store) -> None:
    for decision in DECISIONS:
        store.consents.append(decision)
    tamper(store, f"DELETE FROM consent WHERE number IN ({numbers})")
    assert "the consent's history" in damage(store.consents.history)


def test_a_decision_that_was_written_anew_with_its_own_digest_is_noticed(store: Store) -> None:
    for decision in DECISIONS:
        store.consents.append(decision)
    text = rows.to_text(replace(DECISION, decided_by="nobody"))
    tamper(
        store,
        "UPDATE consent SET decision = ?, digest = ? WHERE number = 1",
        text,
        rows.digest("", 1, "orders", text),
    )
    assert damage(store.consents.history) == "decision 2 of the consent's history"


def test_two_decisions_that_changed_places_are_noticed(store: Store) -> None:
    for decision in DECISIONS:
        store.consents.append(decision)
    for statement in ("number = -1 WHERE number = 1", "number = 1 WHERE number = 2", "number = 2 WHERE number = -1"):
        tamper(store, f"UPDATE consent SET {statement}")
    assert damage(store.consents.history) == "decision 1 of the consent's history"


def test_a_decision_that_is_rolled_back_leaves_the_history_whole(store: Store) -> None:
    store.consents.append(DECISIONS[0])
    with pytest.raises(KeyError), store.transaction():
        store.consents.append(DECISIONS[1])
        raise KeyError
    assert store.consents.history() == DECISIONS[:1]
    store.consents.append(DECISIONS[2])
    assert store.consents.history() == [DECISIONS[0], DECISIONS[2]]


def test_the_last_contact_with_an_engine_replaces_the_one_before(store: Store) -> None:
    contact = Contact("orders", START, START, INSTALLATION, Product("Camunda", "7.24.0", "community"))
    assert store.contacts.get("orders") is None
    store.contacts.put(contact)
    store.contacts.put(replace(contact, at=START + 1, own_reporter=True))
    assert store.contacts.get("orders") == replace(contact, at=START + 1, own_reporter=True)
    assert store.contacts.get("billing") is None


def test_each_installation_has_one_ledger(store: Store) -> None:
    other = replace(LEDGER, installation="other")
    assert store.ledgers.get(INSTALLATION) is None
    store.ledgers.put(LEDGER)
    store.ledgers.put(other)
    store.ledgers.put(REDUCED)
    assert store.ledgers.get(INSTALLATION) == REDUCED
    store.ledgers.remove(INSTALLATION)
    assert store.ledgers.get(INSTALLATION) is None
    assert store.ledgers.get("other") == other


@pytest.mark.parametrize("change", ["ledger = replace(ledger, ':7', ':8')", "digest = 'x'", "installation = 'other'"])
def test_a_changed_base_is_noticed(change: str, store: Store) -> None:
    store.ledgers.put(LEDGER)
    tamper(store, f"UPDATE base SET {change}")
    installation = "other" if "other" in change else INSTALLATION
    assert damage(lambda: store.ledgers.get(installation)) == f"base of {installation}"


def flipped(content: bytes, row: bytes) -> Iterator[bytes]:
    """The file with one bit of a row flipped: the lowest and the highest of every seventh byte."""
    assert content.count(row) == 1
    start = content.index(row)
    for position in range(start, start + len(row), 7):
        for bit in (0x01, 0x80):
            yield content[:position] + bytes([content[position] ^ bit]) + content[position + 1 :]


RECORD = rows.to_text(replace(periodic(), document=replace(periodic().document, body=b"")))
Reading = Callable[[Store], object]
ROWS: dict[str, tuple[bytes, Reading]] = {
    "property": (b"a value of a few words, \xc3\xbc", lambda store: store.properties.get("", "words")),
    "consent": (rows.to_text(DECISION).encode(), lambda store: store.consents.history()),
    "base": (rows.to_text(LEDGER).encode(), lambda store: store.ledgers.get(INSTALLATION)),
    "report body": (periodic().document.body, lambda store: store.reports.get(periodic().id)),
    "report record": (RECORD.encode(), lambda store: store.reports.newest_first()),
}


@pytest.mark.parametrize("row", ROWS)
def test_a_flipped_bit_is_noticed_wherever_it_is_in_a_row_of_a_file(row: str, tmp_path: Path) -> None:
    content, reading = ROWS[row]
    file = tmp_path / "telemetry.db"
    with new_store(file) as store:
        store.properties.put("", "words", "a value of a few words, ü")
        store.consents.append(DECISION)
        store.ledgers.put(LEDGER)
        assert store.reports.open(periodic())
    for number, damaged in enumerate(flipped(file.read_bytes(), content)):
        path = file.with_name(f"{number}.db")
        path.write_bytes(damaged)
        with Store.for_reading(path, START) as other, pytest.raises(StoreDamaged, match="not as it was written"):
            reading(other)


def test_a_licence_is_kept_whole_for_its_installation_and_removed(store: Store) -> None:
    kept = KeptLicense(License("raw", "ACME", "UNIFIED", "2030-12-31", unlimited=False, features={"a": "b"}), 1, "ada")
    assert store.licenses.get(INSTALLATION) is None
    store.licenses.put(INSTALLATION, KeptLicense(License(raw="before"), 0, "ada"))
    store.licenses.put(INSTALLATION, kept)
    assert store.licenses.get(INSTALLATION) == kept
    assert store.licenses.get("another") is None
    store.licenses.remove(INSTALLATION)
    assert store.licenses.get(INSTALLATION) is None


def test_a_licence_that_is_not_as_it_was_written_is_damage(store: Store) -> None:
    store.licenses.put(INSTALLATION, KeptLicense(License(raw="raw"), 1, "ada"))
    tamper(store, "UPDATE property SET value = replace(value, 'raw', 'rew') WHERE name = 'license'")
    assert "property license" in damage(lambda: store.licenses.get(INSTALLATION))
    assert "property license" in damage(store.verify)
