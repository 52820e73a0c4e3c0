"""`telemetry_core.delivery.resolve`: nobody sends a report while an administrator closes it."""

from __future__ import annotations

import pytest

from telemetry_core.config import Url
from telemetry_core.delivery import resolve
from telemetry_core.errors import DeliveryFailed
from telemetry_core.model import MINUTE, ReportState
from telemetry_core.store import Place, Store
from tests.support.clock import START
from tests.support.delivering import new_store, periodic


def begun(store: Store) -> None:
    """A report of which an attempt has begun, and nothing is known of its end."""
    assert store.reports.open(periodic())
    store.reports.begin_attempt(periodic(), START)


def test_a_report_that_this_host_is_sending_stays_as_it_is(place: Place) -> None:
    if isinstance(place, Url):
        pytest.skip("there the lease stands for the lock")
    with new_store(place) as store, new_store(place) as other:
        begun(store)
        with other.sending(), pytest.raises(DeliveryFailed, match="is being sent right now") as raised:
            resolve(periodic(), store, START, accepted=False)
        assert raised.value.exit_status == 6
        assert store.reports.get(periodic().id) == store.reports.pending(periodic().installation, periodic().kind)
        assert resolve(periodic(), store, START, accepted=False).state is ReportState.REFUSED


def test_a_report_that_another_node_is_sending_stays_as_it_is(shared_place: Url) -> None:
    with new_store(shared_place) as store, new_store(shared_place) as other:
        begun(store)
        lease = other.leases.take(periodic().id, MINUTE)
        assert lease is not None
        with pytest.raises(DeliveryFailed, match="is being sent right now"):
            resolve(periodic(), store, START, accepted=False)
        assert other.leases.is_held(lease)
        other.leases.give_back(lease)
        assert resolve(periodic(), store, START, accepted=True).state is ReportState.ACCEPTED
        assert other.leases.take(periodic().id, MINUTE) is not None  # and its own has ended
