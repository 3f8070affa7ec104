"""Our own outcomes are counted from the positions that have ended, stuck ones as lost."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from apps.domain.config import TradingConfig
from apps.risk.logic.edge import edge, outcomes_of
from apps.trading.services.clock import ms_of
from apps.trading.services.outcomes import own_outcome_estimates
from tests import factories
from tests.trading import cases

pytestmark = pytest.mark.django_db
COST = 100_000_000


def ended(number: int, result_usd_micros: int | None, **changes: Any) -> None:
    for _ in range(number):
        given: dict[str, Any] = {"status": "closed", "closed_at": timezone.now()}
        factories.PositionFactory(
            cost_usd_micros=COST, realised_usd_micros=result_usd_micros, **{**given, **changes}
        )


def test_positions_ended_then_rates_and_means_are_theirs_and_old_and_unknown_ones_are_left_out() -> None:
    factories.ConfigRevisionFactory(number=1, is_active=True, payload=TradingConfig().model_dump(mode="json"))
    now = timezone.now()
    ended(18, COST // 5)
    ended(10, -COST // 10)
    assert not any(item.is_known for item in own_outcome_estimates(now_ms=ms_of(timezone.now())))
    ended(2, None, status="stuck", closed_at=None, opened_at=now)
    ended(40, COST, closed_at=now - timedelta(days=8))
    ended(5, None)
    found = {item.code: item for item in own_outcome_estimates(now_ms=ms_of(timezone.now()) + 1_000)}
    assert {code: item.value for code, item in found.items()} == {
        "own_gain_rate_bps": 6_000,
        "own_total_loss_rate_bps": 666,
        "own_gain_bps": 2_000,
        "own_loss_bps": 1_000,
    }
    assert found["own_gain_rate_bps"].n == 30
    assert found["own_gain_rate_bps"].low is not None
    assert found["own_gain_rate_bps"].low < 6_000
    analysis = cases.analysis(estimates=tuple(found.values()))
    assert edge(outcomes_of(analysis)).value_bps == (6_000 * 2_000 - 3_334 * 1_000 - 666 * 10_000) // 10_000
