"""Limits under conditions: never looser than set, and working with any input missing."""

from __future__ import annotations

from dataclasses import fields, replace
from decimal import Decimal
from itertools import combinations, pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.domain.analysis import Analysis
from apps.domain.config import Influence, TradingConfig
from apps.domain.estimate import Estimate, known, unknown
from apps.risk.logic.conditions import Conditions, conditions_of
from apps.risk.logic.exit_limits import stop_by_volatility_bps
from apps.risk.logic.limits import limits_in_force
from apps.risk.logic.modifiers import news_points, score_moved, sentiment_points, whale_points
from tests.trading import cases

#: Everything that may narrow does.
CONFIG = cases.config(influence={"size_by_whales": True})
INPUTS = ("regime", "volatility", "sentiment", "whale_distribution", "coordination")

ALL_NEWS = Influence(score_by_whales=True)


def given_as(code: str, value: int, confidence: str = "1") -> Estimate:
    return known(code, value, unit="bps", source="test", as_of_ms=0, confidence=Decimal(confidence))


def not_known(code: str) -> Estimate:
    return unknown(code, "nobody knows", unit="bps", source="test", as_of_ms=0)


BAD = Conditions(
    regime=given_as("regime", -1),
    volatility=given_as("volatility", 8_000),
    sentiment=given_as("sentiment", -9_000),
    whale_distribution=given_as("whale_distribution", 6_000),
    coordination=given_as("coordination", 6_000),
)


def test_nothing_is_known_then_limits_are_as_configured() -> None:
    named: dict[str, Any] = {name: not_known(name) for name in INPUTS}
    for conditions in (Conditions(), Conditions(**named)):
        found = limits_in_force(CONFIG, conditions)
        assert (found.config, found.changes) == (CONFIG, ())


def test_all_is_well_then_nothing_becomes_looser() -> None:
    good = Conditions(
        regime=given_as("regime", 1),
        volatility=given_as("volatility", 100),
        sentiment=given_as("sentiment", 10_000),
        whale_distribution=given_as("whale_distribution", 0),
        coordination=given_as("coordination", 0),
    )
    found = limits_in_force(CONFIG, good).config
    assert (found.limits, found.entry) == (CONFIG.limits, CONFIG.entry)
    assert found.exits.stop_loss_bps == 500  # a still price needs no wide stop


@pytest.mark.parametrize(
    ("name", "code", "position_usd"),
    [
        ("regime", "SHRUNK_IN_FALLING_MARKET", "125.00"),
        ("volatility", "SHRUNK_BY_VOLATILITY", "62.50"),
        ("sentiment", "SHRUNK_BY_SENTIMENT", "187.50"),
        ("whale_distribution", "SHRUNK_BY_WHALES", "100.00"),
        ("coordination", "SHRUNK_BY_COORDINATION", "125.00"),
    ],
)
def test_one_input_is_bad_and_the_others_are_missing_then_it_narrows_alone(
    name: str, code: str, position_usd: str
) -> None:
    found = limits_in_force(CONFIG, Conditions(**{name: getattr(BAD, name)}))
    assert found.config.limits.position_max_usd == Decimal(position_usd)
    assert found.changes[0].code == code


@pytest.mark.parametrize(
    "missing",
    [group for n in range(6) for group in combinations(INPUTS, n)],
    ids=lambda group: "+".join(group) or "none",
)
@pytest.mark.parametrize("as_unknown", [True, False])
def test_any_inputs_are_missing_then_it_works_and_is_no_stricter_than_with_all(
    missing: tuple[str, ...], as_unknown: bool
) -> None:
    gone: dict[str, Any] = {name: not_known(name) if as_unknown else None for name in missing}
    some = limits_in_force(CONFIG, replace(BAD, **gone)).config
    everything = limits_in_force(CONFIG, BAD).config
    assert (
        everything.limits.position_max_usd <= some.limits.position_max_usd <= CONFIG.limits.position_max_usd
    )
    assert (
        everything.limits.exposure_max_usd <= some.limits.exposure_max_usd <= CONFIG.limits.exposure_max_usd
    )
    assert some.entry.score_min_bps >= CONFIG.entry.score_min_bps


def test_breaker_shrinks_then_everything_does() -> None:
    found = limits_in_force(CONFIG, Conditions(shrink_bps=5_000, shrunk_by=("slippage",)))
    limits = found.config.limits
    assert (limits.position_max_usd, limits.exposure_max_usd, limits.open_positions_max) == (
        Decimal("125.00"),
        Decimal("2500.00"),
        10,
    )
    assert [item.code for item in found.changes] == ["SHRUNK_BY_BREAKER"]


def test_little_confidence_then_little_is_taken() -> None:
    found = limits_in_force(CONFIG, Conditions(regime=given_as("regime", -1, "0.2")))
    assert found.config.limits.position_max_usd == Decimal("225.00")
    assert found.config.entry.score_min_bps == CONFIG.entry.score_min_bps + 100


