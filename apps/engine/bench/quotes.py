"""What one quote takes in pure Python, beside other libraries where they are installed."""

from __future__ import annotations

import importlib.util
import random
import time
from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import partial
from importlib import import_module
from typing import Any

from apps.chains.evm.dex import concentrated_liquidity, constant_product, solidly_curves
from apps.chains.evm.dex.concentrated_liquidity import sqrt_price_at, swap_quote
from apps.domain.concentrated import ConcentratedLiquidity

_POOLS = 500
_ROUNDS = 7
_FRESH_ROUNDS = 5
_FEE_BPS = 30
_SPACING = 60
_COIN = 10**18
_STEPS = 3

Quote = Callable[[], object]


def run() -> dict[str, Any]:
    """Measure and return the report; every figure is in microseconds a quote, the best of some rounds over many pools."""
    rng = random.Random(5)  # noqa: S311  # the same pools at each run
    constants = [(rng.randrange(10**19, 10**22), rng.randrange(10**22, 10**27)) for _ in range(_POOLS)]
    ranged = [_ranged(rng) for _ in range(_POOLS * _FRESH_ROUNDS)]
    assert (
        swap_quote(ranged[0], zero_for_one=True, amount_in_raw=_amount_to(ranged[0], 10)).ticks_crossed == 0
    )
    concentrated_liquidity.sqrt_price_at.cache_clear()
    figures: dict[str, Any] = {
        "v2_us": _us([_constant_product(*pool) for pool in constants]),
        "v3_one_range_us": _fresh_us([_concentrated(pool) for pool in ranged]),
        "v3_three_ticks_us": _fresh_us([_crossing(pool) for pool in ranged]),
        "solidly_volatile_us": _us([_volatile(*pool) for pool in constants]),
        "solidly_stable_us": _us([_stable(rng.randrange(1, 10**6)) for _ in range(_POOLS)]),
        "pools": _POOLS,
    }
    baseline = {
        "degenbot_v2_us": _others(_degenbot_v2, constants),
        "degenbot_v3_one_step_us": _others(_degenbot_v3_step, ranged, measured=_fresh_us),
        "eth_defi_v2_us": _others(_eth_defi_v2, constants),
    }
    pairs = (
        ("v2_to_degenbot", "v2_us", "degenbot_v2_us"),
        ("v3_to_degenbot_step", "v3_one_range_us", "degenbot_v3_one_step_us"),
        ("v2_to_eth_defi", "v2_us", "eth_defi_v2_us"),
    )
    ratio = {
        name: round(figures[ours] / baseline[theirs], 2)
        for name, ours, theirs in pairs
        if baseline[theirs] is not None
    }
    return {"name": "quotes", "figures": figures, "baseline": baseline, "ratio": ratio}


def _us(quotes: Sequence[Quote]) -> float:
    """Return the microseconds of one call, the best round of several; calling an empty function is taken off."""
    return round(max(_best(quotes) - _best([_nothing] * len(quotes)), 0.0), 3)


def _fresh_us(quotes: Sequence[Quote]) -> float:
    """Return the microseconds of one call that was never asked before, the best of some rounds: answers may be kept."""
    rounds = [quotes[start::_FRESH_ROUNDS] for start in range(_FRESH_ROUNDS)]
    empty = _best([_nothing] * len(rounds[0]))
    return round(max(min(_once(part) for part in rounds) - empty, 0.0), 3)


def _once(quotes: Sequence[Quote]) -> float:
    started = time.perf_counter()
    for quote in quotes:
        quote()
    return (time.perf_counter() - started) * 1e6 / len(quotes)


def _best(quotes: Sequence[Quote]) -> float:
    return min(_once(quotes) for _ in range(_ROUNDS))


def _nothing() -> None:
    return None


# -- ours -------------------------------------------------------------------------------------------


def _constant_product(into: int, out: int) -> Quote:
    return lambda: constant_product.amount_out(
        amount_in_raw=_COIN, reserve_in_raw=into, reserve_out_raw=out, fee_bps=_FEE_BPS
    )


