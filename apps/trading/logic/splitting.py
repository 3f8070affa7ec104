"""Whether an entry that strangers would attack as a whole is bought in several parts over blocks instead."""

from __future__ import annotations

from dataclasses import dataclass

from apps.domain.money import BPS_ONE


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """``total_raw`` in ``slices`` parts, in native units. ``spared_raw``: what one attack on the whole would have taken;
    ``gas_raw``: what the further transactions cost at most.
    """

    slices: int
    total_raw: int
    spared_raw: int
    gas_raw: int


def split(
    *,
    free_raw: int,
    wanted_raw: int,
    least_raw: int,
    slippage_bps: int,
    gas_each_raw: int,
    round_trip_raw: int,
    fee_share_max_bps: int,
    slices_max: int,
) -> Split | None:
    """Return the parts in which ``wanted_raw`` is cheaper than at once; None where one swap of ``free_raw`` is all.

    ``free_raw`` is the largest swap that nobody gains by attacking, ``least_raw`` the least that is worth an order. An
    attack on a swap of d takes ``slippage * (d - free_raw)``: where that is more than the gas of the further swaps, and
    gas in and out keeps its share of the whole, parts are cheaper. See ``slippage.sandwich_free_raw``.
    """
    if free_raw <= 0 or wanted_raw <= free_raw or slices_max < 2:
        return None
    slices = min(-(-wanted_raw // free_raw), slices_max)
    total = min(wanted_raw, slices * free_raw)
    if (total - free_raw) // (slices - 1) < least_raw:  # its last parts would be too small
        slices = total // free_raw
        total = slices * free_raw
    if slices < 2:
        return None
    spared = (total - free_raw) * slippage_bps // BPS_ONE
    more_gas = (slices - 1) * gas_each_raw
    if more_gas >= spared or (round_trip_raw + more_gas) * BPS_ONE > total * fee_share_max_bps:
        return None
    return Split(slices=slices, total_raw=total, spared_raw=spared, gas_raw=more_gas)
