"""The pure decision core: every judgement about entering and leaving, with everything as an argument.

The engine wraps it with rows and ports; a replay runs it in memory. The same arguments always give the same decision.
"""

from __future__ import annotations

from dataclasses import replace

from apps.domain.analysis import Analysis
from apps.domain.config import TradingConfig
from apps.domain.decision import Reason, SkipStage, TradeDecision
from apps.domain.estimate import Estimate
from apps.domain.market import BlockRef, FeeQuote, PoolReserves
from apps.domain.verdict import RiskVerdict
from apps.trading.logic import entry
from apps.trading.logic import exit as exits
from apps.trading.logic.entry_case import ESTIMATES_USED, EntryCase, EntryFacts, EntryWish
from apps.trading.logic.exit import ExitCase, PositionFacts
from apps.trading.logic.steering import Steering


def step_entry(
    *,
    verdict: RiskVerdict,
    analysis: Analysis,
    config: TradingConfig,
    config_revision: int,
    facts: EntryFacts,
    steering: Steering | None = None,
    wish: EntryWish | None = None,
    refused: Reason | None = None,
) -> TradeDecision:
    """Return the decision about an entry: "enter" with size and least output, or "skip" with stage and reasons.

    ``refused`` is what the budget said when it was asked to hold the funds: the one limit that only a row can answer.
    """
    assert verdict.trace_id == analysis.trace_id, (verdict.trace_id, analysis.trace_id)
    case = EntryCase(
        verdict=verdict,
        analysis=analysis,
        config=config,
        config_revision=config_revision,
        facts=facts,
        steering=steering,
        wish=wish,
    )
    decision = entry.decide(case)
    if refused is None or decision.action != "enter":
        return decision
    return entry.skipped(case, SkipStage.LIMIT, (refused,), may_change=True)


def step_exit(
    *,
    position: PositionFacts,
    reserves: PoolReserves | None,
    fees: FeeQuote | None,
    quote_price_usd_micros: int | None,
    head: BlockRef,
    config: TradingConfig,
    config_revision: int,
    now_ms: int,
    estimates: tuple[Estimate, ...] = (),
) -> TradeDecision:
    """Return the decision about a position: "exit" with its tag and least output, or "skip" with why it is held."""
    return exits.decide(
        ExitCase(
            position=position,
            reserves=reserves,
            fees=fees,
            quote_price_usd_micros=quote_price_usd_micros,
            head=head,
            config=config,
            config_revision=config_revision,
            now_ms=now_ms,
            estimates=estimates,
        )
    )


def entry_case_reduced(
    *,
    verdict: RiskVerdict,
    analysis: Analysis,
    config: TradingConfig,
    config_revision: int,
    facts: EntryFacts,
    steering: Steering | None = None,
    wish: EntryWish | None = None,
) -> EntryCase:
    """Return the case without what the core does not look at: what a record must keep to repeat the decision."""
    return EntryCase(
        verdict=replace(verdict, findings=verdict.refusals),
        analysis=replace(
            analysis,
            estimates=tuple(item for item in analysis.estimates if item.code in ESTIMATES_USED),
            missing=(),
        ),
        config=config,
        config_revision=config_revision,
        facts=facts,
        steering=steering,
        wish=wish,
    )
