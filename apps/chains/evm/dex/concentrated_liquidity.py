"""The arithmetic of concentrated liquidity in integers, to the last unit as the pools' contracts do it. Pure.

Source: Uniswap v3 whitepaper 6.1 to 6.3, and the rounding that the public contracts are specified to have: what goes in
is rounded up, what comes out down, at every step. A step ends at an initialised tick, or where a word of the pool's
bitmap ends: 256 tick spacings.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from functools import lru_cache
from math import isqrt, log

from apps.domain.concentrated import ConcentratedLiquidity

TICK_MAX = 887_272
Q96 = 1 << 96
PIPS_ONE = 1_000_000
UINT160_MAX = 2**160 - 1
_UINT256_MAX = 2**256 - 1
#: Ticks of one word of a pool's bitmap, in tick spacings.
WORD_TICKS = 256
#: From one end of all prices to the other by the smallest spacing, a word a step, and as many ticks again.
STEPS_MAX = 20_000
_TICK_CACHE_MAX = 1 << 17
_LOW_BITS = 10
_TICK_BITS = 20


def _root_powers() -> tuple[int, ...]:
    """Return 1.0001^(-2^i / 2) for each bit of a tick, times 2^128 and rounded to the nearest."""
    precision = 600
    root = isqrt((10_000 << (2 * precision)) // 10_001)
    powers = []
    for _ in range(_TICK_BITS):
        powers.append((root + (1 << (precision - 129))) >> (precision - 128))
        root = root * root >> precision
    return tuple(powers)


def _low_ratios(powers: tuple[int, ...]) -> tuple[int, ...]:
    """Return the products of the lowest bits' powers, cut after each factor, the lowest bit first."""
    ratios = []
    for number in range(1 << _LOW_BITS):
        ratio = 1 << 128
        for bit in range(_LOW_BITS):
            if number >> bit & 1:
                ratio = ratio * powers[bit] >> 128
        ratios.append(ratio)
    return tuple(ratios)


_POWERS = _root_powers()
_LOW_RATIOS = _low_ratios(_POWERS)
_HIGH_POWERS = tuple(enumerate(_POWERS[_LOW_BITS:]))


def _sqrt_price_at(tick: int) -> int:
    distance = abs(tick)
    assert distance <= TICK_MAX, tick
    ratio, high = _LOW_RATIOS[distance & (1 << _LOW_BITS) - 1], distance >> _LOW_BITS
    for bit, power in _HIGH_POWERS:
        if high >> bit & 1:
            ratio = ratio * power >> 128
    if tick > 0:
        ratio = _UINT256_MAX // ratio
    return -(-ratio >> 32)


#: Return the root of a tick's price times 2^96, rounded up as the contract does.
sqrt_price_at = lru_cache(maxsize=_TICK_CACHE_MAX)(_sqrt_price_at)
SQRT_PRICE_MIN = _sqrt_price_at(-TICK_MAX)
SQRT_PRICE_MAX = _sqrt_price_at(TICK_MAX)


def tick_at(sqrt_price_x96: int) -> int:
    """Return the greatest tick whose price is not above this one."""
    assert SQRT_PRICE_MIN <= sqrt_price_x96 < SQRT_PRICE_MAX, sqrt_price_x96
    # The logarithm in floating point is at most one tick off; the exact price of the tick settles it.
    tick = int(2 * log(sqrt_price_x96 / Q96) / log(1.0001))
    tick = min(max(tick, -TICK_MAX), TICK_MAX - 1)
    while _sqrt_price_at(tick) > sqrt_price_x96:
        tick -= 1
    while _sqrt_price_at(tick + 1) <= sqrt_price_x96:
        tick += 1
    return tick


