"""What outside services say, as estimates: second opinions that can only speak against a token.

Unknown is told apart: a service that does not answer says nothing, and one that was never asked is not mentioned.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from apps.domain import estimate
from apps.domain.estimate import Estimate
from apps.domain.ids import ChainKey
from apps.domain.market import PairFacts
from apps.domain.money import BPS_ONE
from apps.domain.opinion import Danger, Opinion

SUMMARY = "outside_danger"
SELL_TAX, BUY_TAX = "outside_sell_tax_bps", "outside_buy_tax_bps"
COUNT, CONTRADICTION = "outside_sources", "outside_contradiction_bps"
#: A tax from which on a service's figure is a danger by itself: most of a trade is gone.
EXTREME_TAX_BPS = 5_000
#: One service is often wrong about new tokens; two that agree are seldom.
_CONFIDENCE = (Decimal("0.5"), Decimal("0.7"), Decimal("0.8"))
_REASON_CHARS_MAX = 200
_SOURCE = "outside"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What one service was last known to say. ``opinion`` None: it was never answered, ``why`` says how it stands.

    An answer past its time (``is_fresh`` False) proves nothing any more, but what it warned of stays a warning.
    """

    source: str  # for people
    opinion: Opinion | None
    fetched_at_ms: int
    is_fresh: bool
    why: str = ""

    @property
    def dangers(self) -> frozenset[Danger]:
        """Return what it warns of, an extreme tax included."""
        if self.opinion is None:
            return frozenset()
        taxes = (self.opinion.buy_tax_bps, self.opinion.sell_tax_bps)
        is_extreme = any(tax is not None and tax >= EXTREME_TAX_BPS for tax in taxes)
        return self.opinion.dangers | ({Danger.EXTREME_TAX} if is_extreme else frozenset())

    @property
    def counts(self) -> bool:
        """Tell whether it says anything that counts now."""
        judges = self.opinion is not None and not self.opinion.failure and self.is_fresh
        return judges or bool(self.dangers)


def danger_code(danger: Danger) -> str:
    """Return the code of the estimate that says which services warn of this danger."""
    return f"outside_{danger.value}"


