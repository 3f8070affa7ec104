"""What the seed draws: the same every time, and as the sources say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from math import log
from statistics import mean, median, quantiles, stdev
from typing import Any

import pytest

from apps.sandbox.logic import parameters as p
from apps.sandbox.market.draw import Market, draw
from apps.sandbox.market.plan import Launch

COUNT = 3_000


def market(seed: int = 1, chain_key: str = "eip155:1") -> Market:
    return Market(seed=seed, chain_key=chain_key, block_s=1.0, native_price_usd=600)


@pytest.fixture(scope="module")
def plans() -> list[Launch]:
    return [draw(market(), number) for number in range(COUNT)]


@pytest.fixture(scope="module")
def honest(plans: list[Launch]) -> list[Launch]:
    return [plan for plan in plans if plan.is_honest]


@pytest.fixture(scope="module")
def bad(plans: list[Launch]) -> list[Launch]:
    return [plan for plan in plans if not plan.is_honest]


def share(plans: Iterable[Launch], holds: Callable[[Launch], bool]) -> float:
    return mean(holds(plan) for plan in plans)


def test_draw_when_repeated_in_another_order_then_same_launches(plans: list[Launch]) -> None:
    for number in (2_999, 7, 1_500, 7):
        assert draw(market(), number) == plans[number]


def test_draw_when_seed_or_chain_differs_then_other_launches(plans: list[Launch]) -> None:
    assert draw(market(seed=2), 0) != plans[0]
    assert draw(market(chain_key="eip155:2"), 0) != plans[0]


def test_draw_when_many_then_shares_of_the_classes_are_as_fitted(plans: list[Launch]) -> None:
    assert share(plans, lambda plan: not plan.is_honest) == pytest.approx(p.BAD_SHARE, abs=0.03)
    kinds = Counter(plan.kind for plan in plans if not plan.is_honest)
    assert set(kinds) == set(p.BAD_KINDS)
    whole = sum(p.BAD_KINDS.values())
    for kind, expected in p.BAD_KINDS.items():
        assert kinds[kind] / kinds.total() == pytest.approx(expected / whole, abs=0.03), kind


def test_draw_when_many_then_times_to_the_drain_are_as_fitted(bad: list[Launch]) -> None:
    hours = [plan.ending_at_s * p.TIME_FACTOR / 3_600 for plan in bad if plan.kind != "instant_rug"]
    assert mean(value < 1 for value in hours) == pytest.approx(0.29, abs=0.05)
    assert mean(value < 24 for value in hours) == pytest.approx(0.71, abs=0.05)
    assert log(median(hours)) == pytest.approx(p.DRAIN_LOG_MEAN, abs=0.25)


def test_draw_when_many_then_liquidity_and_trades_spread_as_fitted(plans: list[Launch]) -> None:
    usd = [log(plan.liquidity_wei / 10**18 * 600) for plan in plans]
    assert mean(usd) == pytest.approx(p.LIQUIDITY_LOG_MEAN, abs=0.1)
    assert stdev(usd) == pytest.approx(p.LIQUIDITY_LOG_SD, abs=0.1)
    assert log(median(plan.trade_share for plan in plans)) == pytest.approx(p.TRADE_SHARE_LOG_MEAN, abs=0.1)


def test_draw_when_honest_then_most_burn_or_lock_and_some_fail_the_rules(honest: list[Launch]) -> None:
    assert share(honest, lambda plan: plan.lp_fate == "hold") == pytest.approx(
        p.LP_FATE_HONEST["hold"], abs=0.03
    )
    poor = share(honest, lambda plan: plan.liquidity_wei / 10**18 * 600 < 5_000)
    assert 0.05 < poor < 0.25
    assert not any(plan.is_unsellable or plan.ending != "none" for plan in honest)


OBSERVABLE: dict[str, Callable[[Launch], Any]] = {
    "liquidity": lambda plan: plan.liquidity_wei,
    "supply": lambda plan: plan.supply_raw // 10**plan.decimals,
    "pool share": lambda plan: plan.pool_share_bps,
    "holders": lambda plan: len(plan.holders_raw),
    "trades": lambda plan: plan.trades_per_s,
    "trade size": lambda plan: plan.trade_share,
    "life": lambda plan: plan.lives_s,
    "price after a minute": lambda plan: plan.fair_log(60),
}


@pytest.mark.parametrize("name", OBSERVABLE)
def test_draw_when_a_number_is_seen_then_no_cut_tells_the_classes_apart(
    name: str, honest: list[Launch], bad: list[Launch]
) -> None:
    good_at, bad_at = ([OBSERVABLE[name](plan) for plan in plans] for plans in (honest, bad))
    for cut in quantiles(sorted(good_at + bad_at), n=20):
        right = mean(value <= cut for value in good_at), mean(value <= cut for value in bad_at)
        assert abs(right[0] - right[1]) < 0.35, f"{name} at {cut}"


@pytest.mark.parametrize(
    "trait",
    [
        lambda plan: plan.lp_fate,
        lambda plan: plan.renounce_after_s is not None,
        lambda plan: plan.decimals,
        lambda plan: bool(plan.insiders),
        lambda plan: bool(plan.washers),
        lambda plan: bool(plan.pump),
        lambda plan: plan.whale is not None,
        lambda plan: plan.deployer.startswith("serial:"),
        lambda plan: plan.liquidity_after_s > 0,
    ],
)
def test_draw_when_a_trait_is_seen_then_both_classes_have_it(
    trait: Callable[[Launch], Any], honest: list[Launch], bad: list[Launch]
) -> None:
    assert set(map(trait, honest)) == set(map(trait, bad))


def test_draw_when_contract_is_seen_then_honest_code_is_used_by_bad_launches_too(
    honest: list[Launch], bad: list[Launch]
) -> None:
    assert {plan.contract for plan in honest} <= {plan.contract for plan in bad}
    standard = share(bad, lambda plan: plan.contract == "StandardToken")
    assert standard > 0.4


def test_draw_when_serial_then_reputations_differ(plans: list[Launch]) -> None:
    for group, expected_bad in (("serial:a:", False), ("serial:b:", True)):
        of_group = [plan for plan in plans if plan.deployer.startswith(group)]
        assert len({plan.deployer for plan in of_group}) > 1
        assert (share(of_group, lambda plan: not plan.is_honest) > 0.6) is expected_bad


def test_draw_when_amounts_are_given_away_then_never_more_than_the_supply(plans: list[Launch]) -> None:
    for plan in plans:
        given = sum(plan.holders_raw) + sum(raw for _, raw in plan.insiders)
        pooled = plan.supply_raw * plan.pool_share_bps // 10_000
        assert given + pooled <= plan.supply_raw, plan.number


def test_draw_when_in_ranges_then_few_plain_ones_and_all_else_as_before(plans: list[Launch]) -> None:
    ranged = [plan for plan in plans if plan.venue == "v3"]
    assert 0.02 < len(ranged) / len(plans) < 0.06
    assert {plan.contract for plan in ranged} == {"StandardToken"}
    assert {plan.kind for plan in ranged} <= set(p.RANGED_KINDS)
    assert len({plan.deployer for plan in ranged}) == len(ranged)
    assert not any(plan.opens_pool or plan.lp_fate == "lock" for plan in ranged)
