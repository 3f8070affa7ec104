"""How intelligence steers an entry: in the documented direction, within the limits, and not at all when switched off."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.domain.config import Influence, TradingConfig
from apps.domain.decision import SkipStage, TradeDecision
from apps.domain.estimate import Estimate, known, unknown
from apps.domain.verdict import Action, Interval, Outcome, ScoreCard
from apps.risk.logic.conditions import conditions_of
from apps.risk.logic.edge import outcome_estimates
from apps.risk.logic.limits import limits_in_force
from apps.trading.logic.core import entry_case_reduced, step_entry
from apps.trading.logic.entry_case import EntryCase
from apps.trading.logic.record import EntryInputs, decision_from_inputs, entry_inputs
from apps.trading.logic.steering import Steering
from tests.trading import cases

SWITCHES = tuple(name for name, info in Influence.model_fields.items() if info.annotation is bool)
ALL_OFF = dict.fromkeys(SWITCHES, False)
ANY = Interval(low_bps=1_000, value_bps=2_000, high_bps=3_000, coverage_bps=9_000)
UNKNOWN = Interval(low_bps=None, value_bps=None, high_bps=None, coverage_bps=0)


def given_as(code: str, value: int, confidence: str = "1") -> Estimate:
    return known(code, value, unit="bps", source="test", as_of_ms=0, confidence=Decimal(confidence))


def card(action: Action = Action.BUY) -> ScoreCard:
    return ScoreCard(action=action, why="a test", risk=ANY, edge=UNKNOWN)


def case(
    *estimates: Estimate,
    config: TradingConfig | None = None,
    confidence_bps: int = 10_000,
    action: Action = Action.BUY,
    **facts: Any,
) -> EntryCase:
    """Return a case as it is made for every entry."""
    given_config = config or cases.config(influence={"size_by_whales": True, "whales_in_timing": True})
    analysis = cases.analysis()
    analysis = replace(analysis, estimates=(*analysis.estimates, *estimates))
    limits = limits_in_force(
        given_config,
        conditions_of(analysis, confidence_bps=confidence_bps, is_probe=action is Action.PROBE),
    )
    return entry_case_reduced(
        verdict=cases.verdict(confidence_bps=confidence_bps, card=card(action)),
        analysis=analysis,
        config=limits.config,
        config_revision=3,
        facts=cases.facts(**facts),
        steering=Steering(
            position_max_usd=given_config.limits.position_max_usd,
            size_bps=limits.size_bps,
            adjustments=limits.adjustments,
        ),
    )


def step(entry_case: EntryCase) -> TradeDecision:
    return step_entry(**{name: getattr(entry_case, name) for name in EntryCase.__slots__})


def size_of(decision: TradeDecision) -> int:
    assert decision.amount_in is not None, decision.reasons
    return decision.amount_in.raw


WHOLE = size_of(step(case()))


# -- size ---------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("entry_case", "share_bps", "switch"),
    [
        (case(confidence_bps=3_500), 3_500, "size_by_confidence"),
        (case(action=Action.PROBE), 1_000, "probe_when_uncertain"),
        (case(given_as("coordination_bps", 6_000)), 5_000, "size_by_manipulation"),
        (case(given_as("volatility_bps", 4_000)), 5_000, "size_by_volatility"),
        (case(given_as("sentiment_bps", -4_000)), 7_500, "size_by_sentiment"),
        (case(given_as("whale_distribution_bps", 2_500)), 7_500, "size_by_whales"),
        (case(given_as("regime", -1), give_up_at_ms=cases.NOW_MS + 600_000), 5_000, "regime_in_limits"),
    ],
)
@pytest.mark.parametrize("bound", ["position", "wallet", "pool"])
def test_influence_then_the_size_shrinks_whatever_bounds_it(
    entry_case: EntryCase, share_bps: int, switch: str, bound: str
) -> None:
    bounds: dict[str, dict[str, Any]] = {
        "position": {},
        "wallet": {"wallet_native_raw": 2 * cases.ETHER},
        "pool": {"reserves": cases.reserves(quote=3 * cases.ETHER)},
    }
    facts = bounds[bound]
    before = size_of(step(replace(case(), facts=cases.facts(**facts))))
    given_facts = replace(entry_case.facts, **facts)
    decision = step(replace(entry_case, facts=given_facts))
    assert abs(size_of(decision) - before * share_bps // 10_000) <= before // 1_000
    assert decision.expected_out is not None
    assert decision.amount_out_min is not None
    assert decision.amount_out_min.raw == decision.expected_out.raw * 9_700 // 10_000
    noted = {item.switch: item for item in decision.adjustments}
    assert f"influence.{switch}" in noted
    sizes = [noted["influence"].before, noted["influence"].after]
    assert [Decimal(text.removesuffix(" ETH")) * cases.ETHER for text in sizes] == [before, size_of(decision)]


def outcomes(*, gains: int, losses: int, total: int) -> tuple[Estimate, ...]:
    results = [3_000] * gains + [-1_500] * losses + [-10_000] * total
    return outcome_estimates(results, as_of_ms=0)


def test_our_entries_earned_then_the_growth_optimal_share_and_the_pool_bound_the_size() -> None:
    good = outcomes(gains=260, losses=38, total=2)
    decision = step(
        case(
            *good, config=cases.config(limits={"position_max_usd": 1_000_000, "exposure_max_usd": 1_000_000})
        )
    )
    assert size_of(decision) > 0
    free = step(
        case(config=cases.config(limits={"position_max_usd": 1_000_000, "exposure_max_usd": 1_000_000}))
    )
    assert size_of(decision) <= size_of(free)


def test_our_entries_prove_nothing_then_small_tries_and_clearly_lose_then_none() -> None:
    unproven = step(case(*outcomes(gains=14, losses=14, total=2)))
    assert abs(size_of(unproven) - WHOLE // 10) <= 1
    assert "size_bound_by=edge_unproven" in unproven.reasons[0].detail
    losing = step(case(*outcomes(gains=10, losses=20, total=70)))
    assert losing.action == "skip"
    assert "bound_by=no_edge" in losing.reasons[0].detail
    off = cases.config(influence={"size_by_edge": False})
    assert size_of(step(case(*outcomes(gains=10, losses=20, total=70), config=off))) == WHOLE


def test_too_few_of_our_entries_have_ended_then_they_change_nothing() -> None:
    few = outcomes(gains=0, losses=0, total=29)
    assert not any(item.is_known for item in few)
    assert size_of(step(case(*few))) == WHOLE


def test_losses_of_today_then_no_more_is_staked_than_may_still_be_lost() -> None:
    decision = step(case(realised_today_usd_micros=-400_000_000))
    assert decision.value_usd_micros is not None
    assert 99_000_000 < decision.value_usd_micros <= 100_000_000
    assert "size_bound_by=daily_loss_room" in decision.reasons[0].detail


# -- moment -------------------------------------------------------------------------------
def test_market_falls_then_a_pair_is_watched_longer_and_bought_then() -> None:
    bear = given_as("regime", -1)
    early = step(case(bear))
    assert (early.action, early.skip_stage, early.reasons[0].code) == (
        "skip",
        SkipStage.LIMIT,
        "WAIT_IN_FALLING_MARKET",
    )
    assert early.retry_after_ms is not None
    assert early.adjustments[-1].subject == "entry_time"
    later = cases.NOW_MS + (900 - 60) * 1_000
    assert step(case(bear, give_up_at_ms=later)).action == "enter"
    half_sure = given_as("regime", -1, "0.5")
    assert step(case(half_sure, give_up_at_ms=later + 30_000)).action == "enter"


def test_wait_is_longer_than_the_watch_then_half_of_it_is_left_for_the_entry() -> None:
    config = cases.config(influence={"regime_wait_s": 86_400})
    half = cases.NOW_MS + 450_000
    assert step(case(given_as("regime", -1), config=config, give_up_at_ms=half)).action == "enter"
    assert step(case(given_as("regime", -1), config=config, give_up_at_ms=half + 1_000)).action == "skip"


@pytest.mark.parametrize(
    ("estimate", "code", "switch", "stage"),
    [
        (
            given_as("whale_distribution_bps", 3_500),
            "WHALES_ARE_SELLING",
            "whales_in_timing",
            SkipStage.LIMIT,
        ),
        (
            given_as("sentiment_bps", -6_000),
            "SENTIMENT_BELOW_MINIMUM",
            "sentiment_threshold",
            SkipStage.SCORE,
        ),
        (given_as("regime", -1), "WAIT_IN_FALLING_MARKET", "regime_in_timing", SkipStage.LIMIT),
    ],
)
def test_moment_is_bad_then_it_waits_and_with_the_switch_off_it_buys(
    estimate: Estimate, code: str, switch: str, stage: SkipStage
) -> None:
    held = step(case(estimate))
    assert (held.action, held.reasons[0].code, held.skip_stage) == ("skip", code, stage)
    assert held.retry_after_ms is not None
    assert step(case(estimate, config=cases.config(influence={switch: False}))).action == "enter"
    unsure = replace(estimate, confidence=Decimal("0.01"))
    assert step(case(unsure, give_up_at_ms=cases.NOW_MS + 899_000)).action == "enter"


# -- laws ---------------------------------------------------------------------------------
CODES = (
    "regime",
    "market_regime",
    "volatility",
    "volatility_bps",
    "sentiment_bps",
    "whale_distribution_bps",
    "coordination_bps",
)


def one_estimate(code: str) -> st.SearchStrategy[Estimate]:
    values = st.integers(-1, 1) if "regime" in code else st.integers(-10_000, 30_000)
    return st.one_of(
        st.just(unknown(code, "nobody knows", unit="bps", source="test", as_of_ms=0)),
        st.builds(given_as, st.just(code), values, st.sampled_from(["0", "0.3", "1"])),
    )


SOME = st.lists(st.sampled_from(CODES).flatmap(one_estimate), max_size=7, unique_by=lambda item: item.code)
RESULTS = st.lists(st.integers(-10_000, 40_000), max_size=60)
CHANGES = st.fixed_dictionaries(
    {},
    optional={
        "wallet_native_raw": st.integers(0, 100 * cases.ETHER),
        "realised_today_usd_micros": st.integers(-600_000_000, 10**9),
        "exposure_usd_micros": st.integers(0, 6_000_000_000),
        "reserves": st.builds(cases.reserves, quote=st.integers(1, 1_000 * cases.ETHER)),
        "give_up_at_ms": st.integers(cases.NOW_MS, cases.NOW_MS + 900_000),
    },
)
ARGUMENTS: dict[str, Any] = {
    "estimates": SOME,
    "results": RESULTS,
    "changes": CHANGES,
    "switches": st.dictionaries(st.sampled_from(SWITCHES), st.booleans()),
    "confidence_bps": st.integers(0, 10_000),
    "action": st.sampled_from([Action.BUY, Action.PROBE]),
}


@given(**ARGUMENTS)
def test_whatever_is_known_then_no_limit_is_passed_and_nothing_is_larger_than_without(
    estimates: list[Estimate],
    results: list[int],
    changes: dict[str, Any],
    switches: dict[str, bool],
    confidence_bps: int,
    action: Action,
) -> None:
    config = cases.config(influence=switches)
    own = outcome_estimates(results, as_of_ms=0)
    steered = case(*estimates, *own, config=config, confidence_bps=confidence_bps, action=action, **changes)
    decision = step(steered)
    plain = step(replace(steered, steering=None, config=config))
    assert decision_from_inputs(entry_inputs(EntryInputs(case=steered))) == decision
    if decision.action == "skip":
        return
    assert plain.action == "enter"
    assert size_of(decision) <= size_of(plain)
    assert decision.value_usd_micros is not None
    assert decision.value_usd_micros <= 250_000_000
    assert decision.value_usd_micros >= 9_999_999
    exposure = steered.facts.exposure_usd_micros + decision.value_usd_micros
    assert exposure <= 5_000_000_000
    assert decision.slippage_max_bps <= config.execution.slippage_max_bps
    assert decision.fee_cap_raw <= plain.fee_cap_raw


@given(**ARGUMENTS)
def test_every_switch_is_off_then_the_decision_is_the_one_without_intelligence(
    estimates: list[Estimate],
    results: list[int],
    changes: dict[str, Any],
    switches: dict[str, bool],
    confidence_bps: int,
    action: Action,
) -> None:
    config = cases.config(influence=ALL_OFF)
    own = outcome_estimates(results, as_of_ms=0)
    steered = case(*estimates, *own, config=config, confidence_bps=confidence_bps, action=action, **changes)
    assert steered.config == config
    assert step(steered) == step(replace(steered, steering=None))


def test_record_of_before_there_was_steering_then_its_decision_is_the_same() -> None:
    old = replace(case(given_as("regime", -1), confidence_bps=3_500), steering=None, config=cases.config())
    kept = entry_inputs(EntryInputs(case=old))
    for name in ("influence", "weights"):
        del kept["given"]["case"]["config"][name]
    del kept["given"]["case"]["steering"]
    del kept["given"]["case"]["verdict"]["card"]
    assert decision_from_inputs(kept) == step(old)
    assert size_of(step(old)) == WHOLE


# -- slippage and the sandwich bound ------------------------------------------------------
def test_price_is_calm_then_the_entry_tolerates_less_and_says_so() -> None:
    decision = step(case(given_as("volatility_bps", 1_500), block_time_ms=12_000))
    # 1.645 deviations of 24 s: 15 % * sqrt(24 / 3600) * 1.65 = 2.02 %.
    assert decision.slippage_max_bps == 202
    assert decision.amount_out_min is not None
    assert decision.expected_out is not None
    assert decision.amount_out_min.raw == decision.expected_out.raw * 9_798 // 10_000
    [noted] = [item for item in decision.adjustments if item.switch == "influence.dynamic_slippage"]
    assert (noted.before, noted.after) == ("300", "202")


@pytest.mark.parametrize(
    "entry_case",
    [
        case(block_time_ms=12_000),
        case(
            unknown("volatility_bps", "too few bars", unit="bps", source="test", as_of_ms=0),
            block_time_ms=2_000,
        ),
        case(given_as("volatility_bps", 1_500)),
        case(
            given_as("volatility_bps", 1_500),
            config=cases.config(influence={"dynamic_slippage": False}),
            block_time_ms=12_000,
        ),
    ],
    ids=["not asked", "unknown", "no block time", "switched off"],
)
def test_swing_is_not_known_or_not_wanted_then_the_entry_tolerates_what_is_allowed(
    entry_case: EntryCase,
) -> None:
    assert step(entry_case).slippage_max_bps == 300


def test_strangers_see_our_order_then_its_size_is_bound_by_what_an_attack_costs() -> None:
    shallow = cases.reserves(quote=10 * cases.ETHER)
    seen = step(case(reserves=shallow, has_public_mempool=True))
    hidden = step(case(reserves=shallow, has_public_mempool=False))
    assert "size_bound_by=sandwich_free" in seen.reasons[0].detail
    # 0.3 % of the pool, and 200,000 gas at 0.011 gwei over a tolerance of 3 %.
    assert size_of(seen) == 10 * cases.ETHER * 30 // 10_000 + 200_000 * 11 * 10**6 * 10_000 // 300
    assert size_of(hidden) == WHOLE > size_of(seen)
    off = cases.config(influence={"dynamic_slippage": False})
    assert size_of(step(case(reserves=shallow, has_public_mempool=True, config=off))) == WHOLE


@given(
    volatility=st.one_of(st.none(), st.integers(0, 100_000)),
    block_ms=st.one_of(st.none(), st.integers(100, 60_000)),
    is_public=st.sampled_from((None, True, False)),
    quote=st.integers(cases.ETHER // 10, 10_000 * cases.ETHER),
)
def test_slippage_whatever_is_known_then_never_looser_than_set_and_repeated_the_same(
    volatility: int | None, block_ms: int | None, is_public: bool | None, quote: int
) -> None:
    estimates = () if volatility is None else (given_as("volatility_bps", volatility),)
    entry_case = case(
        *estimates, block_time_ms=block_ms, has_public_mempool=is_public, reserves=cases.reserves(quote=quote)
    )
    decision = step(entry_case)
    assert decision.slippage_max_bps <= 300
    assert decision == decision_from_inputs(entry_inputs(EntryInputs(case=entry_case)))
    if decision.amount_in is not None:
        assert decision.amount_in.raw <= WHOLE


def test_a_rule_refuses_then_no_limit_was_asked_and_nothing_is_noted() -> None:
    shrunk = case(given_as("coordination_bps", 6_000), confidence_bps=3_500)
    failed = cases.finding(Outcome.FAIL, "SELL_BLOCKED", "sellable")
    refused = replace(shrunk, verdict=cases.verdict(outcome=Outcome.FAIL, findings=(failed,)))
    assert step(refused).adjustments == ()
    assert step(shrunk).adjustments
