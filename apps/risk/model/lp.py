"""Who holds the pool's LP tokens, and what they did with them: whoever can take the liquidity out can end the token."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from apps.risk.model.history import (
    BURN_ADDRESSES,
    LP_TRANSFERS_MAX,
    ZERO_ADDRESS,
    Features,
    LpTransfer,
    PoolHistory,
)


def maker_of(transfers: Sequence[LpTransfer]) -> str | None:
    """Return who received the first LP tokens, None when nobody did: mostly the token's maker."""
    return next(
        (
            item.recipient
            for item in transfers
            if item.sender == ZERO_ADDRESS and item.recipient != ZERO_ADDRESS
        ),
        None,
    )


def lp_features(history: PoolHistory) -> Features:
    """Return the figures on LP tokens; from balances alone where the transfers are unknown."""
    if history.lp_transfers is not None:
        transfers = history.lp_transfers[:LP_TRANSFERS_MAX]
        return {**_holders(history, transfers), **_acts(history, transfers)}
    shares = history.lp_shares
    if shares is None:
        return {}
    free = None
    if shares.locked is not None and shares.burned is not None:
        free = max(1 - shares.locked - shares.burned, 0.0)
    return {
        "lp_maker": shares.maker,
        "lp_locked": shares.locked,
        "lp_burned": shares.burned,
        "lp_free": free,
        "lp_free_others": None if free is None or shares.maker is None else free - shares.maker,
    }


@dataclass(slots=True)
class _Balances:
    held: dict[str, float]
    redeemed: float  # burned for what it stands for: liquidity taken out


def _balances(history: PoolHistory, transfers: Sequence[LpTransfer]) -> _Balances:
    held: defaultdict[str, float] = defaultdict(float)
    redeemed = 0.0
    for item in transfers:
        if item.sender != ZERO_ADDRESS:
            held[item.sender] -= item.amount
        if item.sender == history.pool and item.recipient == ZERO_ADDRESS:
            redeemed += item.amount
        else:
            held[item.recipient] += item.amount
    return _Balances({who: amount for who, amount in held.items() if amount > 0}, redeemed)


def _holders(history: PoolHistory, transfers: Sequence[LpTransfer]) -> Features:
    balances = _balances(history, transfers)
    held = balances.held
    total = sum(held.values()) or 1.0
    maker = maker_of(transfers)
    maker_share = held.get(maker, 0.0) / total if maker else None
    free = [who for who in held if who not in BURN_ADDRESSES and who not in history.lockers]
    free_share = sum(held[who] for who in free) / total
    return {
        "lp_maker": maker_share,
        "lp_locked": sum(held[who] for who in held if who in history.lockers) / total,
        "lp_burned": sum(held[who] for who in held if who in BURN_ADDRESSES) / total,
        "lp_free": free_share,
        "lp_free_others": free_share - (maker_share or 0.0),
        "lp_top": max((held[who] for who in free), default=0.0) / total,
        "lp_holders": float(len(free)),
        "lp_redeemed": balances.redeemed / (total + balances.redeemed),
    }


def _acts(history: PoolHistory, transfers: Sequence[LpTransfer]) -> Features:
    mints = [item for item in transfers if item.sender == ZERO_ADDRESS and item.recipient != ZERO_ADDRESS]
    moved = [item for item in transfers if item.sender not in (ZERO_ADDRESS, history.pool)]
    locks = [item for item in moved if item.recipient in history.lockers]
    burns = [item for item in moved if item.recipient in BURN_ADDRESSES]
    others = len(moved) - len(locks) - len(burns) - sum(item.recipient == history.pool for item in moved)
    return {
        "lp_mints": float(len(mints)),
        "lp_providers": float(len({item.recipient for item in mints})),
        "lp_transfers": float(len(transfers)),
        "lp_locks": float(len(locks)),
        "lp_lock_after": math.log1p(locks[0].age_s) if locks else None,
        "lp_burn_after": math.log1p(burns[0].age_s) if burns else None,
        "lp_moved_elsewhere": float(others),
        "lp_last_ago": math.log1p(history.cut_age_s - transfers[-1].age_s) if transfers else None,
    }
