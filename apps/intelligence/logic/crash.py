"""How likely a pool's price halves within the hour: a fitted formula of how it was traded so far.

A rush of buyers by itself tells little of the crash that follows; how old the pool is, how far and how wildly its price
went, and how large its trades are for its depth tell much more (`manage.py evaluate pumps` shows by how much). No addresses
enter, so nobody's clustering can move it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from statistics import fmean, pstdev
from typing import Any, Final

from apps.domain.entities import Trade
from apps.domain.errors import BadDataError
from apps.domain.estimate import Estimate
from apps.domain.money import BPS_ONE
from apps.intelligence.logic.crowd import Crowd

FORMAT: Final = 1
#: Fewer trades tell nothing.
SWAPS_MIN: Final = 12
SWAPS_MAX: Final = 5_000
CHUNK_MS: Final = 25_000
CHUNKS_MAX: Final = 600
RECENT: Final = 40  # trades
NEAR: Final = 20  # trades back
HORIZON_MS: Final = 3_600_000
#: In the order of the parameters. Logarithms throughout, but for the share of purchases.
INPUTS: Final = ("age", "swaps", "buys", "rise", "near_rise", "swing_25s", "trades_25s", "size")
#: Fitted on one chain in other years: elsewhere the odds may be twice or half as high, and no more is trusted.
DOUBT: Final = 2.0
CONFIDENCE: Final = Decimal("0.4")
_LOGIT_MAX: Final = 20.0


def crash_inputs(trades: Sequence[Trade], *, quote_reserve_raw: int, now_ms: int) -> tuple[float, ...] | None:
    """Return the formula's inputs from the trades so far, in log order; None when there are too few or the pool is empty."""
    priced = [trade for trade in trades[-SWAPS_MAX:] if trade.base_raw > 0 and trade.quote_raw > 0]
    if len(priced) < SWAPS_MIN or quote_reserve_raw <= 0:
        return None
    recent = priced[-RECENT:]
    price_now = _price(priced[-1])
    changes, per_chunk = _chunks(priced)
    return (
        _log((now_ms - priced[0].at_ms) / 1_000 + 12, 1, 1e9),
        _log(len(priced), 1, 1e6),
        sum(trade.side == "buy" for trade in recent) / len(recent),
        _log(price_now / _price(priced[0]), 1e-3, 1e3),
        _log(price_now / _price(priced[-NEAR:][0]), 1e-3, 1e3),
        _log(changes, 1e-4, 10),
        _log(per_chunk, 1e-3, 100),
        _log(fmean(trade.quote_raw for trade in recent) / quote_reserve_raw, 1e-5, 10),
    )


def crash_estimate(crowd: Crowd, model: CrashModel) -> Estimate:
    """Return crash_1h_bps as of the pool's block, unknown under 12 trades or where the first were not read."""
    code = "crash_1h_bps"
    if crowd.trades is None:
        return crowd.unknown(code, "swaps")
    if not crowd.is_whole:
        return crowd.unknown(code, "swaps_before", otherwise="the first swaps were not read")
    if not crowd.reserve_quote_raw:
        return crowd.unknown(code, "reserves", otherwise="the pool is empty")
    inputs = crash_inputs(crowd.trades, quote_reserve_raw=crowd.reserve_quote_raw, now_ms=crowd.as_of_ms)
    if inputs is None:
        reason = f"{len(crowd.trades)} swaps: {SWAPS_MIN} with a price are needed"
        return crowd.unknown(code, otherwise=reason)
    share = model.probability(inputs)
    odds = share / max(1 - share, 1e-9)
    low, high = odds / DOUBT, odds * DOUBT
    return crowd.known(
        code,
        round(share * BPS_ONE),
        n=len(crowd.trades),
        low=math.floor(low / (1 + low) * BPS_ONE),
        high=math.ceil(high / (1 + high) * BPS_ONE),
        confidence=CONFIDENCE,
    )


def _price(trade: Trade) -> float:
    return trade.quote_raw / trade.base_raw


def _log(value: float, low: float, high: float) -> float:
    return math.log(min(max(value, low), high))


def _chunks(trades: Sequence[Trade]) -> tuple[float, float]:
    """Return the deviation of the price's change and the mean number of trades, over the newest chunks of 25 seconds."""
    last = trades[-1].at_ms // CHUNK_MS
    first = max(trades[0].at_ms // CHUNK_MS, last - CHUNKS_MAX + 1)
    counts = [0] * (last - first + 1)
    closes: list[float | None] = [None] * len(counts)
    for trade in trades:
        at = trade.at_ms // CHUNK_MS - first
        if at >= 0:
            counts[at] += 1
            closes[at] = _price(trade)
    changes, before = [], None
    for close in closes:
        changes.append(0.0 if before is None or close is None else close / before - 1)
        before = before if close is None else close
    return pstdev(changes), fmean(counts)


@dataclass(frozen=True, slots=True, kw_only=True)
class CrashModel:
    """Fitted parameters of a logistic formula: each input less its mean, by its deviation, times its weight.

    ``base_rate`` is how often it happened in the fitted rows; ``card`` says what they were.
    """

    intercept: float
    means: tuple[float, ...]
    deviations: tuple[float, ...]
    weights: tuple[float, ...]
    base_rate: float
    card: Mapping[str, Any]

    def probability(self, inputs: Sequence[float]) -> float:
        """Return the probability, 0..1, that the price halves within the hour."""
        score = self.intercept + math.fsum(
            weight * (value - mean) / deviation
            for value, mean, deviation, weight in zip(
                inputs, self.means, self.deviations, self.weights, strict=True
            )
        )
        return 1 / (1 + math.exp(-min(max(score, -_LOGIT_MAX), _LOGIT_MAX)))


def model_to_json(model: CrashModel) -> str:
    """Return the model as text, the same bytes for the same model."""
    return (
        json.dumps(
            {
                "format": FORMAT,
                "card": dict(model.card),
                "inputs": list(INPUTS),
                "intercept": model.intercept,
                "means": list(model.means),
                "deviations": list(model.deviations),
                "weights": list(model.weights),
                "base_rate": model.base_rate,
            },
            indent=1,
        )
        + "\n"
    )


def model_from_json(text: str) -> CrashModel:
    """Return the model that ``model_to_json`` wrote. Raises BadDataError."""
    try:
        found = json.loads(text)
        if found["format"] != FORMAT or tuple(found["inputs"]) != INPUTS:
            raise BadDataError("the parameters of the crash formula are of another format")
        model = CrashModel(
            intercept=float(found["intercept"]),
            means=_numbers(found["means"]),
            deviations=_numbers(found["deviations"]),
            weights=_numbers(found["weights"]),
            base_rate=float(found["base_rate"]),
            card=dict(found["card"]),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise BadDataError("the parameters of the crash formula are damaged") from error
    if min(model.deviations) <= 0:
        raise BadDataError("the parameters of the crash formula make no sense")
    return model


def _numbers(values: Sequence[Any]) -> tuple[float, ...]:
    numbers = tuple(float(value) for value in values)
    if len(numbers) != len(INPUTS) or not all(math.isfinite(number) for number in numbers):
        raise ValueError("not one finite number for each input")
    return numbers
