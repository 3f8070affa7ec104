"""What happens around a launch in one block, given its plan, its age and what people see of the pool."""

from __future__ import annotations

from collections.abc import Iterator
from math import exp, log
from random import Random

from apps.sandbox.logic.parameters import RUSH, RUSH_HALF_LIFE_S
from apps.sandbox.market.acts import Act, Pool, Truth
from apps.sandbox.market.plan import Launch

TRADES_PER_LAUNCH_AND_BLOCK_MAX = 10
_EAGERNESS = 4.0  # how strongly a gap between price and fair price decides who trades
_GREED = 3.0  # and how much larger it makes the trades
_TRADE_SHARE_MAX = 0.2
_NATIVE_LEFT_MIN_WEI = 10**13  # of a pool worth trading at


def at_launch(plan: Launch, *, age_s: float, block_s: float) -> Iterator[Act]:
    """Yield what the deployer does in this block to bring the token to the market."""

    def due(after_s: float | None) -> bool:
        return after_s is not None and after_s <= age_s < after_s + block_s

    if due(0):
        yield Act(verb="deploy", actor=plan.deployer, truth="created" if plan.opens_pool else None)
        if not plan.takes_liquidity:
            yield Act(verb="open_pool", actor=plan.deployer, truth="created")
    if not plan.takes_liquidity:
        return
    if due(plan.liquidity_after_s):
        truth: Truth | None = None if plan.opens_pool else "created"
        yield Act(verb="add_liquidity", actor=plan.deployer, native_wei=plan.liquidity_wei, truth=truth)
        if plan.holders_raw or plan.insiders:
            yield Act(verb="give", actor=plan.deployer)
    if plan.lp_fate != "hold" and due(plan.liquidity_after_s + plan.lp_fate_after_s):
        verb = "burn_shares" if plan.lp_fate == "burn" else "lock_shares"
        yield Act(verb=verb, actor=plan.deployer, bps=plan.lp_fate_bps)  # type: ignore[arg-type]
    if plan.renounce_after_s is not None and due(plan.liquidity_after_s + plan.renounce_after_s):
        yield Act(verb="renounce", actor=plan.deployer)


def at_ending(plan: Launch, *, age_s: float, block_s: float) -> Iterator[Act]:
    """Yield the steps of the deployer's ending that are due in this block."""
    for part in range(plan.ending_parts):
        at_s = plan.ending_at_s + part * plan.ending_every_s
        if not at_s <= age_s < at_s + block_s:
            continue
        truth: Truth | None = "rugged" if part == 0 else None
        bps = min(10_000, plan.ending_bps // (plan.ending_parts - part))
        if plan.ending == "remove":
            yield Act(verb="remove_liquidity", actor=plan.deployer, bps=bps, truth=truth)
        elif plan.ending == "shut":
            yield Act(verb="call", actor=plan.deployer, truth="shut")
        elif plan.ending == "dump":
            for label in (*(label for label, _ in plan.insiders), plan.deployer):
                yield Act(verb="sell", actor=label, bps=bps, truth=truth)
                truth = None
        elif plan.ending == "mint_dump":
            yield Act(verb="mint_and_sell", actor=plan.deployer, truth=truth)
        elif plan.ending == "grab":
            yield Act(verb="grab_and_sell", actor=plan.deployer, truth=truth)


def trades(plan: Launch, pool: Pool, *, age_s: float, block_s: float, chance: Random) -> Iterator[Act]:
    """Yield the trades of this block."""
    age_s -= plan.liquidity_after_s
    if age_s <= 0 or pool.native_wei < _NATIVE_LEFT_MIN_WEI or pool.token_raw == 0:
        return
    yield from _group_trades(plan, pool, age_s=age_s, block_s=block_s, chance=chance)
    if age_s > plan.lives_s:
        return
    gap = plan.fair_log(age_s) - _log_price(pool)
    crowd = 0.5 ** (age_s / plan.trades_half_life_s) + RUSH * 0.5 ** (age_s / RUSH_HALF_LIFE_S)
    expected = block_s * plan.trades_per_s * crowd * (1 + 2 * abs(gap))
    holders = list(pool.holders)
    for _ in range(min(poisson(expected, chance), TRADES_PER_LAUNCH_AND_BLOCK_MAX)):
        is_buy = chance.random() < 1 / (1 + exp(-max(-30.0, min(30.0, _EAGERNESS * gap))))
        size = plan.trade_share * exp(chance.gauss(0, plan.trade_spread))
        share = min(_TRADE_SHARE_MAX, size * (1 + _GREED * abs(gap)))
        if is_buy:
            who = chance.choice(plan.crew)
            if plan.whale is not None and chance.random() < 0.05:
                who, share = plan.whale, _TRADE_SHARE_MAX * chance.uniform(0.3, 1)
            yield Act(verb="buy", actor=who, native_wei=int(pool.native_wei * share))
            gap -= 2 * share
        elif holders:
            who = holders.pop(chance.randrange(len(holders)))
            yield Act(
                verb="sell", actor=who, bps=10_000 if chance.random() < 0.6 else chance.randint(2_000, 9_000)
            )
            gap += 2 * share


def _group_trades(plan: Launch, pool: Pool, *, age_s: float, block_s: float, chance: Random) -> Iterator[Act]:
    if plan.pump and plan.pump_at_s <= age_s < plan.pump_at_s + block_s:
        for label in plan.pump:
            yield Act(verb="buy", actor=label, native_wei=int(pool.native_wei * chance.uniform(0.01, 0.05)))
    if plan.pump and plan.pump_sells_at_s <= age_s < plan.pump_sells_at_s + block_s:
        for label in plan.pump:
            yield Act(verb="sell", actor=label)
    if plan.washers and age_s <= plan.lives_s and chance.random() < block_s / plan.wash_every_s:
        who = chance.choice(plan.washers)
        if who in pool.holders:
            yield Act(verb="sell", actor=who)
        else:
            yield Act(verb="buy", actor=who, native_wei=int(pool.native_wei * chance.uniform(0.005, 0.03)))


def _log_price(pool: Pool) -> float:
    first = pool.first_price_native_wei / pool.first_price_token_raw
    return log(pool.native_wei / pool.token_raw / first)


def poisson(expected: float, chance: Random) -> int:
    """Return a Poisson draw by counting exponential gaps, at most a hundred."""
    at, count = chance.expovariate(1.0), 0
    while at < expected and count < 100:
        at += chance.expovariate(1.0)
        count += 1
    return count
