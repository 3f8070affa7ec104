"""The provisional score: bounded, monotone, honest about what it rests on."""

from __future__ import annotations

import time
from dataclasses import replace
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.domain import estimate
from apps.domain.analysis import Analysis
from apps.domain.config import TradingConfig
from apps.intelligence.logic.analyse import analyse
from apps.risk.logic.judge import judge
from apps.risk.logic.score import (
    AGE_CONFIDENCE_CAPS_BPS,
    BASE_RATE_BPS,
    COMPONENTS,
    CONFIDENCE_CAP_BPS,
    Component,
    confidence_cap_bps,
    goodness,
    score,
)
from tests.intelligence.subjects import BARE, CREATED_AT_MS, FACTS, LISTING, subject

CONFIDENCES = st.decimals("0", "1", places=4)
VALUES = st.integers(-(10**12), 10**18)


def analysis_of(*figures: tuple[str, int, Decimal]) -> Analysis:
    return Analysis(
        trace_id=LISTING.trace_id,
        listing=LISTING,
        block=FACTS.block,
        estimates=tuple(
            estimate.known(code, value, unit="bps", source="rpc", as_of_ms=0, confidence=confidence)
            for code, value, confidence in figures
        ),
        missing=(),
    )


def points(*figures: tuple[str, int, Decimal]) -> int | None:
    return score(analysis_of(*figures)).score_bps


def test_nothing_is_known_then_there_is_no_score() -> None:
    found = score(analyse(subject(history=None, **BARE)))
    assert (found.score_bps, found.confidence_bps) == (None, 0)
    assert points(("sell_tax_bps", 0, Decimal(0))) is None


def test_healthy_pair_then_above_the_usual_minimum_and_a_bad_one_below() -> None:
    minimum = TradingConfig().entry.score_min_bps
    good = score(analyse(subject())).score_bps
    assert good is not None
    assert good > minimum
    bad = score(
        analyse(subject(lp_burned_raw=0, lp_locked_raw=0, base_creator_raw=FACTS.base_total_supply_raw))
    ).score_bps
    assert bad is not None
    assert bad < minimum


def test_little_is_known_then_the_score_is_near_the_base_rate() -> None:
    found = points(("buy_tax_bps", 0, Decimal("0.1")))
    assert found is not None
    assert BASE_RATE_BPS <= found < BASE_RATE_BPS + 100


def test_curves_then_each_is_monotone_within_bounds() -> None:
    for component in COMPONENTS:
        assert component.weight > 0
        values = [value for value, _ in component.curve]
        goods = [good for _, good in component.curve]
        assert values == sorted(set(values))
        assert goods in (sorted(goods), sorted(goods, reverse=True))
        assert {min(goods), max(goods)} == {0, 10_000}


@pytest.mark.parametrize(
    ("age_s", "cap"), [(0, 3_500), (3_599, 3_500), (3_600, 6_500), (86_399, 6_500), (86_400, 8_500)]
)
def test_age_then_confidence_is_capped(age_s: int, cap: int) -> None:
    found = score(
        analyse(
            subject(now_ms=CREATED_AT_MS + age_s * 1_000, block=replace(FACTS.block, at_ms=CREATED_AT_MS))
        )
    )
    assert found.confidence_bps == cap


def test_age_is_unknown_then_the_lowest_cap() -> None:
    assert confidence_cap_bps(None) == AGE_CONFIDENCE_CAPS_BPS[0][1] < CONFIDENCE_CAP_BPS


@given(value=VALUES, component=st.sampled_from(COMPONENTS))
def test_any_value_then_goodness_is_bounded(value: int, component: Component) -> None:
    assert 0 <= goodness(component, Decimal(value)) <= 10_000


@given(
    first=VALUES,
    second=VALUES,
    component=st.sampled_from(COMPONENTS),
    others=st.dictionaries(
        st.sampled_from([item.figure for item in COMPONENTS]), st.tuples(VALUES, CONFIDENCES)
    ),
    confidence=CONFIDENCES,
)
def test_one_figure_gets_better_then_the_score_never_falls(
    first: int, second: int, component: Component, others: dict[str, tuple[int, Decimal]], confidence: Decimal
) -> None:
    rest = [(code, *known) for code, known in others.items() if code != component.figure]
    worse, better = sorted((first, second), key=lambda value: goodness(component, Decimal(value)))
    low = points((component.figure, worse, confidence), *rest)
    high = points((component.figure, better, confidence), *rest)
    assert (low is None) is (high is None)
    assert low is None or high is None or 0 <= low <= high <= 10_000


@given(values=st.lists(VALUES, min_size=2, max_size=20), component=st.sampled_from(COMPONENTS))
def test_values_rise_then_goodness_goes_one_way(values: list[int], component: Component) -> None:
    goods = [goodness(component, Decimal(value)) for value in sorted(values)]
    rises = component.curve[0][1] < component.curve[-1][1]
    assert all((low <= high) if rises else (low >= high) for low, high in pairwise(goods))


def test_judging_then_p95_is_below_two_milliseconds() -> None:
    analysis, config = analyse(subject()), TradingConfig()
    times: list[float] = []
    for _ in range(200):
        started = time.process_time()  # what it costs, not what else the machine does
        judge(analysis=analysis, config=config, config_revision=1)
        times.append(time.process_time() - started)
    assert sorted(times)[189] < 0.002