def estimates(answers: Sequence[Answer], *, facts: PairFacts, now_ms: int) -> tuple[Estimate, ...]:
    """Return what the services say, one answer for each that is asked; nothing when none is asked."""
    if not answers:
        return ()
    counting = [answer for answer in answers if answer.counts]
    as_of_ms = min((answer.fetched_at_ms for answer in counting), default=now_ms)
    stating = _Stating(counting=counting, why=_why(answers), as_of_ms=as_of_ms)
    return (
        estimate.known(COUNT, len(counting), unit="count", source=_names(counting), as_of_ms=as_of_ms),
        stating.summary(),
        *stating.dangers(),
        stating.tax(BUY_TAX, [(item, item.opinion.buy_tax_bps) for item in counting if item.opinion]),
        stating.tax(SELL_TAX, [(item, item.opinion.sell_tax_bps) for item in counting if item.opinion]),
        _contradiction(stating, facts),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stating:
    counting: Sequence[Answer]
    why: str
    as_of_ms: int

    def known(self, code: str, value: int, *, unit: str, by: Sequence[Answer], **bounds: int) -> Estimate:
        return estimate.known(
            code,
            value,
            unit=unit,
            source=_names(by),
            as_of_ms=self.as_of_ms,
            confidence=_CONFIDENCE[min(len(by), len(_CONFIDENCE)) - 1],
            n=len(by),
            **bounds,
        )

    def unknown(self, code: str, why: str, *, unit: str) -> Estimate:
        return estimate.unknown(code, why, unit=unit, source=_SOURCE, as_of_ms=self.as_of_ms)

    def summary(self) -> Estimate:
        if not self.counting:
            return self.unknown(SUMMARY, self.why, unit="bool")
        warning = [item for item in self.counting if item.dangers]
        return self.known(SUMMARY, bool(warning), unit="bool", by=warning or self.counting)

    def dangers(self) -> Iterable[Estimate]:
        for danger in Danger:
            warning = [item for item in self.counting if danger in item.dangers]
            if warning:
                yield self.known(danger_code(danger), True, unit="bool", by=warning)  # noqa: FBT003  # a measured value

    def tax(self, code: str, figures: Sequence[tuple[Answer, int | None]]) -> Estimate:
        """Return the highest tax that a service states; its source is who does."""
        stated = [(item, tax) for item, tax in figures if tax is not None]
        if not stated:
            return self.unknown(code, "no service states it" if self.counting else self.why, unit="bps")
        highest = max(tax for _, tax in stated)
        by = [item for item, tax in stated if tax == highest]
        return self.known(code, highest, unit="bps", by=by, low=min(tax for _, tax in stated), high=highest)


def _contradiction(stating: _Stating, facts: PairFacts) -> Estimate:
    """Return how far services and our own simulation are apart: the largest difference of a tax, everything where one
    says that it can be sold and the other that it cannot.
    """
    ours = [trip for trip in facts.round_trips if trip.stage in ("bought_and_sold", "sell_failed")]
    apart: list[tuple[int, Answer]] = []
    for item in stating.counting:
        opinion = item.opinion
        if opinion is None:
            continue
        for trip in ours:
            if opinion.is_sellable is not None:
                is_same = opinion.is_sellable is (trip.stage == "bought_and_sold")
                apart.append((0 if is_same else BPS_ONE, item))
            for theirs, measured in (
                (opinion.buy_tax_bps, trip.buy_tax_bps),
                (opinion.sell_tax_bps, trip.sell_tax_bps),
            ):
                if theirs is not None and measured is not None:
                    apart.append((abs(theirs - measured), item))
    if not apart:
        why = (
            "our own simulation says nothing to compare with"
            if not ours
            else "no service says what we measure"
        )
        return stating.unknown(CONTRADICTION, why if stating.counting else stating.why, unit="bps")
    widest = max(gap for gap, _ in apart)
    by = list({item.source: item for gap, item in apart if gap == widest}.values())
    return stating.known(CONTRADICTION, widest, unit="bps", by=by)


def _names(answers: Iterable[Answer]) -> str:
    return ", ".join(answer.source for answer in answers) or _SOURCE


def _why(answers: Iterable[Answer]) -> str:
    reasons = (
        f"{item.source}: {item.why or (item.opinion.failure if item.opinion else '') or 'its answer is too old'}"
        for item in answers
        if not item.counts
    )
    return "; ".join(reasons)[:_REASON_CHARS_MAX] or "no service has answered"


# -- stored form ----------------------------------------------------------------------------------


def opinion_to_json(opinion: Opinion) -> dict[str, Any]:
    """Return an opinion's findings as plain JSON; service, chain and token stand in columns of their own."""
    return {
        "is_sellable": opinion.is_sellable,
        "buy_tax_bps": opinion.buy_tax_bps,
        "sell_tax_bps": opinion.sell_tax_bps,
        "transfer_tax_bps": opinion.transfer_tax_bps,
        "risk_bps": opinion.risk_bps,
        "dangers": sorted(danger.value for danger in opinion.dangers),
    }


def opinion_from_json(
    fields: Mapping[str, Any], *, source: str, chain_key: str, token: str, failure: str
) -> Opinion:
    """Return a stored opinion; a danger of another release that is not known here stays one."""
    known = {danger.value: danger for danger in Danger}
    bare = Opinion(source=source, chain_key=ChainKey(chain_key), token=token, failure=failure)
    if not fields:
        return bare
    return replace(
        bare,
        is_sellable=fields["is_sellable"],
        buy_tax_bps=fields["buy_tax_bps"],
        sell_tax_bps=fields["sell_tax_bps"],
        transfer_tax_bps=fields["transfer_tax_bps"],
        risk_bps=fields["risk_bps"],
        dangers=frozenset(known.get(name, Danger.REPORTED) for name in fields["dangers"]),
    )