# -- stops --------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("volatility", "regime", "held_s", "stop"),
    [
        (500, None, 3_600, 1_000),
        (500, -1, 3_600, 1_000),
        (500, 1, 3_600, 1_500),  # wider only while the market is known to rise
        (500, None, 14_400, 2_000),  # four times as long: twice as far
        (500, None, None, 1_000),
        (10, None, 3_600, 500),  # not inside the noise
        (9_000, None, 3_600, 10_000),
    ],
)
def test_stop_follows_the_price_swing(
    volatility: int, regime: int | None, held_s: int | None, stop: int
) -> None:
    found = stop_by_volatility_bps(
        given_as("volatility", volatility),
        regime=None if regime is None else given_as("regime", regime),
        held_max_s=held_s,
    )
    assert found == stop


def test_volatility_is_unknown_then_the_stop_is_the_configured_one() -> None:
    assert stop_by_volatility_bps(None) is None
    assert stop_by_volatility_bps(not_known("volatility")) is None
    found = limits_in_force(CONFIG, Conditions(volatility=not_known("volatility")))
    assert found.config.exits == CONFIG.exits


def test_person_wants_no_stop_then_none_is_made() -> None:
    config = cases.config(exits={"stop_loss_bps": None, "trailing_stop_bps": None})
    exits = limits_in_force(config, Conditions(volatility=given_as("volatility", 100))).config.exits
    assert (exits.stop_loss_bps, exits.trailing_stop_bps) == (None, None)


# -- switches -----------------------------------------------------------------------------
#: Every switch with the input that it lets through, and the figure that it changes.
SWITCHES = {
    "size_by_confidence": (Conditions(confidence_bps=3_500), "position_max_usd"),
    "probe_when_uncertain": (Conditions(is_probe=True), "position_max_usd"),
    "size_by_volatility": (Conditions(volatility=given_as("volatility", 8_000)), "position_max_usd"),
    "size_by_sentiment": (Conditions(sentiment=BAD.sentiment), "position_max_usd"),
    "size_by_whales": (Conditions(whale_distribution=BAD.whale_distribution), "position_max_usd"),
    "size_by_manipulation": (Conditions(coordination=BAD.coordination), "position_max_usd"),
    "regime_in_limits": (Conditions(regime=BAD.regime), "score_min_bps"),
    "regime_in_exits": (Conditions(regime=BAD.regime), "take_profit_bps"),
    "exits_by_volatility": (Conditions(volatility=given_as("volatility", 100)), "stop_loss_bps"),
}


def figure(config: TradingConfig, name: str) -> Any:
    section = next(part for part in (config.limits, config.entry, config.exits) if hasattr(part, name))
    return getattr(section, name)


@pytest.mark.parametrize("switch", SWITCHES)
def test_switch_is_off_then_its_input_changes_nothing(switch: str) -> None:
    conditions, _ = SWITCHES[switch]
    config = cases.config(influence={"size_by_whales": True, switch: False})
    noted = [item.switch for item in limits_in_force(config, conditions).adjustments]
    assert f"influence.{switch}" not in noted
    others = dict.fromkeys(SWITCHES, False)
    silent = cases.config(influence=others)
    found = limits_in_force(silent, conditions)
    assert (found.config, found.changes, found.adjustments, found.size_bps) == (silent, (), (), 10_000)


@pytest.mark.parametrize("switch", SWITCHES)
def test_switch_is_on_then_its_figure_goes_down_or_stricter_and_is_noted(switch: str) -> None:
    conditions, name = SWITCHES[switch]
    found = limits_in_force(CONFIG, conditions)
    [note] = [
        item for item in found.adjustments if (item.switch, item.subject) == (f"influence.{switch}", name)
    ]
    assert Decimal(note.before) == figure(CONFIG, name)
    assert Decimal(note.after) == figure(found.config, name) or len(found.adjustments) > 1
    is_stricter = figure(found.config, name) < figure(CONFIG, name)
    assert is_stricter or (name == "score_min_bps" and found.config.entry.score_min_bps == 6_000)


def test_several_factors_then_each_step_begins_where_the_last_ended() -> None:
    steps = [item for item in limits_in_force(CONFIG, BAD).adjustments if item.subject == "position_max_usd"]
    assert len(steps) == 5
    assert Decimal(steps[0].before) == CONFIG.limits.position_max_usd
    least = CONFIG.limits.position_min_usd
    for earlier, later in pairwise(steps):
        assert max(Decimal(later.before), least) == Decimal(earlier.after)
    assert Decimal(steps[-1].after) == limits_in_force(CONFIG, BAD).config.limits.position_max_usd


def test_market_falls_then_gains_are_taken_sooner_and_not_below_what_costs_eat() -> None:
    falling = Conditions(regime=given_as("regime", -1))
    assert limits_in_force(CONFIG, falling).config.exits.take_profit_bps == 2_500
    small = cases.config(exits={"take_profit_bps": 1_200})
    assert limits_in_force(small, falling).config.exits.take_profit_bps == 1_000
    less = cases.config(exits={"take_profit_bps": 500})
    assert limits_in_force(less, falling).config.exits == less.exits
    never = cases.config(exits={"take_profit_bps": None})
    assert limits_in_force(never, falling).config.exits.take_profit_bps is None