def amount0_between(lower: int, upper: int, liquidity: int, *, up: bool) -> int:
    """Return the token0 that lies between two root prices."""
    numerator = (liquidity << 96) * (upper - lower)
    if not up:
        return numerator // upper // lower
    by_upper = -(-numerator // upper)
    return -(-by_upper // lower)


def amount1_between(lower: int, upper: int, liquidity: int, *, up: bool) -> int:
    """Return the token1 that lies between two root prices."""
    product = liquidity * (upper - lower)
    return -(-product >> 96) if up else product >> 96


@dataclass(frozen=True, slots=True, kw_only=True)
class SwapQuote:
    """What a swap of exact input does. ``amount_in_raw`` is what the pool takes: less than offered when it runs dry.

    ``is_known`` is False when the price would leave the ticks that were read: then the figures are of the known part.
    """

    amount_in_raw: int
    amount_out_raw: int
    sqrt_price_x96: int
    ticks_crossed: int
    is_known: bool = True


def amount_out(pool: ConcentratedLiquidity, *, zero_for_one: bool, amount_in_raw: int) -> int:
    """Return what the pool gives for ``amount_in_raw``: quick where no tick is crossed, else by ``swap_quote``.

    Where the pool runs dry, or the known ticks end, it is what the part that fits brings.
    """
    sqrt_price, liquidity = pool.sqrt_price_x96, pool.liquidity
    remaining = amount_in_raw * (PIPS_ONE - pool.fee_pips) // PIPS_ONE
    if liquidity > 0 and remaining > 0 and is_tick_known(pool, pool.tick, zero_for_one=zero_for_one):
        if zero_for_one:
            target = sqrt_price_at(max(_step_down(pool, pool.tick)[0], -TICK_MAX))
            product, whole = remaining * sqrt_price, liquidity << 96
            bound = whole + product
            if bound <= _UINT256_MAX:
                after = -(-whole * sqrt_price // bound)
                if after > target:
                    return liquidity * (sqrt_price - after) >> 96
        else:
            after = sqrt_price + (remaining << 96) // liquidity
            if after < sqrt_price_at(min(_step_up(pool, pool.tick)[0], TICK_MAX)):
                return (liquidity << 96) * (after - sqrt_price) // after // sqrt_price
    return swap_quote(pool, zero_for_one=zero_for_one, amount_in_raw=amount_in_raw).amount_out_raw


def swap_quote(pool: ConcentratedLiquidity, *, zero_for_one: bool, amount_in_raw: int) -> SwapQuote:
    """Return what swapping exactly ``amount_in_raw`` does, crossing ticks as the contract does."""
    assert amount_in_raw >= 0, amount_in_raw
    sqrt_price, tick, liquidity = pool.sqrt_price_x96, pool.tick, pool.liquidity
    limit = SQRT_PRICE_MIN + 1 if zero_for_one else SQRT_PRICE_MAX - 1
    left, given, crossed, is_known = amount_in_raw, 0, 0, True
    for _ in range(STEPS_MAX):
        if left == 0 or sqrt_price == limit:
            break
        if not is_tick_known(pool, tick, zero_for_one=zero_for_one):
            is_known = False
            break
        following, net = _step_down(pool, tick) if zero_for_one else _step_up(pool, tick)
        following = min(max(following, -TICK_MAX), TICK_MAX)
        end = sqrt_price_at(following)
        target = max(end, limit) if zero_for_one else min(end, limit)
        if liquidity == 0:
            sqrt_price, taken, out = target, 0, 0
        else:
            sqrt_price, taken, out = _step(
                sqrt_price, target, liquidity, left, fee_pips=pool.fee_pips, zero_for_one=zero_for_one
            )
        left, given = left - taken, given + out
        if sqrt_price == end:
            if net is not None:
                liquidity += -net if zero_for_one else net
                crossed += 1
            tick = following - 1 if zero_for_one else following
        else:
            break  # the input is spent, or all prices are passed
    else:
        is_known = False
    return SwapQuote(
        amount_in_raw=amount_in_raw - left,
        amount_out_raw=given,
        sqrt_price_x96=sqrt_price,
        ticks_crossed=crossed,
        is_known=is_known,
    )


def is_tick_known(pool: ConcentratedLiquidity, tick: int, *, zero_for_one: bool) -> bool:
    """Tell whether what a step from ``tick`` meets was read: upwards it looks from the next spacing on."""
    if zero_for_one:
        return pool.known_from <= tick < pool.known_to
    return pool.known_from <= tick and (tick // pool.tick_spacing + 1) * pool.tick_spacing < pool.known_to


def _step(
    sqrt_price: int, target: int, liquidity: int, left: int, *, fee_pips: int, zero_for_one: bool
) -> tuple[int, int, int]:
    """Return the root price after one step, what it takes with the fee, and what it gives."""
    after_fee = left * (PIPS_ONE - fee_pips) // PIPS_ONE
    if zero_for_one:
        needed = amount0_between(target, sqrt_price, liquidity, up=True)
        after = target if after_fee >= needed else _after_token0(sqrt_price, liquidity, after_fee)
        given = amount1_between(after, sqrt_price, liquidity, up=False)
    else:
        needed = amount1_between(sqrt_price, target, liquidity, up=True)
        after = target if after_fee >= needed else sqrt_price + (after_fee << 96) // liquidity
        given = amount0_between(sqrt_price, after, liquidity, up=False)
    if after != target:  # what is left over by rounding goes to the fee
        return after, left, given
    return after, needed + -(-needed * fee_pips // (PIPS_ONE - fee_pips)), given


def _after_token0(sqrt_price: int, liquidity: int, amount: int) -> int:
    """Return the root price after token0 went in, rounded up; the contract's form for products beyond 256 bits too."""
    whole, product = liquidity << 96, amount * sqrt_price
    if product <= _UINT256_MAX and whole + product <= _UINT256_MAX:
        return -(-whole * sqrt_price // (whole + product))
    return -(-whole // (whole // sqrt_price + amount))


def _step_down(pool: ConcentratedLiquidity, tick: int) -> tuple[int, int | None]:
    """Return where a step to lower prices ends and what is added there to L upwards; None: no initialised tick."""
    spacing, ticks = pool.tick_spacing, pool.ticks
    word = tick // (spacing * WORD_TICKS) * spacing * WORD_TICKS
    index = bisect_left(ticks, (tick + 1,)) - 1  # a bare tick sorts before the same with its liquidity
    if index >= 0 and ticks[index][0] >= word:
        return ticks[index]
    return word, None


def _step_up(pool: ConcentratedLiquidity, tick: int) -> tuple[int, int | None]:
    """Return where a step to higher prices ends and what is added there to L; None: no initialised tick."""
    spacing, ticks = pool.tick_spacing, pool.ticks
    # The contract looks from the next spacing on, and no further than the last tick of that one's word.
    first = tick // spacing + 1
    last = (first // WORD_TICKS * WORD_TICKS + WORD_TICKS - 1) * spacing
    index = bisect_left(ticks, (tick + 1,))
    if index < len(ticks) and ticks[index][0] <= last:
        return ticks[index]
    return last, None
