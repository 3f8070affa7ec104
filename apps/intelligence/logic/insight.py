"""A pair's analysis in a few sentences, made from its estimates alone: every clause states a figure that stands there.

Nothing is concluded beyond it: whether to buy is the verdict's to say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Final

from apps.domain.estimate import Estimate

AGAINST_MAX: Final = 4
IN_FAVOUR_MAX: Final = 3
#: Below this a figure is called uncertain.
_SURE: Final = Decimal("0.5")
_PERCENT: Final = Decimal("0.1")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Clause:
    """Says something when the estimate ``code`` is known and ``holds`` of its value. ``{}`` is the figure in per cent."""

    code: str
    holds: Callable[[Decimal], bool]
    words: str


def _from(least: int) -> Callable[[Decimal], bool]:
    return lambda value: value >= least


def _to(most: int) -> Callable[[Decimal], bool]:
    return lambda value: value <= most


#: What weighs most stands first; both lists are told in this order.
_AGAINST: Final = (
    _Clause(code="sellable", holds=_to(0), words="it could not be sold in simulation"),
    _Clause(code="sell_tax_bps", holds=_from(1_000), words="selling is taxed {} %"),
    _Clause(
        code="lp_removable_bps", holds=_from(2_000), words="{} % of its liquidity can be taken out at once"
    ),
    _Clause(code="owner_controls", holds=_from(1), words="its owner can change taxes, pause, block or mint"),
    _Clause(code="coordination_bps", holds=_from(5_000), words="buyers act in concert, at {} % likelihood"),
    _Clause(code="loss_probability", holds=_from(5_000), words="the fitted chance of loss is {} %"),
    _Clause(
        code="wash_share_low_bps",
        holds=_from(1_000),
        words="at least {} % of the volume is somebody's trade with himself",
    ),
    _Clause(
        code="holder_dump_top10_bps",
        holds=_from(5_000),
        words="the price would fall {} % if the ten largest holders sold",
    ),
    _Clause(
        code="whale_distribution_bps",
        holds=_from(2_000),
        words="large holders sold {} % of what they had within the hour",
    ),
    _Clause(code="market_regime", holds=_to(-1), words="its market falls"),
    _Clause(code="sentiment_bps", holds=_to(-2_000), words="blame outweighs praise by {} %"),
)
_IN_FAVOUR: Final = (
    _Clause(code="sellable", holds=_from(1), words="it sells in simulation"),
    _Clause(code="lp_removable_bps", holds=_to(500), words="{} % of its liquidity can be taken out at once"),
    _Clause(code="sell_tax_bps", holds=_to(500), words="selling is taxed {} %"),
    _Clause(code="loss_probability", holds=_to(2_000), words="the fitted chance of loss is {} %"),
    _Clause(code="coordination_bps", holds=_to(1_000), words="concert among buyers is {} % likely"),
    _Clause(code="market_regime", holds=_from(1), words="its market rises"),
    _Clause(code="sentiment_bps", holds=_from(2_000), words="praise outweighs blame by {} %"),
)
#: What a reader must know to be missing.
_NEEDED: Final = {
    "sellable": "whether it sells",
    "sell_tax_bps": "the tax on selling",
    "lp_removable_bps": "how much liquidity can be taken out",
    "loss_probability": "the chance of loss",
    "coordination_bps": "concert among buyers",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Insight:
    """What stands out in an analysis, in clauses."""

    against: tuple[str, ...]
    in_favour: tuple[str, ...]
    unknown: tuple[str, ...]

    @property
    def text(self) -> str:
        """Return whole sentences; "" when nothing stands out and nothing is missing."""
        parts = (("Against it", self.against), ("For it", self.in_favour), ("Not known", self.unknown))
        return " ".join(f"{title}: {'; '.join(clauses)}." for title, clauses in parts if clauses)

    @property
    def strongest(self) -> str:
        """Return the one clause that weighs most, what speaks against a pair first; "" when there is none."""
        if self.against:
            return f"against it: {self.against[0]}"
        return f"for it: {self.in_favour[0]}" if self.in_favour else ""


def insight(estimates: Iterable[Estimate]) -> Insight:
    """Return what stands out in these estimates. What is unknown is never told as good or bad."""
    by_code = {item.code: item for item in estimates}
    return Insight(
        against=_told(_AGAINST, by_code)[:AGAINST_MAX],
        in_favour=_told(_IN_FAVOUR, by_code)[:IN_FAVOUR_MAX],
        unknown=tuple(
            words for code, words in _NEEDED.items() if code not in by_code or not by_code[code].is_known
        ),
    )


def _told(clauses: Iterable[_Clause], by_code: Mapping[str, Estimate]) -> tuple[str, ...]:
    found = []
    for clause in clauses:
        estimate = by_code.get(clause.code)
        if estimate is None or estimate.value is None or not clause.holds(estimate.value):
            continue
        percent = (abs(estimate.value) / 100).quantize(_PERCENT, rounding=ROUND_HALF_EVEN)
        doubt = " (uncertain)" if estimate.confidence < _SURE else ""
        found.append(clause.words.format(f"{percent.normalize():f}") + doubt)
    return tuple(found)
