"""A live pair as the model sees it: the facts of one evaluation, turned into the form of the training data."""

from __future__ import annotations

from collections.abc import Sequence

from apps.domain.market import DeployerHistory, Listing, PairFacts, PoolReserves, PoolSwap
from apps.risk.model.history import BURN_ADDRESSES, Features, LpShares, PoolHistory, ReserveStep


def pool_history(
    *, listing: Listing, facts: PairFacts, history: DeployerHistory | None, lockers: frozenset[str]
) -> PoolHistory:
    """Return the pool's history up to the facts' block; what the facts lack stays unknown."""
    started_ms = listing.created_block.at_ms
    cut_age_s = _age_s(facts.block.at_ms, started_ms)
    steps = None
    if facts.swaps is not None and facts.reserves is not None and "swaps_before" not in (facts.missing or {}):
        steps = reserve_steps(listing, reserves=facts.reserves, swaps=facts.swaps, started_ms=started_ms)
        if steps and max(step.age_s for step in steps) > cut_age_s:
            steps = None  # a node that gives events of the future is not believed
    return PoolHistory(
        pool=listing.pool_address.lower(),
        cut_age_s=cut_age_s,
        steps=steps,
        sees_liquidity=False,
        lp_shares=_lp_shares(facts),
        lockers=lockers,
        base_decimals=listing.base.decimals,
        earlier_pools=None if history is None else history.tokens,
        earlier_dead=None if history is None else history.dead,
    )


def reserve_steps(
    listing: Listing, *, reserves: PoolReserves, swaps: Sequence[PoolSwap], started_ms: int
) -> list[ReserveStep] | None:
    """Return the reserves after each swap, oldest first, by undoing the swaps one by one from today's reserves.

    None when that leads below zero: then liquidity came or went in between, and the path is not known.
    """
    base, quote = reserves.base_raw, reserves.quote_raw
    scale = 10**listing.quote.decimals
    found: list[ReserveStep] = []
    for swap in reversed(swaps):
        if base <= 0 or quote <= 0:
            return None
        age_s = _age_s(swap.block.at_ms, started_ms)
        found.append(ReserveStep(swap.block.number, age_s, quote / scale, float(base)))
        sign = 1 if swap.side == "buy" else -1
        base, quote = base + sign * swap.base_raw, quote - sign * swap.quote_raw
    if base <= 0 or quote <= 0:
        return None
    found.append(ReserveStep(listing.created_block.number, 0.0, quote / scale, float(base)))
    return found[::-1]


def token_figures(*, facts: PairFacts, history: DeployerHistory | None) -> Features:
    """Return what is known of a token without watching it, under the names of the data set of tokens.

    Its figures on activity are left out: they were counted over whole lives, which nobody knows beforehand.
    """
    shares = _lp_shares(facts)
    burned = None
    if facts.holders is not None:
        burned = sum(amount for who, amount in facts.holders if who.lower() in BURN_ADDRESSES)
    locked = None
    if shares.locked is not None and shares.burned is not None:
        locked = shares.locked + shares.burned
    return {
        "lp_creator_holding_ratio": shares.maker,
        "lp_lock_ratio": locked,
        "token_creator_holding_ratio": _share(facts.base_creator_raw, facts.base_total_supply_raw),
        "token_burn_ratio": _share(burned, facts.base_total_supply_raw),
        "number_of_token_creation_of_creator": None if history is None else float(history.tokens + 1),
    }


def _lp_shares(facts: PairFacts) -> LpShares:
    total = facts.lp_total_supply_raw
    return LpShares(
        maker=_share(facts.lp_creator_raw, total),
        locked=_share(facts.lp_locked_raw, total),
        burned=_share(facts.lp_burned_raw, total),
    )


def _share(part: int | None, whole: int | None) -> float | None:
    """Return ``part / whole``; None when unknown or when the two contradict each other."""
    if part is None or not whole or not 0 <= part <= whole:
        return None
    return part / whole


def _age_s(at_ms: int, started_ms: int) -> float:
    return max(at_ms - started_ms, 0) / 1_000
