"""Who is looked at first: the best, with room for those who wait longest."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from apps.domain.decision import SkipStage
from apps.domain.verdict import Action, Interval, ScoreCard
from apps.trading.logic.core import step_entry
from apps.trading.logic.ranking import UNSEEN, priority
from apps.trading.models import Opportunity
from apps.trading.services.opportunities import opportunities_due
from tests import factories
from tests.trading import cases

UNKNOWN = Interval(low_bps=None, value_bps=None, high_bps=None, coverage_bps=0)
SKIP = step_entry(
    verdict=cases.verdict(score_bps=5_000),
    analysis=cases.analysis(),
    config=cases.config(),
    config_revision=3,
    facts=cases.facts(),
)


def rank(
    score: int,
    best: int,
    *,
    action: Action = Action.WATCH,
    stage: SkipStage = SkipStage.SCORE,
    edge: Interval = UNKNOWN,
) -> int:
    risk = Interval(
        low_bps=10_000 - best, value_bps=10_000 - score, high_bps=10_000 - score, coverage_bps=9_000
    )
    card = ScoreCard(action=action, why="a test", risk=risk, edge=edge)
    return priority(cases.verdict(score_bps=score, card=card), replace(SKIP, skip_stage=stage))


@given(score=st.integers(0, 9_000), more=st.integers(0, 1_000))
def test_better_score_or_better_at_best_then_never_behind(score: int, more: int) -> None:
    assert rank(score, score) <= rank(score, score + more) <= rank(score + more, score + more)


def test_held_back_by_a_limit_then_before_the_same_that_is_too_weak_and_hopeless_last() -> None:
    assert rank(5_000, 6_000, stage=SkipStage.LIMIT) > UNSEEN > rank(5_000, 6_000)
    assert rank(9_000, 9_500, action=Action.AVOID) == rank(9_000, 9_500, action=Action.BLOCK) == 0
    earned = Interval(low_bps=0, value_bps=1_000, high_bps=2_000, coverage_bps=10_000)
    assert rank(5_000, 6_000, edge=earned) == rank(5_000, 6_000) + 100
    assert 0 < priority(cases.verdict(score_bps=None), SKIP) < UNSEEN


@pytest.mark.django_db
def test_more_are_due_than_looked_at_then_the_best_and_some_of_the_oldest() -> None:
    now = timezone.now()
    rows = [
        factories.OpportunityFactory(evaluate_after=now - timedelta(seconds=60 - index))
        for index in range(12)
    ]
    for index, row in enumerate(rows):
        Opportunity.objects.filter(pk=row.pk).update(priority=index * 100)
    keys = [row.pk for row in rows]
    assert list(opportunities_due(limit=4)) == keys[:4]
    assert list(opportunities_due(limit=4, by_priority=True)) == [keys[11], keys[10], keys[9], keys[0]]
    assert list(opportunities_due(by_priority=True)) == keys[::-1]
