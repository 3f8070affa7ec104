"""The regime of each market: judged after every daily candle, kept, told when it changes, given to trading."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from django.db import IntegrityError, transaction

from apps.chains.selectors import chain_profile
from apps.discovery.models import PoolSnapshot
from apps.domain.candle import Interval
from apps.domain.estimate import Estimate, known, unknown
from apps.domain.events import EventKind
from apps.domain.ids import PairKey, trace_id_of
from apps.domain.market import Listing, PairFacts
from apps.domain.money import BPS_ONE
from apps.intelligence.logic import token_price
from apps.intelligence.logic.outlook import BARS_MAX, HOURS_MAX, STALE_AFTER_DAYS, Outlook, outlook
from apps.intelligence.logic.regime import Regime, VolatilityState
from apps.intelligence.models import MarketRegimeRecord
from apps.intelligence.services.candles import candles_of
from apps.intelligence.services.regime_parameters import shipped_curves
from apps.intelligence.sources.prices.port import market_of
from apps.state.kept import kept_for
from apps.state.services.events import event_record

#: Of a pool's newest changes so many are looked at.
STEPS_MAX = 600
_SOURCE = "candles"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
#: A regime lasts days: it is not read anew for every pair.
_KEPT_MS = 2_000
_MILLISECOND = timedelta(milliseconds=1)
_VALUES = {"bull": 1, "bear": -1, "crab": 0, "volatile": 0}
_STATES = {VolatilityState.CALM.value: -1, VolatilityState.NORMAL.value: 0, VolatilityState.HIGH.value: 1}


@dataclass(frozen=True, slots=True, kw_only=True)
class RegimeNow:
    """The newest regime of a market. ``is_stale``: its candles stopped coming, so it counts as unknown."""

    record: MarketRegimeRecord
    is_stale: bool

    @property
    def regime(self) -> Regime:
        """Return the regime as it may be relied on now."""
        return Regime.UNKNOWN if self.is_stale else Regime(self.record.regime)


# -- judging ------------------------------------------------------------------------------
def regimes_update(*, markets: Iterable[str], now: datetime) -> tuple[MarketRegimeRecord, ...]:
    """Judge each market whose newest daily candle was not judged yet; return the new records.

    Raises ConfigurationError when the shipped parameters are gone.
    """
    made = (regime_update(market=market, now=now) for market in markets)
    return tuple(record for record in made if record is not None)


def regime_update(*, market: str, now: datetime) -> MarketRegimeRecord | None:
    """Judge a market after its newest daily candle; None when that was done already or there is none."""
    newest = candles_of(market=market, interval=Interval.DAY, count=1)
    if not newest:
        return None
    as_of = _EPOCH + newest[0].closed_at_ms * _MILLISECOND
    if MarketRegimeRecord.objects.filter(market=market, as_of=as_of).exists():
        return None
    found = outlook(
        market=market,
        days=candles_of(market=market, interval=Interval.DAY, count=BARS_MAX),
        hours=candles_of(market=market, interval=Interval.HOUR, count=HOURS_MAX),
        curves=shipped_curves(),
    )
    before = (
        MarketRegimeRecord.objects.filter(market=market)
        .exclude(regime=Regime.UNKNOWN.value)
        .order_by("-as_of")
        .values_list("regime", flat=True)
        .first()
    )
    record = _record(
        found, before=before, source=newest[0].source, now=now, is_simulated=newest[0].is_simulated
    )
    try:
        with transaction.atomic():
            record.save()
            if record.is_change:
                _tell(record, before)
    except IntegrityError:  # another worker was quicker
        return None
    return record


def _record(
    found: Outlook, *, before: str | None, source: str, now: datetime, is_simulated: bool
) -> MarketRegimeRecord:
    chance = found.breakout_probability
    return MarketRegimeRecord(
        market=found.market,
        regime=found.regime.value,
        by_rule=found.by_rule.value,
        second_opinion=found.second_opinion.value,
        confidence_bps=int(found.confidence * BPS_ONE),
        volatility_state=found.volatility_state.value,
        hour_deviation_bps=found.hour_deviation_bps,
        breakout_bps=None if chance is None else int(chance * BPS_ONE),
        breakout_level=found.breakout_level,
        bars=found.bars,
        source=source,
        is_simulated=is_simulated,
        is_change=found.regime is not Regime.UNKNOWN and found.regime.value != before,
        why=found.why,
        trace_id=trace_id_of(PairKey(f"market:{found.market}"), found.as_of_ms // Interval.DAY.duration_ms),
        as_of=_EPOCH + found.as_of_ms * _MILLISECOND,
        created_at=now,
    )


def _tell(record: MarketRegimeRecord, before: str | None) -> None:
    mark = "Simulated: " if record.is_simulated else ""
    event_record(
        kind=EventKind.MARKET_REGIME_CHANGE,
        trace_id=record.trace_id,
        subject=f"market:{record.market}",
        summary=f"{mark}{record.why}",
        payload={
            "market": record.market,
            "regime": record.regime,
            "before": before or "",
            "confidence_bps": record.confidence_bps,
            "volatility": record.volatility_state,
            "second_opinion": record.second_opinion,
            "as_of_ms": (record.as_of - _EPOCH) // _MILLISECOND,
            "simulated": record.is_simulated,
        },
    )


# -- asking -------------------------------------------------------------------------------
def regime_now(*, market: str, now: datetime) -> RegimeNow | None:
    """Return the newest regime of a market, None when it was never judged."""
    record = MarketRegimeRecord.objects.filter(market=market).order_by("-as_of").first()
    if record is None:
        return None
    return RegimeNow(record=record, is_stale=now - record.as_of > timedelta(days=STALE_AFTER_DAYS))


def regime_estimates(
    *, listing: Listing, facts: PairFacts, pair_id: int, now_ms: int
) -> tuple[Estimate, ...]:
    """Return the market's regime and volatility, and how the token's own price moves; two queries.

    ``market_regime`` is -1 falling, 0 neither, 1 rising, of the chain's own coin; ``volatility_bps`` the deviation of one
    hour of the token's price.
    """
    now = _EPOCH + now_ms * _MILLISECOND
    symbol, latest = _coins_regime(listing.base.chain_key, now_ms // _KEPT_MS)
    steps = _steps(pair_id, facts, now)
    return (
        *market_estimates(latest, symbol=symbol, now_ms=now_ms),
        *token_price.estimates(steps, now_ms=now_ms),
    )


@kept_for(_KEPT_MS / 1_000)
def _coins_regime(chain_key: str, moment: int) -> tuple[str, RegimeNow | None]:
    """Return the symbol of a chain's own coin and what is known of its market; ``moment`` counts the times it is kept."""
    symbol = chain_profile(chain_key).native.symbol
    market = market_of(symbol)
    now = _EPOCH + moment * _KEPT_MS * _MILLISECOND
    return symbol, None if market is None else regime_now(market=market, now=now)


