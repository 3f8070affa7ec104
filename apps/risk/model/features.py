"""The model's inputs, computed from a pool's history alone: the same code for training and for live pairs.

Every figure is a number, or None when it cannot be known. None of them names a pool, a wallet or a date, so that what
is learned is how launches behave and not which ones they were. Times and sizes are logarithms, shares are 0..1.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median

from apps.risk.model.history import STEPS_MAX, Features, PoolHistory, ReserveStep
from apps.risk.model.lp import lp_features

#: Relative changes below this are the rounding of recorded reserves (single precision), not moves.
_MOVE_MIN = 1e-6
_TINY = 1e-12
_QUOTE_MIN = 1e-18
_RESERVE_MAX = 2.0**112
#: The first blocks after a launch, in which bots buy: 3 and 10 blocks of 13 s.
_RUSH_S = (40.0, 130.0)
_QUARTERS = 4


@dataclass(frozen=True, slots=True)
class Move:
    """One change of the reserves: the quote side's change in coins and as share of what was there, and the base's."""

    block: int
    age_s: float
    quote: float
    quote_share: float
    base_share: float


@dataclass(slots=True)
class _Moves:
    """All changes by kind; a change that fits none is odd."""

    buys: list[Move] = field(default_factory=list)
    sells: list[Move] = field(default_factory=list)
    adds: list[Move] = field(default_factory=list)
    removals: list[Move] = field(default_factory=list)
    base_only: list[Move] = field(default_factory=list)  # burned, minted or rebased inside the pool
    odd: int = 0


def features(history: PoolHistory) -> Features:
    """Return every input by name, unknown ones as None."""
    found: dict[str, float | None] = {
        "age": _log(history.cut_age_s),
        "created_before": _log1p(history.created_before_s),
        "base_decimals": _number(history.base_decimals),
        "earlier_pools": _number(history.earlier_pools),
        "earlier_dead": _number(history.earlier_dead),
    }
    found.update(lp_features(history))
    steps = [step for step in (history.steps or ())[:STEPS_MAX] if _is_sound(step)]
    if steps:
        # After the last event that is kept nothing is known, so the window ends there.
        end_s = steps[-1].age_s if len(steps) >= STEPS_MAX else history.cut_age_s
        moves = _moves(steps)
        found.update(_size(history, steps))
        found.update(_path(steps, end_s))
        found.update(_pace(steps, end_s))
        found.update(_trades(steps[0], moves))
        found.update(_buys(moves, end_s))
        found.update(_sells(moves, end_s))
        if history.sees_liquidity:
            found.update(_liquidity(steps[0], moves))
    return found


def _is_sound(step: ReserveStep) -> bool:
    """Tell whether both sides hold at least a smallest unit and no more than a uint112 can say."""
    return _QUOTE_MIN <= step.quote <= _RESERVE_MAX and 1 <= step.base <= _RESERVE_MAX


def _moves(steps: Sequence[ReserveStep]) -> _Moves:
    found = _Moves()
    for before, after in itertools.pairwise(steps):
        quote = after.quote - before.quote
        quote_share = quote / before.quote
        base_share = (after.base - before.base) / before.base
        move = Move(after.block, after.age_s, abs(quote), abs(quote_share), base_share)
        quote_sign = 0 if abs(quote_share) <= _MOVE_MIN else math.copysign(1, quote_share)
        base_sign = 0 if abs(base_share) <= _MOVE_MIN else math.copysign(1, base_share)
        if quote_sign > 0 > base_sign:
            found.buys.append(move)
        elif quote_sign < 0 < base_sign:
            found.sells.append(move)
        elif quote_sign > 0 < base_sign:
            found.adds.append(move)
        elif quote_sign < 0 > base_sign:
            found.removals.append(move)
        elif base_sign and not quote_sign:
            found.base_only.append(move)
        else:
            found.odd += 1
    return found


def _size(history: PoolHistory, steps: Sequence[ReserveStep]) -> Features:
    """How large the pool was at first and is now; makers of many pools like round sums."""
    first, last = steps[0], steps[-1]
    decimals = history.base_decimals
    return {
        "quote_first": _log(first.quote),
        "quote_first_round": float(_is_round(first.quote, 1.0)),
        "quote_first_half": float(_is_round(first.quote, 0.5)),
        "base_first": _log(first.base),
        "base_first_mantissa": math.log10(max(first.base, 1.0)) % 1,
        "base_first_units": None if decimals is None else _log(first.base / 10**decimals),
        "quote_last": _log(last.quote),
    }


def _path(steps: Sequence[ReserveStep], end_s: float) -> Features:
    """Return where quote reserve and price went: since the start, from the peak, and lately."""
    first, last = steps[0], steps[-1]
    peak, low = max(step.quote for step in steps), min(step.quote for step in steps)
    prices = [math.log(step.quote / step.base) for step in steps]
    price_peak = max(prices)
    returns = [after - before for before, after in itertools.pairwise(prices)]
    found = {
        "quote_change": _log(last.quote / first.quote),
        "quote_from_peak": _log(last.quote / peak),
        "quote_peak": _log(peak / first.quote),
        "quote_low": _log(low / first.quote),
        "base_change": _log(last.base / first.base),
        "price_change": prices[-1] - prices[0],
        "price_from_peak": prices[-1] - price_peak,
        "price_peak": price_peak - prices[0],
        "product_change": _log(last.quote / first.quote) + _log(last.base / first.base),
        "return_deviation": _deviation(returns),
        "return_min": min(returns, default=None),
        "return_max": max(returns, default=None),
    }
    for name, share in (("half", 0.5), ("quarter", 0.75)):
        at = _place(steps, end_s * share)
        found[f"quote_last_{name}"] = _log(last.quote / steps[at].quote)
        found[f"price_last_{name}"] = prices[-1] - prices[at]
    return found


def _place(steps: Sequence[ReserveStep], age_s: float) -> int:
    """Return the index of the newest step that is not younger than ``age_s``."""
    return max((index for index, step in enumerate(steps) if step.age_s <= age_s), default=0)


def _pace(steps: Sequence[ReserveStep], end_s: float) -> Features:
    """Return how often something happened, at first and lately."""
    gaps = [after.age_s - before.age_s for before, after in itertools.pairwise(steps)]
    counts = [0] * _QUARTERS
    for step in steps[1:]:
        counts[min(_QUARTERS - 1, int(_QUARTERS * step.age_s / max(end_s, 1.0)))] += 1
    total = len(steps) - 1
    found: dict[str, float | None] = {
        "events": float(len(steps)),
        "is_cut_short": float(len(steps) >= STEPS_MAX),
        "last_ago": _log1p(end_s - steps[-1].age_s),
        "blocks_share": len({step.block for step in steps}) / len(steps),
        "gap_median": _log1p(median(gaps)) if gaps else None,
        "gap_max": _log1p(max(gaps)) if gaps else None,
        "events_first_block": float(sum(step.block == steps[0].block for step in steps) - 1),
        "events_rush": float(sum(step.age_s <= _RUSH_S[0] for step in steps) - 1),
        "events_rush_long": float(sum(step.age_s <= _RUSH_S[1] for step in steps) - 1),
        "rate": math.log(total / max(end_s, 13.0) + 1e-5),
        "quarters_ratio": math.log((counts[-1] + 0.5) / (counts[0] + 0.5)),
    }
    for number, count in enumerate(counts):
        found[f"quarter_{number}"] = count / total if total else None
    return found


def _trades(first: ReserveStep, moves: _Moves) -> Features:
    """Return how much was bought and sold; a token nobody can sell shows buys alone."""
    bought, sold = sum(move.quote for move in moves.buys), sum(move.quote for move in moves.sells)
    trades = len(moves.buys) + len(moves.sells)
    buy_blocks = {move.block for move in moves.buys}
    beside_buys = sum(move.block in buy_blocks for move in moves.sells)
    return {
        "buys": float(len(moves.buys)),
        "sells": float(len(moves.sells)),
        "sells_share": len(moves.sells) / trades if trades else None,
        "bought": bought / first.quote,
        "sold": sold / first.quote,
        "bought_coins": math.log(bought + 1e-4),
        "sold_share": sold / (bought + sold) if bought + sold > 0 else None,
        "net_bought": (bought - sold) / first.quote,
        "sells_beside_buys": beside_buys / len(moves.sells) if moves.sells else None,
        "base_only_moves": float(len(moves.base_only)),
        "base_only_sum": sum(move.base_share for move in moves.base_only),
        "odd_moves": float(moves.odd),
    }


def _buys(moves: _Moves, end_s: float) -> Features:
    """Return who buys: many of different size, or one of always the same."""
    if not moves.buys:
        return {}
    sizes = [move.quote for move in moves.buys]
    total, mean = sum(sizes), sum(sizes) / len(sizes)
    first_sell = moves.sells[0].age_s if moves.sells else math.inf
    return {
        "buy_largest": max(move.quote_share for move in moves.buys),
        "buy_median": _log(median(sizes)),
        "buy_mean": _log(mean),
        "buy_variation": (_deviation(sizes) or 0.0) / mean,
        "buy_concentration": sum((size / total) ** 2 for size in sizes),
        "buy_top_share": max(sizes) / total,
        "buy_first": moves.buys[0].quote_share,
        "buy_first_after": _log1p(moves.buys[0].age_s),
        "buy_last_ago": _log1p(end_s - moves.buys[-1].age_s),
        "buy_round": sum(_is_round(size, 0.05) for size in sizes) / len(sizes),
        "buy_roundish": sum(_is_round(size, 0.01) for size in sizes) / len(sizes),
        "buy_same": 1 - len({round(size, 4) for size in sizes}) / len(sizes),
        "buys_before_sell": float(sum(move.age_s <= first_sell for move in moves.buys)),
    }


def _sells(moves: _Moves, end_s: float) -> Features:
    """Return who sells: a maker who cashes in sells more at once than the crowd buys."""
    if not moves.sells:
        return {}
    sizes = [move.quote for move in moves.sells]
    total, mean = sum(sizes), sum(sizes) / len(sizes)
    buy_mean = sum(move.quote for move in moves.buys) / len(moves.buys) if moves.buys else None
    return {
        "sell_largest": max(move.quote_share for move in moves.sells),
        "sell_median": _log(median(sizes)),
        "sell_mean": _log(mean),
        "sell_concentration": sum((size / total) ** 2 for size in sizes),
        "sell_last": moves.sells[-1].quote_share,
        "sell_first_after": _log1p(moves.sells[0].age_s),
        "sell_last_ago": _log1p(end_s - moves.sells[-1].age_s),
        "sell_to_buy": None if buy_mean is None else _log(mean / buy_mean),
    }


def _liquidity(first: ReserveStep, moves: _Moves) -> Features:
    """Return what was added and taken out after the start."""
    return {
        "adds": float(len(moves.adds)),
        "removals": float(len(moves.removals)),
        "added": sum(move.quote for move in moves.adds) / first.quote,
        "removed": sum(move.quote for move in moves.removals) / first.quote,
    }


# -- numbers ------------------------------------------------------------------------------
def _number(value: int | None) -> float | None:
    return None if value is None else float(value)


def _log(value: float) -> float:
    return math.log(max(value, _TINY))


def _log1p(value: float | None) -> float | None:
    return None if value is None else math.log1p(max(value, 0.0))


def _deviation(values: Sequence[float]) -> float | None:
    """Return the population's standard deviation; statistics.pstdev is exact and fifty times slower."""
    if not values:
        return None
    mean = sum(values) / len(values)
    return math.sqrt(sum((value - mean) ** 2 for value in values) / len(values))


def _is_round(value: float, unit: float) -> bool:
    parts = value / unit
    return round(parts) > 0 and abs(parts - round(parts)) < 1e-4
