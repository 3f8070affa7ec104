"""Was it right to refuse: what a refused token would have cost and brought, and what each rule saves and costs.

The position that was not taken is counted as a real one would have been: the size that the limits allowed, bought at the
reserves of the refusal and sold into those of now, after the pool's fee and the token's measured taxes. Gains are the
most that any look showed, which no seller reaches: what a rule costs is an upper bound, what it saves is not.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from apps.chains.evm.dex.constant_product import amount_out
from apps.domain.config import Scoreboard, TradingConfig
from apps.domain.money import BPS_ONE, bps_of, raw_for_usd_micros, usd_to_micros

#: A look comes again after a twentieth of the time followed so far, within these bounds.
LOOK_SHARE = 20
LOOK_MIN_MS, LOOK_MAX_MS = 60_000, 900_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Shadow:
    """The position that was not taken. Raw figures in quote units, ``base_raw`` in base units before the token's tax."""

    size_raw: int
    size_usd_micros: int
    base_raw: int
    fee_bps: int
    peak_quote_raw: int
    buy_tax_bps: int = 0  # as measured; 0 while it was not
    sell_tax_bps: int = 0
    value_raw: int | None = None  # what selling would bring now; None: not known
    best_raw: int = 0  # the most it would have brought while it was known to be sellable
    is_sellable: bool | None = None
    died_by: str = ""  # "drained", "unsellable"
    has_risen: bool = False  # before it died

    @property
    def saved_usd_micros(self) -> int:
        """Return the loss that the refusal saved; 0 when there was none, or when the token rose first."""
        if self.has_risen or self.value_raw is None:
            return 0
        return self._usd(max(self.size_raw - self.value_raw, 0))

    @property
    def missed_usd_micros(self) -> int:
        """Return the most that the refusal missed; 0 when there was no gain."""
        if self.has_risen:
            return self._usd(max(self.best_raw - self.size_raw, 0))
        if self.value_raw is None or self.is_sellable is not True:
            return 0
        return self._usd(max(self.value_raw - self.size_raw, 0))

    def _usd(self, raw: int) -> int:
        return raw * self.size_usd_micros // self.size_raw if self.size_raw else 0


def shadow_of(
    *,
    base_reserve_raw: int,
    quote_reserve_raw: int,
    fee_bps: int,
    quote_decimals: int,
    quote_price_usd_micros: int,
    config: TradingConfig,
) -> Shadow | None:
    """Return the position that would have been taken at these reserves; None when none could be."""
    if quote_price_usd_micros <= 0 or quote_reserve_raw <= 0 or base_reserve_raw <= 0:
        return None
    most = raw_for_usd_micros(
        usd_to_micros(config.limits.position_max_usd),
        decimals=quote_decimals,
        price_usd_micros=quote_price_usd_micros,
    )
    size = min(most, bps_of(quote_reserve_raw, config.rules.price_impact_max_bps))
    base = amount_out(
        amount_in_raw=size,
        reserve_in_raw=quote_reserve_raw,
        reserve_out_raw=base_reserve_raw,
        fee_bps=fee_bps,
    )
    if size <= 0 or base <= 0:
        return None
    worth: int = size * quote_price_usd_micros // 10**quote_decimals
    return Shadow(
        size_raw=size,
        size_usd_micros=worth,
        base_raw=base,
        fee_bps=fee_bps,
        peak_quote_raw=quote_reserve_raw,
    )


def looked(shadow: Shadow, *, base_reserve_raw: int, quote_reserve_raw: int, settings: Scoreboard) -> Shadow:
    """Return the position after a look at its pool. Only a token known to be sellable can rise; a dead one stays dead."""
    if shadow.died_by:
        return shadow
    peak = max(shadow.peak_quote_raw, quote_reserve_raw)
    if shadow.is_sellable is False:
        return replace(shadow, peak_quote_raw=peak, value_raw=0, died_by="unsellable")
    if quote_reserve_raw * BPS_ONE < peak * settings.dead_below_bps:
        value = _value(shadow, base_reserve_raw, quote_reserve_raw)
        return replace(shadow, peak_quote_raw=peak, value_raw=value, died_by="drained")
    value = _value_with_purchase(shadow, base_reserve_raw, quote_reserve_raw)
    best = max(shadow.best_raw, value) if shadow.is_sellable else shadow.best_raw
    return replace(
        shadow,
        peak_quote_raw=peak,
        value_raw=value,
        best_raw=best,
        has_risen=shadow.has_risen or best * BPS_ONE > shadow.size_raw * settings.risen_above_bps,
    )


