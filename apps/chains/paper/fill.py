"""What a swap would have brought: the live pool's reserves and the taxes just measured. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from apps.chains.evm.dex.quoting import quoted
from apps.chains.evm.parse import ZERO_ADDRESS
from apps.chains.paper.marker import PaperSwap
from apps.domain.market import Listing, PairFacts, PoolReserves, RoundTrip, TokenTransfer
from apps.domain.money import BPS_ONE

#: Gas of a swap whose simulation did not get far enough to measure it, and of the approval before a sell.
SWAP_GAS = 150_000
APPROVE_GAS = 50_000
CANCEL_GAS = 21_000


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperFill:
    """How a swap on paper went; ``reason`` is "" when it was filled."""

    transfers: tuple[TokenTransfer, ...]
    gas_used: int
    sell_tax_bps: int | None
    reason: str = ""


def probe_amount_raw(swap: PaperSwap, listing: Listing, reserves: PoolReserves | None) -> int:
    """Return the native amount to simulate: what a buy pays, what a sell's tokens are worth."""
    if swap.side == "buy":
        return swap.amount_in_raw
    if reserves is None:
        return 1
    worth = quoted(reserves, fee_bps=listing.fee_bps, buys=False, amount_in_raw=swap.amount_in_raw)
    return max(worth, 1)


def fill(
    swap: PaperSwap,
    *,
    listing: Listing,
    facts: PairFacts,
    owner: str,
    held_raw: int,
    sell_tax_bps: int | None,
) -> PaperFill:
    """Return the fill at the facts' block.

    ``held_raw`` is what the wallet holds of the token it pays with. ``sell_tax_bps`` is the last one measured for the
    pair, used where buying is closed and a fresh round trip cannot be had.
    """
    assert facts.reserves is not None
    trip = _best_trip(facts.round_trips)
    reason = _refusal(swap, facts, trip, held_raw=held_raw, sell_tax_bps=sell_tax_bps)
    if reason:
        return PaperFill(transfers=(), gas_used=_gas(swap, trip), sell_tax_bps=None, reason=reason)
    if swap.side == "buy":
        out = trip.received_raw if trip is not None and trip.received_raw is not None else 0
        tax = trip.sell_tax_bps if trip is not None else None
    else:
        tax = trip.sell_tax_bps if trip is not None and trip.sell_tax_bps is not None else sell_tax_bps
        out = _sold(swap, listing, facts.reserves, tax_bps=tax or 0)
    if out < max(swap.amount_out_min_raw, 1):
        reason = f"the output would be {out}, below the minimum of {swap.amount_out_min_raw}"
        return PaperFill(transfers=(), gas_used=_gas(swap, trip), sell_tax_bps=tax, reason=reason)
    return PaperFill(
        transfers=_transfers(swap, listing, owner=owner, out_raw=out),
        gas_used=_gas(swap, trip),
        sell_tax_bps=tax,
    )


def _best_trip(trips: tuple[RoundTrip, ...]) -> RoundTrip | None:
    """Return the round trip nearest to a real transaction that says anything: the plain account's first."""
    telling = [trip for trip in trips if trip.stage != "unavailable"]
    return max(telling, key=lambda trip: trip.sell_delay_blocks, default=None)


def _refusal(
    swap: PaperSwap, facts: PairFacts, trip: RoundTrip | None, *, held_raw: int, sell_tax_bps: int | None
) -> str:
    """Return why the swap reverts; "" when it does not."""
    if facts.block.at_ms > swap.deadline_s * 1_000:
        return "the deadline has passed"
    if held_raw < swap.amount_in_raw:
        return "the wallet holds less than it pays"
    if swap.side == "buy":
        if trip is None:
            return "the buy could not be simulated"
        return f"the buy reverts: {trip.detail}" if trip.stage == "buy_failed" else ""
    if trip is not None and trip.stage == "sell_failed":
        return f"the sell reverts: {trip.detail}"
    is_known = sell_tax_bps is not None or (trip is not None and trip.sell_tax_bps is not None)
    return "" if is_known else "the sell could not be simulated"


def _sold(swap: PaperSwap, listing: Listing, reserves: PoolReserves, *, tax_bps: int) -> int:
    """Return the coins for the tokens that a tax leaves, rounded down twice (against us)."""
    arriving = swap.amount_in_raw * (BPS_ONE - min(tax_bps, BPS_ONE)) // BPS_ONE
    return quoted(reserves, fee_bps=listing.fee_bps, buys=False, amount_in_raw=arriving)


def _gas(swap: PaperSwap, trip: RoundTrip | None) -> int:
    measured = None if trip is None else (trip.buy_gas if swap.side == "buy" else trip.sell_gas)
    gas = measured if measured is not None else SWAP_GAS
    return gas if swap.side == "buy" else gas + APPROVE_GAS


def _transfers(swap: PaperSwap, listing: Listing, *, owner: str, out_raw: int) -> tuple[TokenTransfer, ...]:
    """Return the moves of a real swap as far as a fill needs them, coins as the wrapped coin's deposit or withdrawal."""
    pool, wrapped, base = listing.pool_address, listing.quote.address, listing.base.address
    if swap.side == "buy":
        moves = ((wrapped, ZERO_ADDRESS, pool, swap.amount_in_raw), (base, pool, owner, out_raw))
    else:
        moves = ((base, owner, pool, swap.amount_in_raw), (wrapped, pool, ZERO_ADDRESS, out_raw))
    return tuple(
        TokenTransfer(
            token_address=token, sender=sender, recipient=recipient, amount_raw=amount, log_index=index
        )
        for index, (token, sender, recipient, amount) in enumerate(moves)
    )
