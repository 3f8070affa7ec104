"""Regimes as rows, as events, and as what trading is given."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest

from apps.discovery.services.listings import listing_of
from apps.domain.candle import Interval
from apps.domain.estimate import Estimate
from apps.intelligence.models import MarketRegimeRecord
from apps.intelligence.services.candles import candles_store
from apps.intelligence.services.regimes import regime_estimates, regime_now, regime_update, regimes_update
from apps.state.models import Event
from tests import factories as f
from tests.intelligence.subjects import FACTS
from tests.intelligence.tapes import DAY_MS, START_MS, candles, path

pytestmark = pytest.mark.django_db
BULL = path((150, -0.003, 0.02), (250, 0.006, 0.012))
TURN = path((100, -0.012, 0.015), start=BULL[-1], seed=8)
BARE = replace(FACTS, reserves=None)
HOUR_MS = Interval.HOUR.duration_ms


def at(days: float) -> datetime:
    return datetime.fromtimestamp((START_MS + days * DAY_MS) / 1_000, tz=UTC)


def store(closes: list[float], *, market: str = "ETH") -> None:
    candles_store(candles=candles(closes, market=market))
    start = START_MS + len(closes) * DAY_MS - 168 * HOUR_MS
    hours = path((168, 0.0, 0.01), start=closes[-1])
    candles_store(candles=candles(hours, market=market, interval=Interval.HOUR, start_ms=start))


def test_regime_when_a_day_has_ended_then_kept_and_told_with_reasons():
    store(BULL)
    record = regime_update(market="ETH", now=at(400))
    assert record is not None
    assert (record.regime, record.is_change, record.source) == ("bull", True, "tape")
    event = Event.objects.get(kind="market_regime_change")
    assert event.trace_id == record.trace_id != ""
    assert event.summary == record.why
    assert event.summary.startswith("ETH rises: its price stands ")
    assert (event.payload["before"], event.payload["regime"]) == ("", "bull")


def test_regime_when_judged_already_then_not_again():
    store(BULL)
    assert len(regimes_update(markets=("ETH", "BTC"), now=at(400))) == 1
    assert regimes_update(markets=("ETH", "BTC"), now=at(400)) == ()
    assert MarketRegimeRecord.objects.count() == 1


def test_regime_when_days_pass_then_one_record_a_day_and_a_message_for_each_change():
    closes = BULL + TURN
    for days in range(400, 501):
        store(closes[:days])
        regime_update(market="ETH", now=at(days))
    records = list(MarketRegimeRecord.objects.order_by("as_of"))
    assert len(records) == 101
    known = [record.regime for record in records if record.regime != "unknown"]
    assert known[0] == "bull"
    assert known[-1] == "bear"
    changes = 1 + sum(before != after for before, after in pairwise(known))
    assert Event.objects.filter(kind="market_regime_change").count() == changes
    assert [record.is_change for record in records].count(True) == changes


def test_regime_when_candles_stop_then_stale_and_unknown_to_trading():
    store(BULL)
    regime_update(market="ETH", now=at(400))
    fresh, stale = (regime_now(market="ETH", now=at(days)) for days in (402, 404))
    assert fresh is not None
    assert stale is not None
    assert (fresh.regime.value, stale.regime.value) == ("bull", "unknown")
    assert regime_now(market="SOL", now=at(400)) is None


# -- what trading is given ----------------------------------------------------------------
def asked(*, days: float) -> dict[str, Estimate]:
    f.ChainFactory()
    pair = f.PairFactory()
    given = regime_estimates(
        listing=listing_of(pair),
        facts=BARE,
        pair_id=pair.pk,
        now_ms=int(at(days).timestamp() * 1_000),
    )
    return {item.code: item for item in given}


def test_estimates_when_the_market_rises_then_one_with_its_confidence():
    store(BULL)
    regime_update(market="ETH", now=at(400))
    found = asked(days=400.5)
    regime = found["market_regime"]
    assert regime.value == 1
    assert Decimal("0.5") < regime.confidence < 1
    assert regime.as_of_ms == START_MS + 400 * DAY_MS
    assert found["market_volatility_bps"].value == pytest.approx(100, abs=20)
    assert found["market_breakout_bps"].is_known
    assert found["market_volatility_state"].value in (-1, 0, 1)


def test_estimates_when_opinions_differ_then_unknown_with_both():
    store(BULL + path((16, -0.008, 0.002), start=BULL[-1]))
    regime_update(market="ETH", now=at(416))
    regime = asked(days=416)["market_regime"]
    assert not regime.is_known
    assert regime.confidence == 0
    assert regime.reason_unknown.startswith("by the rule ETH falls")


def test_estimates_when_nothing_is_known_then_all_unknown_with_reasons():
    found = asked(days=400)
    assert {item.code for item in found.values() if item.is_known} == set()
    assert found["market_regime"].reason_unknown == "there are no daily candles of ETH"
    assert "10 are needed" in found["volatility_bps"].reason_unknown


def test_estimates_when_candles_stopped_then_unknown_since_when():
    store(BULL)
    regime_update(market="ETH", now=at(400))
    assert asked(days=410)["market_regime"].reason_unknown.startswith(
        "the newest daily candle of ETH is of 20"
    )


def test_estimates_when_read_then_three_queries_at_most(django_assert_max_num_queries):
    f.ChainFactory()
    pair = f.PairFactory()
    listing = listing_of(pair)
    with django_assert_max_num_queries(
        5
    ):  # the chain's profile with what belongs to it, the regime, the pool
        regime_estimates(
            listing=listing, facts=FACTS, pair_id=pair.pk, now_ms=int(at(400).timestamp() * 1_000)
        )


def test_estimates_when_the_pool_moved_for_an_hour_then_the_tokens_own_volatility():
    f.ChainFactory()
    pair = f.PairFactory()
    prices = path((75, 0.0, 0.01))
    for number, price in enumerate(prices):
        f.PoolSnapshotFactory(
            pair=pair,
            block_number=number,
            at=at(400) + timedelta(minutes=number),
            base_raw=10**24,
            quote_raw=int(price * 10**18),
        )
    now_ms = int((at(400) + timedelta(minutes=75)).timestamp() * 1_000)
    found = {
        item.code: item
        for item in regime_estimates(listing=listing_of(pair), facts=BARE, pair_id=pair.pk, now_ms=now_ms)
    }
    # One per cent a minute is 1 % times the root of sixty an hour.
    assert found["volatility_bps"].value == pytest.approx(775, rel=0.2)
    moves = found["volatility_bps"]
    assert moves.value is not None
    assert moves.low is not None
    assert moves.high is not None
    assert moves.low < moves.value < moves.high
    assert found["token_regime"].is_known
    assert found["token_regime"].confidence == Decimal("0.25")
    assert found["atr_bps"].is_known