def wants_simulation(shadow: Shadow, *, settings: Scoreboard) -> bool:
    """Tell whether only a simulation can say more: nobody tried yet, or it would have risen if it could be sold."""
    if shadow.is_sellable is None:
        return True
    return (
        shadow.value_raw is not None
        and not shadow.has_risen
        and shadow.value_raw * BPS_ONE > shadow.size_raw * settings.risen_above_bps
    )


def simulated(
    shadow: Shadow, *, is_sellable: bool | None, buy_tax_bps: int | None, sell_tax_bps: int | None
) -> Shadow:
    """Return the position after a simulated trade; what it did not show stays as it was."""
    return replace(
        shadow,
        is_sellable=shadow.is_sellable if is_sellable is None else is_sellable,
        buy_tax_bps=shadow.buy_tax_bps if buy_tax_bps is None else buy_tax_bps,
        sell_tax_bps=shadow.sell_tax_bps if sell_tax_bps is None else sell_tax_bps,
    )


def look_pause_ms(*, followed_ms: int) -> int:
    """Return how long a refused token is left alone before the next look: the longer it was followed the longer."""
    return min(max(followed_ms // LOOK_SHARE, LOOK_MIN_MS), LOOK_MAX_MS)


def _value_with_purchase(shadow: Shadow, base_reserve_raw: int, quote_reserve_raw: int) -> int:
    """Return what selling would bring from a pool in which our purchase stands, as it would: else every token that
    stays where it was would show twice our own price impact as a loss saved.
    """
    if base_reserve_raw <= shadow.base_raw:
        return _value(shadow, base_reserve_raw, quote_reserve_raw)
    return _value(shadow, base_reserve_raw - shadow.base_raw, quote_reserve_raw + shadow.size_raw)


def _value(shadow: Shadow, base_reserve_raw: int, quote_reserve_raw: int) -> int:
    """Return what selling into these reserves would bring, rounded down."""
    if base_reserve_raw <= 0 or quote_reserve_raw <= 0:
        return 0
    arrived = shadow.base_raw * (BPS_ONE - min(shadow.buy_tax_bps, BPS_ONE)) // BPS_ONE
    sent = arrived * (BPS_ONE - min(shadow.sell_tax_bps, BPS_ONE)) // BPS_ONE
    if sent == 0:
        return 0
    return amount_out(
        amount_in_raw=sent,
        reserve_in_raw=base_reserve_raw,
        reserve_out_raw=quote_reserve_raw,
        fee_bps=shadow.fee_bps,
    )


# -- the board ----------------------------------------------------------------------------
@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """A refused token as the board counts it."""

    rules: tuple[str, ...]
    is_decided: bool  # followed to its end
    has_died: bool
    has_risen: bool
    saved_usd_micros: int
    missed_usd_micros: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleScore:
    """What one rule does. A token that several rules refused counts for each of them; ``alone`` counts the others.

    Shares are of the tokens followed to their end; None while there are none. Money is in millionths of US dollars.
    """

    rule: str
    refused: int
    decided: int
    died: int
    rose: int
    died_bps: int | None
    rose_bps: int | None
    saved_usd_micros: int
    missed_usd_micros: int
    alone: int  # tokens that only this rule refused: without it they would have been bought
    alone_saved_usd_micros: int
    alone_missed_usd_micros: int

    @property
    def net_usd_micros(self) -> int:
        """Return what the rule saved beyond what it missed at most."""
        return self.saved_usd_micros - self.missed_usd_micros


def board(tokens: Iterable[Followed]) -> tuple[RuleScore, ...]:
    """Return every rule's score, the one that refused most first; "all" stands for all refusals together."""
    by_rule: Mapping[str, list[Followed]] = defaultdict(list)
    for token in tokens:
        by_rule["all"].append(token)
        for rule in dict.fromkeys(token.rules):
            by_rule[rule].append(token)
    scores = [_score(rule, items) for rule, items in by_rule.items()]
    return tuple(sorted(scores, key=lambda item: (item.rule != "all", -item.refused, item.rule)))


def _score(rule: str, tokens: Sequence[Followed]) -> RuleScore:
    decided = [item for item in tokens if item.is_decided]
    died, rose = sum(item.has_died for item in decided), sum(item.has_risen for item in decided)
    alone = [item for item in decided if item.rules == (rule,)]
    return RuleScore(
        rule=rule,
        refused=len(tokens),
        decided=len(decided),
        died=died,
        rose=rose,
        died_bps=died * BPS_ONE // len(decided) if decided else None,
        rose_bps=rose * BPS_ONE // len(decided) if decided else None,
        saved_usd_micros=sum(item.saved_usd_micros for item in decided),
        missed_usd_micros=sum(item.missed_usd_micros for item in decided),
        alone=len(alone),
        alone_saved_usd_micros=sum(item.saved_usd_micros for item in alone),
        alone_missed_usd_micros=sum(item.missed_usd_micros for item in alone),
    )
