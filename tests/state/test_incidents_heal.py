"""Incidents that mend themselves are closed once they are over; the others wait for a person."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.domain.errors import BadDataError, NetworkError, SniperError, TradingError
from apps.state.models import Event, Incident
from apps.state.services.incidents import CALM_S, incident_from_error, incidents_heal
from tests import factories

pytestmark = pytest.mark.django_db


def opened(error: SniperError, *, age_s: int) -> Incident:
    incident_from_error(error, dedup_key=type(error).__name__)
    Incident.objects.filter(dedup_key=type(error).__name__).update(
        last_at=timezone.now() - timedelta(seconds=age_s)
    )
    return Incident.objects.get(dedup_key=type(error).__name__)


def test_network_fault_when_it_comes_no_more_then_closed_and_said():
    incident = opened(NetworkError("no endpoint answers"), age_s=CALM_S + 1)
    assert incidents_heal() == 1
    incident.refresh_from_db()
    assert incident.resolved_by == "engine"
    [event] = Event.objects.filter(kind="incident_closed")
    assert "has not happened again" in event.summary
    assert incidents_heal() == 0


def test_network_fault_when_it_goes_on_then_stays_open():
    opened(NetworkError("no endpoint answers"), age_s=CALM_S - 5)
    assert incidents_heal() == 0


@pytest.mark.parametrize("error", [TradingError("cannot be sold"), BadDataError("is no number")])
def test_fault_that_a_person_must_see_to_then_stays_open(error: SniperError):
    opened(error, age_s=10 * CALM_S)
    assert incidents_heal() == 0


def test_reorganisation_that_was_settled_then_heals_but_a_chain_that_was_exchanged_waits_for_a_person() -> (
    None
):
    for code, severity in (("REORG", "warning"), ("CHAIN_RESET", "critical")):
        factories.IncidentFactory(
            code=code,
            category="network",
            recovery="reconcile",
            severity=severity,
            last_at=timezone.now() - timedelta(seconds=CALM_S + 1),
        )
    assert incidents_heal() == 1
    assert Incident.objects.get(resolved_at=None).code == "CHAIN_RESET"
