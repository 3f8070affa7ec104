"""A model that does not prove true is given up for rules, and comes back when it does."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from apps.engine.model_health import loss_model_check, resolved
from apps.intelligence.models import ModelHealth
from apps.risk.services.loss import loss_estimate, loss_estimates
from apps.state.models import Incident
from tests import factories as f
from tests.intelligence.subjects import FACTS, LISTING

pytestmark = pytest.mark.django_db
NOW = timezone.now()


def estimate(bps: int | None, *, code: str = "loss_probability") -> dict[str, Any]:
    return {"code": code, "value": None if bps is None else str(bps), "reason_unknown": "" if bps else "-"}


def refused(
    bps: int | None, *, died: bool, died_by: str = "drained", days_ago: float = 2.0, **fields: Any
) -> None:
    analysis = f.AnalysisRecordFactory(estimates=[estimate(bps)])
    at = NOW - timedelta(days=days_ago)
    values = {
        "pair": analysis.pair,
        "verdict": f.VerdictRecordFactory(analysis=analysis),
        "status": "ended",
        "refused_at": at,
        "follow_until": at + timedelta(days=1),
        "died_at": at if died else None,
        "died_by": died_by if died else "",
    }
    f.RefusedTokenFactory(**values | fields)


def many(bps_of_dead: int, bps_of_living: int) -> None:
    for number in range(200):
        died = number % 2 == 0
        refused(bps_of_dead if died else bps_of_living, died=died, days_ago=2 + number / 1_000)


def test_ends_when_known_then_only_those_whose_time_is_over_and_whose_question_it_was():
    refused(9_000, died=True)
    refused(1_000, died=False)
    refused(9_000, died=True, died_by="unsellable")
    refused(9_000, died=True, days_ago=0.5)  # the living of its age are not known yet
    refused(None, died=True)
    refused(5_000, died=False, status="following", days_ago=3)
    assert [(row.probability, row.happened) for row in resolved(now=NOW)] == [(0.9, True), (0.1, False)]


def test_positions_when_old_enough_then_their_end_counts_too():
    for days, proceeds in ((2.0, 1), (2.0, 10**17), (0.5, 1)):
        decision = f.DecisionRecordFactory(analysis__estimates=[estimate(4_000)])
        f.PositionFactory(
            opportunity=decision.opportunity,
            status="closed",
            cost_raw=10**17,
            proceeds_raw=proceeds,
            opened_at=NOW - timedelta(days=days),
        )
    assert sorted(row.happened for row in resolved(now=NOW)) == [False, True]


def test_model_when_it_is_worse_than_the_frequency_then_given_up_and_an_incident_says_so():
    many(2_000, 8_000)
    health = loss_model_check(now=NOW)
    assert not health.is_trusted
    incident = Incident.objects.get(code="MODEL_WITHOUT_SKILL")
    assert "its error was 0.640" in incident.detail
    found = loss_estimates(listing=LISTING, facts=FACTS, history=None)
    assert [item.code for item in found] == ["loss_probability", "loss_probability_unused"]
    assert not found[0].is_known
    assert found[0].reason_unknown.startswith("the model is not believed now: over the newest 200 tokens")
    assert loss_estimate(listing=LISTING, facts=FACTS, history=None) == found[0]


def test_model_when_it_proves_true_then_believed_and_the_incident_ends():
    ModelHealth.objects.create(
        name="loss_probability", is_trusted=False, reason="it erred", checked_at=NOW, changed_at=NOW
    )
    loss_model_check(now=NOW)
    assert Incident.objects.get(code="MODEL_WITHOUT_SKILL").resolved_at is None
    many(8_000, 2_000)
    assert loss_model_check(now=NOW).is_trusted
    assert Incident.objects.get(code="MODEL_WITHOUT_SKILL").resolved_at is not None
    assert len(loss_estimates(listing=LISTING, facts=FACTS, history=None)) == 1
    row = ModelHealth.objects.get()
    assert row.skill == pytest.approx(1 - 0.04 / 0.25)
    assert [item["count"] for item in row.reliability] == [100, 100]


def test_model_when_given_up_then_what_it_would_say_is_judged_on():
    analysis = f.AnalysisRecordFactory(
        estimates=[estimate(None), estimate(7_000, code="loss_probability_unused")]
    )
    at = NOW - timedelta(days=2)
    f.RefusedTokenFactory(
        pair=analysis.pair,
        verdict=f.VerdictRecordFactory(analysis=analysis),
        status="ended",
        refused_at=at,
        follow_until=at + timedelta(days=1),
    )
    assert [row.probability for row in resolved(now=NOW)] == [0.7]
