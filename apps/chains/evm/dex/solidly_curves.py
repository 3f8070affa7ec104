"""The two curves of the Solidly family (Aerodrome, Velodrome V2), exactly as its contracts do them. Pure.

Source: the published contracts' specification. The fee is taken off the input first and rounded down; volatile pools hold
x * y, stable ones x^3 * y + y^3 * x with both sides scaled to 18 decimals.
"""

from __future__ import annotations

from apps.domain.money import BPS_ONE

WAD = 10**18
#: Newton's steps of the contract; beyond them it reverts.
STEPS_MAX = 255
_UINT256_MAX = 2**256 - 1


def amount_out_volatile(
    *, amount_in_raw: int, reserve_in_raw: int, reserve_out_raw: int, fee_bps: int
) -> int:
    """Return what a volatile pool gives, rounded down as its contract does; 0 from an empty pool."""
    assert amount_in_raw >= 0, amount_in_raw
    if reserve_in_raw <= 0 or reserve_out_raw <= 0:
        return 0
    taken = amount_in_raw - amount_in_raw * fee_bps // BPS_ONE
    return taken * reserve_out_raw // (reserve_in_raw + taken)


def amount_out_stable(
    *,
    amount_in_raw: int,
    reserve_in_raw: int,
    reserve_out_raw: int,
    unit_in: int,
    unit_out: int,
    is_in_token0: bool,
    fee_bps: int,
) -> int:
    """Return what a stable pool gives; 0 from an empty pool and where its contract finds no answer and reverts.

    A unit is 10 to the token's decimals.
    """
    assert amount_in_raw >= 0, amount_in_raw
    if reserve_in_raw <= 0 or reserve_out_raw <= 0:
        return 0
    taken = (amount_in_raw - amount_in_raw * fee_bps // BPS_ONE) * WAD // unit_in
    into, out = reserve_in_raw * WAD // unit_in, reserve_out_raw * WAD // unit_out
    units = (unit_in, unit_out) if is_in_token0 else (unit_out, unit_in)
    try:
        left = _solved(taken + into, _invariant(into, out), out, units=units)
    except OverflowError:
        return 0
    if left is None or left > out:
        return 0
    return (out - left) * unit_out // WAD


def _invariant(x: int, y: int) -> int:
    """Return x^3 y + y^3 x of scaled amounts, cut after each product; raise OverflowError where the contract reverts."""
    product = (x * y // WAD) * (x * x // WAD + y * y // WAD)
    if y < 0 or product > _UINT256_MAX:
        raise OverflowError
    return product // WAD


def _slope(x: int, y: int) -> int:
    return 3 * x * (y * y // WAD) // WAD + (x * x // WAD) * x // WAD


def _solved(x: int, target: int, start: int, *, units: tuple[int, int]) -> int | None:
    """Return the y at which the invariant of x and y is the target, as the contract's Newton steps find it."""
    y = start
    for _ in range(STEPS_MAX):
        reached, slope = _invariant(x, y), _slope(x, y)
        if slope == 0:
            return None
        step = abs(target - reached) * WAD // slope
        if reached < target:
            if step == 0:
                # The contract scales once more here, by token0's and token1's units in that order.
                if _invariant(x * WAD // units[0], (y + 1) * WAD // units[1]) > target:
                    return y + 1
                step = 1
            y += step
        else:
            if step == 0:
                if reached == target or _invariant(x, y - 1) < target:
                    return y
                step = 1
            y -= step
            if y < 0:
                return None
    return None