def market_estimates(latest: RegimeNow | None, *, symbol: str, now_ms: int) -> tuple[Estimate, ...]:
    """Return market_regime, market_volatility_state (-1 calm, 1 high), market_volatility_bps, market_breakout_bps."""
    asked = (
        ("market_regime", "level"),
        ("market_volatility_state", "level"),
        ("market_volatility_bps", "bps"),
        ("market_breakout_bps", "bps"),
    )
    if latest is None or latest.is_stale:
        reason = (
            f"there are no daily candles of {symbol}"
            if latest is None
            else f"the newest daily candle of {symbol} is of {latest.record.as_of:%Y-%m-%d}"
        )
        return tuple(
            unknown(code, reason, unit=unit, source=_SOURCE, as_of_ms=now_ms) for code, unit in asked
        )
    record = latest.record
    as_of_ms = (record.as_of - _EPOCH) // _MILLISECOND
    values: dict[str, tuple[int | Decimal | None, Decimal]] = {
        "market_regime": (_VALUES.get(record.regime), Decimal(record.confidence_bps) / BPS_ONE),
        "market_volatility_state": (_STATES.get(record.volatility_state), Decimal(1)),
        "market_volatility_bps": (record.hour_deviation_bps, Decimal(1)),
        "market_breakout_bps": (record.breakout_bps, Decimal(1)),
    }
    return tuple(
        unknown(code, _why_unknown(code, record), unit=unit, source=_SOURCE, as_of_ms=as_of_ms)
        if (value := values[code][0]) is None
        else known(
            code,
            value,
            unit=unit,
            source=_SOURCE,
            as_of_ms=as_of_ms,
            confidence=values[code][1],
            n=record.bars,
        )
        for code, unit in asked
    )


def _why_unknown(code: str, record: MarketRegimeRecord) -> str:
    if code == "market_regime":
        return record.why.removeprefix("Unknown: ")[:200]
    return f"there are too few candles of {record.market}"


def _steps(pair_id: int, facts: PairFacts, now: datetime) -> list[token_price.Step]:
    """Return the pool's reserves after its newest changes, oldest first, with those of the facts as the last."""
    since = now - timedelta(milliseconds=token_price.BARS_MAX * token_price.BAR_MS)
    rows = (
        PoolSnapshot.objects.filter(pair_id=pair_id, at__gte=since)
        .order_by("-block_number")
        .values_list("at", "base_raw", "quote_raw")[:STEPS_MAX]
    )
    steps = [((at - _EPOCH) // _MILLISECOND, base, quote) for at, base, quote in reversed(rows)]
    if facts.reserves is not None:
        steps.append((facts.block.at_ms, facts.reserves.base_raw, facts.reserves.quote_raw))
    return steps
