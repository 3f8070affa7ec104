"""A position's figures, derived from its fills alone: never edited, so never out of step with them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from apps.domain.market import BlockRef
from apps.domain.money import Amount, Token
from apps.domain.order import Side
from apps.domain.position import Pnl
from apps.trading.logic.lots import LotState, consume


@dataclass(frozen=True, slots=True, kw_only=True)
class FillAmounts:
    """One fill: native in and base out for a buy, base in and native out for a sell."""

    side: Side
    amount_in_raw: int
    amount_out_raw: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionTotals:
    """All in raw units. ``cost_raw`` is of everything ever bought, ``realised_cost_raw`` of what is gone again.

    ``lots`` stand in the order of the buys among the fills; tokens that came without a purchase are a last lot
    without cost.
    """

    quantity_raw: int
    cost_raw: int
    proceeds_raw: int
    realised_cost_raw: int
    lots: tuple[LotState, ...]

    @property
    def held_cost_raw(self) -> int:
        """Return the cost of what is still held."""
        return self.cost_raw - self.realised_cost_raw

    @property
    def realised_raw(self) -> int:
        """Return proceeds less cost of what was sold, before gas; negative is a loss."""
        return self.proceeds_raw - self.realised_cost_raw


def position_totals(fills: Sequence[FillAmounts], *, found_raw: int = 0, lost_raw: int = 0) -> PositionTotals:
    """Return the figures that these fills, in chain order, lead to.

    ``found_raw`` and ``lost_raw`` are base units that came or went without us (rebases, transfers by hand): what came
    has no cost, what went takes its cost with it.
    """
    bought = tuple(
        LotState(
            quantity_raw=item.amount_out_raw, remaining_raw=item.amount_out_raw, cost_raw=item.amount_in_raw
        )
        for item in fills
        if item.side == "buy"
    )
    found = (LotState(quantity_raw=found_raw, remaining_raw=found_raw, cost_raw=0),) if found_raw else ()
    gone = sum(item.amount_in_raw for item in fills if item.side == "sell") + lost_raw
    consumption = consume(bought + found, gone)
    cost = sum(lot.cost_raw for lot in bought)
    quantity = sum(lot.remaining_raw for lot in consumption.lots)
    # A buy that brought nothing has no quantity to consume; its cost is lost at once.
    lost_cost = sum(lot.cost_raw for lot in bought if lot.quantity_raw == 0)
    return PositionTotals(
        quantity_raw=quantity,
        cost_raw=cost,
        proceeds_raw=sum(item.amount_out_raw for item in fills if item.side == "sell"),
        realised_cost_raw=consumption.cost_raw + lost_cost,
        lots=consumption.lots,
    )


def pnl_of(
    totals: PositionTotals, *, native: Token, value_raw: int | None, marked_at: BlockRef | None
) -> Pnl:
    """Return realised and unrealised result before gas. ``value_raw`` None: no fresh price, so no unrealised figure."""
    unrealised = None if value_raw is None else Amount(value_raw - totals.held_cost_raw, native)
    return Pnl(realised=Amount(totals.realised_raw, native), unrealised=unrealised, marked_at=marked_at)