def test_analysis_then_its_conditions_are_read_by_either_name() -> None:
    bear = given_as("regime", -1)
    found = conditions_of(with_figures(not_known("market_regime"), bear))
    assert (found.regime, found.volatility) == (bear, None)
    named = given_as("volatility_bps", 5)
    assert conditions_of(with_figures(named, given_as("volatility", 9))).volatility == named


# -- laws ---------------------------------------------------------------------------------
_ESTIMATES = {
    name: st.one_of(
        st.none(),
        st.just(not_known(name)),
        st.builds(
            given_as,
            st.just(name),
            st.integers(-1, 1) if name == "regime" else st.integers(-10_000, 30_000),
            st.sampled_from(["0", "0.3", "0.7", "1"]),
        ),
    )
    for name in INPUTS
}


@given(
    conditions=st.builds(
        Conditions,
        **_ESTIMATES,
        shrink_bps=st.integers(1, 10_000),
        confidence_bps=st.one_of(st.none(), st.integers(0, 10_000)),
        is_probe=st.booleans(),
    ),
    switches=st.dictionaries(st.sampled_from(sorted(SWITCHES)), st.booleans()),
    target=st.one_of(st.none(), st.integers(10, 1_000_000)),
    position=st.decimals("1", "500", places=2),
    least=st.decimals("0", "1", places=2),
    stop=st.one_of(st.none(), st.integers(10, 10_000)),
)
def test_any_conditions_then_nothing_is_looser_and_the_result_is_a_configuration(
    conditions: Conditions,
    switches: dict[str, bool],
    position: Decimal,
    least: Decimal,
    stop: int | None,
    target: int | None,
) -> None:
    config = cases.config(
        limits={"position_max_usd": position, "position_min_usd": least},
        exits={"stop_loss_bps": stop, "take_profit_bps": target},
        influence=switches,
    )
    whole = limits_in_force(config, conditions)
    found = whole.config
    assert 0 < whole.size_bps <= 10_000
    assert found == config or whole.adjustments
    assert (found.exits.take_profit_bps or 0) <= (target or 0)
    assert (found.exits.take_profit_bps is None) is (target is None)
    assert TradingConfig.model_validate(found.model_dump(mode="json")) == found
    assert found.limits.position_max_usd <= config.limits.position_max_usd
    assert found.limits.exposure_max_usd <= config.limits.exposure_max_usd
    assert 1 <= found.limits.open_positions_max <= config.limits.open_positions_max
    assert found.entry.score_min_bps >= config.entry.score_min_bps
    if stop is None:
        assert found.exits.stop_loss_bps is None
    else:
        assert found.exits.stop_loss_bps is not None
        assert found.exits.stop_loss_bps <= stop
    assert found.gates == config.gates
    assert found.rules == config.rules


def test_conditions_then_each_input_is_tried_here() -> None:
    assert {item.name for item in fields(Conditions)} == {
        *INPUTS,
        "shrink_bps",
        "shrunk_by",
        "confidence_bps",
        "is_probe",
    }


# -- score --------------------------------------------------------------------------------
def with_figures(*estimates: Estimate) -> Analysis:
    return cases.analysis(estimates=estimates)


def test_sentiment_then_blame_counts_more_than_praise_and_unknown_nothing() -> None:
    assert sentiment_points(with_figures(given_as("sentiment_bps", 10_000))) == 300
    assert sentiment_points(with_figures(given_as("sentiment_bps", -10_000))) == -1_000
    assert sentiment_points(with_figures(given_as("sentiment_bps", -10_000, "0.5"))) == -500
    assert sentiment_points(with_figures(not_known("sentiment_bps"))) == 0
    assert sentiment_points(with_figures()) == 0


def test_whales_sell_then_the_score_falls_and_unknown_leaves_it() -> None:
    assert whale_points(with_figures(given_as("whale_distribution_bps", 4_000))) == 1_000
    assert whale_points(with_figures()) == 0
    assert news_points(with_figures(given_as("whale_distribution_bps", 4_000)), ALL_NEWS) == -1_000
    assert news_points(with_figures(given_as("whale_distribution_bps", 4_000)), Influence()) == 0
    assert news_points(with_figures(), ALL_NEWS) == 0


@given(score=st.integers(0, 10_000), sentiment=st.integers(-20_000, 20_000), whales=st.integers(-5, 20_000))
def test_any_figures_then_the_score_stays_in_bounds(score: int, sentiment: int, whales: int) -> None:
    analysis = with_figures(given_as("sentiment_bps", sentiment), given_as("whale_distribution_bps", whales))
    assert 0 <= score_moved(score, news_points(analysis, ALL_NEWS)) <= 10_000
