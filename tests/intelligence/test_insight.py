"""Sentences about an analysis: only what its figures say."""

from __future__ import annotations

import re
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from apps.domain.estimate import Estimate, known, unknown
from apps.intelligence.logic.insight import _AGAINST, _IN_FAVOUR, AGAINST_MAX, insight

CODES = sorted({clause.code for clause in (*_AGAINST, *_IN_FAVOUR)})


def of(code: str, value: int, confidence: str = "1") -> Estimate:
    return known(code, value, unit="bps", source="rpc", as_of_ms=1, confidence=Decimal(confidence), n=1)


def missing(code: str) -> Estimate:
    return unknown(code, "it was not read", unit="bps", source="rpc", as_of_ms=1)


def test_trap_then_what_weighs_most_first_with_its_figures() -> None:
    found = insight([of("lp_removable_bps", 9_950), of("sellable", 0), of("sell_tax_bps", 1_250)])
    assert found.against == (
        "it could not be sold in simulation",
        "selling is taxed 12.5 %",
        "99.5 % of its liquidity can be taken out at once",
    )
    assert found.strongest == "against it: it could not be sold in simulation"
    assert found.text.endswith("Not known: the chance of loss; concert among buyers.")


def test_honest_pair_then_told_for_it_and_nothing_against() -> None:
    found = insight([of("sellable", 1), of("lp_removable_bps", 0), of("sell_tax_bps", 100)])
    assert found.text.startswith(
        "For it: it sells in simulation; 0 % of its liquidity can be taken out at once; selling is taxed 1 %."
    )
    assert found.strongest == "for it: it sells in simulation"


def test_figure_without_confidence_then_called_uncertain() -> None:
    assert insight([of("loss_probability", 8_000, "0.3")]).against == (
        "the fitted chance of loss is 80 % (uncertain)",
    )


def test_nothing_known_then_only_what_is_missing() -> None:
    found = insight([missing(code) for code in CODES])
    assert (found.against, found.in_favour, found.strongest) == ((), (), "")
    assert found.text.startswith("Not known: whether it sells")


@given(
    st.dictionaries(
        st.sampled_from(CODES), st.none() | st.integers(min_value=-10_000, max_value=10_000), max_size=12
    )
)
def test_any_estimates_then_every_figure_told_stands_among_them(values: dict[str, int | None]) -> None:
    found = insight([missing(code) if value is None else of(code, value) for code, value in values.items()])
    there = {abs(Decimal(value)) / 100 for value in values.values() if value is not None}
    for clause in (*found.against, *found.in_favour):
        for figure in re.findall(r"([\d.]+) %", clause):
            assert min(abs(Decimal(figure) - value) for value in there) <= Decimal("0.05")
    assert not set(found.against) & set(found.in_favour)
    assert len(found.against) <= AGAINST_MAX
