"""What an entry is decided from: the verdict, the analysis, the configuration in force and the facts of the moment."""

from __future__ import annotations

from dataclasses import dataclass

from apps.domain.analysis import Analysis
from apps.domain.config import TradingConfig
from apps.domain.market import FeeQuote, PoolReserves
from apps.domain.money import Token
from apps.domain.verdict import RiskVerdict
from apps.risk.logic import conditions
from apps.risk.logic import edge as own_outcomes
from apps.trading.logic.steering import Steering

#: All that the core and the position that follows need of an analysis; the rest was judged by the rules.
ESTIMATES_USED = (
    frozenset({"buy_tax_bps", "buy_gas", "sell_tax_bps", "sell_gas"})
    | conditions.CODES
    | frozenset(own_outcomes.CODES)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryFacts:
    """What an entry decision needs besides analysis and verdict. None means unknown.

    ``open_positions``, ``exposure_usd_micros`` and ``realised_today_usd_micros`` are hints that spare a vain order:
    the limits themselves are enforced where the budget is reserved.
    """

    now_ms: int
    give_up_at_ms: int  # after this a pair is not looked at again
    engine_may_enter: bool
    engine_status: str
    native: Token
    wrapped_native_address: str
    reserves: PoolReserves | None
    quote_price_usd_micros: int | None  # one whole native coin
    fees: FeeQuote | None
    wallet_native_raw: int | None
    open_positions: int
    exposure_usd_micros: int
    realised_today_usd_micros: int  # negative: loss
    token_exit_at_ms: int | None  # our last exit from this token
    deployer_loss_at_ms: int | None  # our last loss on this deployer's tokens
    block_time_ms: int | None = None
    exits_watched: bool = True  # what sells positions of this chain gave a sign of life just now
    has_public_mempool: bool | None = None  # strangers see what waits, so they can trade around it


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryWish:
    """What a person's order asks of an entry: it decides whether and at what price, the limits still decide how much.

    ``amount_raw`` is the most it may take, the chain's own coin. ``price_max``: native units per PRICE_SCALE base units,
    never more; None: as the market is. ``accepted_rules``: refusals that the person has seen and accepts.
    """

    amount_raw: int
    price_max: int | None = None
    accepted_rules: tuple[str, ...] = ()
    refusal: str = ""  # why it must not be bought any more, in plain words; "": it may


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryCase:
    """One opportunity with everything that is judged about it."""

    verdict: RiskVerdict
    analysis: Analysis
    config: TradingConfig
    config_revision: int
    facts: EntryFacts
    #: None in records of before there was one: decided by the configuration alone.
    steering: Steering | None = None
    #: None: nobody asked for it, the engine found it.
    wish: EntryWish | None = None
