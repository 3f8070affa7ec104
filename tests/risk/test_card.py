"""The score card: bounds that hold, an action that follows, and the input that would help most."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from apps.domain.analysis import Analysis
from apps.domain.config import TradingConfig, weights_by_chain
from apps.domain.estimate import Estimate, known, unknown
from apps.domain.verdict import Action, RiskVerdict
from apps.intelligence.logic.analyse import analyse
from apps.risk.logic.edge import outcome_estimates
from apps.risk.logic.judge import judge
from apps.risk.logic.record import card_from_json, card_to_json
from apps.risk.logic.score import COMPONENTS, reliability_bps, score
from tests.intelligence.subjects import FACTS, LISTING, subject

CONFIG = TradingConfig()
FIGURES = tuple(item.figure for item in COMPONENTS)


def analysis_of(*estimates: Estimate) -> Analysis:
    return Analysis(
        trace_id=LISTING.trace_id, listing=LISTING, block=FACTS.block, estimates=estimates, missing=()
    )


def given_as(
    code: str,
    value: int,
    confidence: str = "1",
    *,
    low: int | None = None,
    high: int | None = None,
    at_ms: int = 0,
) -> Estimate:
    return known(
        code,
        value,
        unit="bps",
        source="test",
        as_of_ms=at_ms or FACTS.block.at_ms,
        confidence=Decimal(confidence),
        low=low,
        high=high,
    )


def verdict_of(analysis: Analysis, config: TradingConfig = CONFIG) -> RiskVerdict:
    return judge(analysis=analysis, config=config, config_revision=1)


def action_of(analysis: Analysis, config: TradingConfig = CONFIG) -> Action:
    card = verdict_of(analysis, config).card
    assert card is not None
    return card.action


HEALTHY = analyse(subject())


def test_healthy_pair_then_buy_and_a_refused_one_then_block() -> None:
    assert action_of(HEALTHY) is Action.BUY
    refused = analyse(subject(lp_burned_raw=0, lp_locked_raw=0))
    assert action_of(refused) is Action.BLOCK


def test_nothing_is_known_then_watch_and_the_heaviest_figure_helps_most() -> None:
    found = verdict_of(analysis_of()).card
    assert found is not None
    assert found.action is Action.WATCH
    assert found.risk.value_bps is None
    assert found.helps_most == "lp_removable_bps"


def test_minimum_lies_within_the_bounds_then_the_action_says_where() -> None:
    found = score(HEALTHY)
    assert found.score_bps is not None
    for minimum, action in (
        (found.low_bps, Action.BUY),
        (found.low_bps + 1, Action.PROBE),
        (found.score_bps, Action.PROBE),
        (found.score_bps + 1, Action.WATCH),
        (found.high_bps, Action.WATCH),
        (found.high_bps + 1, Action.AVOID),
    ):
        config = TradingConfig.model_validate({"entry": {"score_min_bps": minimum}})
        assert action_of(HEALTHY, config) is action, minimum


def test_little_is_known_then_a_small_try_and_with_the_switch_off_a_whole_one() -> None:
    config = TradingConfig.model_validate({"influence": {"coverage_min_bps": 10_000}})
    assert action_of(HEALTHY, config) is Action.PROBE
    off = TradingConfig.model_validate(
        {"influence": {"coverage_min_bps": 10_000, "probe_when_uncertain": False}}
    )
    assert action_of(HEALTHY, off) is Action.BUY


def test_our_entries_clearly_lose_then_avoid_and_the_edge_is_shown() -> None:
    losing = outcome_estimates([-10_000] * 60, as_of_ms=0)
    found = verdict_of(replace(HEALTHY, estimates=(*HEALTHY.estimates, *losing))).card
    assert found is not None
    assert found.action is Action.AVOID
    assert found.edge.value_bps == -10_000
    assert card_from_json(card_to_json(found)) == found


def test_news_then_move_the_score_and_not_with_the_switch_off() -> None:
    blamed = replace(HEALTHY, estimates=(*HEALTHY.estimates, given_as("sentiment_bps", -10_000)))
    whole, moved = verdict_of(HEALTHY).score_bps, verdict_of(blamed).score_bps
    assert whole is not None
    assert moved == whole - 1_000
    off = TradingConfig.model_validate({"influence": {"score_by_news": False}})
    assert verdict_of(blamed, off).score_bps == whole


# -- age and weights ----------------------------------------------------------------------
def test_figure_ages_then_it_bears_half_after_each_half_life() -> None:
    [component] = [item for item in COMPONENTS if item.figure == "coordination_bps"]
    made = given_as("coordination_bps", 0, at_ms=1_000_000)
    at = [
        reliability_bps(component, made, at_ms=1_000_000 + minutes * 60_000)
        for minutes in (0, 15, 30, 60, 6_000)
    ]
    assert at == [10_000, 7_500, 5_000, 2_500, 0]


def test_chain_has_its_own_weights_then_only_it_is_scored_by_them() -> None:
    text = f"{LISTING.base.chain_key} lp_removable_bps=0 base_rate_bps=0; eip155:56 sellers_count=40"
    config = TradingConfig.model_validate({"weights": {"by_chain": text}})
    assert config.weights.of("eip155:56") == {"sellers_count": 40}
    assert config.weights.of("eip155:1") == {}
    own = config.weights.of(LISTING.base.chain_key)
    without = analysis_of(given_as("lp_removable_bps", 10_000), given_as("sellable", 1))
    assert score(without, weights=own).low_bps > score(without).low_bps
    assert verdict_of(HEALTHY, config).score_bps != verdict_of(HEALTHY).score_bps


@pytest.mark.parametrize(
    "text", ["eip155:1", "eip155:1 sellers_count", "eip155:1 sellers_count=-1", "eip155:1 x=1001"]
)
def test_weights_cannot_be_read_then_it_says_which(text: str) -> None:
    with pytest.raises(ValueError, match="weight"):
        weights_by_chain(text)
    with pytest.raises(ValidationError):
        TradingConfig.model_validate({"weights": {"by_chain": text}})


# -- laws ---------------------------------------------------------------------------------
def one(figure: str) -> st.SearchStrategy[Estimate]:
    values = st.lists(st.integers(-100, 20_000), min_size=3, max_size=3).map(sorted)
    return st.one_of(
        st.just(unknown(figure, "nobody knows", unit="bps", source="test", as_of_ms=0)),
        st.builds(
            lambda ends, confidence: given_as(figure, ends[1], confidence, low=ends[0], high=ends[2]),
            values,
            st.sampled_from(["0", "0.2", "0.9", "1"]),
        ),
    )


SOME = st.lists(
    st.sampled_from([*FIGURES, "sentiment_bps", "whale_distribution_bps", "pair_age_s"]).flatmap(one),
    unique_by=lambda item: item.code,
    max_size=18,
)


@given(SOME)
def test_any_figures_then_bounds_hold_and_no_figure_is_invented(estimates: list[Estimate]) -> None:
    analysis = analysis_of(*estimates)
    found = score(analysis)
    card = verdict_of(analysis).card
    assert card is not None
    if found.score_bps is None:
        assert card.risk.value_bps is None
        return
    assert 0 <= found.low_bps <= found.score_bps <= found.high_bps <= 10_000
    assert 0 <= found.confidence_bps <= found.coverage_bps <= 10_000
    assert card_from_json(card_to_json(card)) == card
    if found.helps_most:
        assert found.helps_bps <= found.high_bps - found.low_bps


@given(
    SOME, st.sampled_from([item for item in COMPONENTS if not item.needs_value]), st.integers(-100, 20_000)
)
def test_missing_figure_becomes_known_then_the_score_stays_within_its_bounds(
    estimates: list[Estimate], component: object, value: int
) -> None:
    figure = component.figure  # type: ignore[attr-defined]
    rest = [item for item in estimates if item.code != figure]
    before = score(analysis_of(*rest))
    after = score(analysis_of(*rest, given_as(figure, value)))
    if before.score_bps is None or after.score_bps is None:
        return
    assert before.low_bps <= after.score_bps <= before.high_bps
    assert after.high_bps - after.low_bps <= before.high_bps - before.low_bps