def _volatile(into: int, out: int) -> Quote:
    return lambda: solidly_curves.amount_out_volatile(
        amount_in_raw=_COIN, reserve_in_raw=into, reserve_out_raw=out, fee_bps=_FEE_BPS
    )


def _stable(coins: int) -> Quote:
    return lambda: solidly_curves.amount_out_stable(
        amount_in_raw=10**6,
        reserve_in_raw=(coins + 10) * 10**6,
        reserve_out_raw=(coins + 12) * _COIN,
        unit_in=10**6,
        unit_out=_COIN,
        is_in_token0=True,
        fee_bps=5,
    )


def _ranged(rng: random.Random) -> ConcentratedLiquidity:
    """Return a pool with one wide position and some narrow ones below its price, as a launch has them."""
    spacings = rng.randint(-1_500, 1_500)
    tick, liquidity = spacings * _SPACING + 31, rng.randrange(10**21, 10**24)
    steps = tuple(((spacings - number) * _SPACING, 10**20) for number in range(_STEPS - 1, -1, -1))
    return ConcentratedLiquidity(
        sqrt_price_x96=sqrt_price_at(tick) + 12_345,
        tick=tick,
        liquidity=liquidity,
        fee_pips=_FEE_BPS * 100,
        tick_spacing=_SPACING,
        ticks=((-887_220, liquidity), *steps, (887_220, -liquidity)),
        known_from=-(2**23),
        known_to=2**23,
    )


def _concentrated(pool: ConcentratedLiquidity) -> Quote:
    amount = _amount_to(pool, 10)
    return lambda: concentrated_liquidity.amount_out(pool, zero_for_one=True, amount_in_raw=amount)


def _crossing(pool: ConcentratedLiquidity) -> Quote:
    amount = _amount_to(pool, 31 + (_STEPS - 1) * _SPACING + 20)
    return lambda: concentrated_liquidity.amount_out(pool, zero_for_one=True, amount_in_raw=amount)


def _amount_to(pool: ConcentratedLiquidity, ticks: int) -> int:
    """Return about what moves the price down by so many ticks."""
    target = sqrt_price_at(pool.tick - ticks)
    return concentrated_liquidity.amount0_between(target, pool.sqrt_price_x96, pool.liquidity, up=True)


# -- others -----------------------------------------------------------------------------------------


def _others(
    build: Callable[[Any], list[Quote]],
    pools: Sequence[Any],
    *,
    measured: Callable[[Sequence[Quote]], float] = _us,
) -> float | None:
    """Return another library's figure, None where it is not installed or is another version than is known here."""
    try:
        return measured(build(pools))
    except (ImportError, AttributeError, TypeError):
        return None


def _module(name: str) -> Any:
    if importlib.util.find_spec(name.partition(".")[0]) is None:
        raise ImportError(name)
    return import_module(name)


def _degenbot_v2(pools: Sequence[tuple[int, int]]) -> list[Quote]:
    solve = _module("degenbot.uniswap.v2_functions").constant_product_calc_exact_in
    fee = Fraction(3, 1_000)
    return [
        partial(solve, amount_in=_COIN, reserves_in=into, reserves_out=out, fee=fee) for into, out in pools
    ]


def _degenbot_v3_step(pools: Sequence[ConcentratedLiquidity]) -> list[Quote]:
    step = _module("degenbot.uniswap.v3_libraries.swap_math").compute_swap_step
    return [
        partial(
            step,
            pool.sqrt_price_x96,
            sqrt_price_at(pool.tick // _SPACING * _SPACING),
            pool.liquidity,
            _amount_to(pool, 10),
            pool.fee_pips,
        )
        for pool in pools
    ]


def _eth_defi_v2(pools: Sequence[tuple[int, int]]) -> list[Quote]:
    calculator = _module("eth_defi.uniswap_v2.fees").UniswapV2FeeCalculator
    return [partial(calculator.get_amount_out, _COIN, into, out, fee=_FEE_BPS) for into, out in pools]
