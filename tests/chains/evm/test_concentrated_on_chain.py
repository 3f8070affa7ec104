"""The arithmetic of concentrated liquidity beside the real pool contracts, to the last unit."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from apps.chains.evm import parse
from apps.chains.evm.dex import uniswap_v3
from apps.chains.evm.dex.concentrated_liquidity import (
    SQRT_PRICE_MAX,
    SQRT_PRICE_MIN,
    TICK_MAX,
    amount_out,
    sqrt_price_at,
    swap_quote,
    tick_at,
)
from apps.domain.concentrated import ConcentratedLiquidity
from tests.chain_fixtures import Rpc, calldata, running_anvil
from tests.chains.evm.concentrated_pools import Case, PoolLab, send, state_of

pytestmark = pytest.mark.chain

CASES_PER_CALL = 250
#: Fee and tick spacing as the factories have them, and two that no factory has.
TIERS = ((100, 1), (500, 10), (2_500, 50), (3_000, 60), (10_000, 200), (1, 7), (250_000, 16_000))


@pytest.fixture(scope="module")
def lab() -> Iterator[PoolLab]:
    with running_anvil(options=("--gas-limit", "1000000000000", "--code-size-limit", "50000")) as chain:
        rpc = Rpc(chain.url)
        yield PoolLab.open(rpc, chain.accounts[0])
        rpc.close()


@pytest.mark.parametrize(
    ("make", "pools", "per_pool"),
    [
        ("uniswap", 14, 30),
        ("pancake", 7, 30),
        pytest.param("uniswap", 70, 100, marks=(pytest.mark.slow, pytest.mark.timeout(300))),
        pytest.param("pancake", 35, 100, marks=(pytest.mark.slow, pytest.mark.timeout(300))),
    ],
)
def test_quote_when_random_pools_and_amounts_then_equals_contract(
    lab: PoolLab, make: str, pools: int, per_pool: int
) -> None:
    rng = random.Random(f"concentrated/{make}")
    states: dict[str, ConcentratedLiquidity] = {}
    for number in range(pools):
        fee_pips, spacing = TIERS[number % len(TIERS)]
        pool, state = lab.random_pool(make, rng, fee_pips=fee_pips, tick_spacing=spacing)
        states[pool] = state
    cases = [
        # Where the spacing is small, running a pool dry takes the contract thousands of steps.
        Case(
            pool,
            rng.random() < 0.5,
            rng.randrange(1, 10 ** rng.randint(1, 30 if state.tick_spacing > 7 else 22)),
        )
        for pool, state in states.items()
        for _ in range(per_pool)
    ]
    compared = crossing = dry = 0
    for start in range(0, len(cases), CASES_PER_CALL):
        part = cases[start : start + CASES_PER_CALL]
        for case, outcome in zip(part, lab.outcomes(part), strict=True):
            state = states[case.pool]
            quote = swap_quote(state, zero_for_one=case.zero_for_one, amount_in_raw=case.amount_in_raw)
            assert outcome.done, case
            assert (quote.amount_in_raw, quote.amount_out_raw, quote.sqrt_price_x96) == (
                outcome.taken,
                outcome.given,
                outcome.sqrt_price_x96,
            ), (case, state)
            assert quote.amount_out_raw == amount_out(
                state, zero_for_one=case.zero_for_one, amount_in_raw=case.amount_in_raw
            )
            compared += 1
            crossing += quote.ticks_crossed > 0
            dry += quote.amount_in_raw < case.amount_in_raw
    print(f"{make}: {compared} swaps in {pools} pools equal, {crossing} cross ticks, {dry} run the pool dry")
    assert crossing > compared // 20
    assert dry > 0


def test_tick_when_any_price_then_equals_contract(lab: PoolLab) -> None:
    rng = random.Random("ticks")
    ticks = [
        -TICK_MAX,
        TICK_MAX - 1,
        0,
        1,
        -1,
        *(1 << bit for bit in range(20)),
        *(-(1 << bit) for bit in range(20)),
    ]
    ticks += [rng.randint(-TICK_MAX, TICK_MAX - 1) for _ in range(400)]
    ticks = [tick for tick in ticks if -TICK_MAX <= tick < TICK_MAX]
    at = [sqrt_price_at(tick) for tick in ticks]
    below = [price - 1 for price in at if price > SQRT_PRICE_MIN]
    between = [min(SQRT_PRICE_MAX - 1, int(SQRT_PRICE_MIN * 2 ** rng.uniform(0, 127.9))) for _ in range(400)]
    pool = lab.bare_pool("uniswap", fee_pips=3_000, tick_spacing=60)
    assert lab.ticks_at(pool, at) == ticks
    for prices in (at, below, between):
        assert lab.ticks_at(pool, prices) == [tick_at(price) for price in prices]


@pytest.mark.parametrize("make", ["uniswap", "pancake"])
def test_swap_log_when_traded_across_ticks_then_tells_the_state_and_the_amounts(
    lab: PoolLab, make: str
) -> None:
    rng = random.Random(f"logs/{make}")
    for _ in range(6):
        pool, before = lab.random_pool(make, rng, fee_pips=3_000, tick_spacing=60)
        amount = 10 ** rng.randint(6, 20)
        zero_for_one = rng.random() < 0.5
        quote = swap_quote(before, zero_for_one=zero_for_one, amount_in_raw=amount)
        receipt = send(
            lab.rpc,
            lab.account,
            lab.probe,
            calldata("trade(address,bool,int256)", pool, zero_for_one, amount),
        )
        log = next(
            item for item in map(parse.log_of, receipt["logs"]) if item.topics[0] in uniswap_v3.SWAP_TOPICS
        )
        assert (log.topics[0] == uniswap_v3.TOPIC_SWAP_PANCAKE) is (make == "pancake")
        net = dict(before.ticks)
        after = state_of(lab.rpc, pool, net, fee_pips=3_000, tick_spacing=60)
        assert uniswap_v3.state_after(log, before) == after
        taken, given = uniswap_v3.swap_amounts(log)[:: 1 if zero_for_one else -1]
        assert (taken, -given) == (quote.amount_in_raw, quote.amount_out_raw)
