"""Positions: what is held, what it would bring now, and what would sell it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from apps.chains.labels import ChainLabel, chain_label, chain_labels
from apps.discovery.heads import chains_not_followed
from apps.domain.money import BPS_ONE
from apps.trading.models import Position


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionRow:
    """A position with its figures. Raw figures in native units; None where unknown, ``mark_reason`` says why.

    Stops and targets are in basis points of the cost: 2000 below is -2000.
    """

    item: Position  # with its pair and tokens
    chain: ChainLabel
    held_cost_raw: int
    result_raw: int | None  # open: value less cost; closed: proceeds less cost less gas
    result_bps: int | None
    result_usd_micros: int | None
    mark_reason: str
    stop_bps: int | None  # the nearest armed stop, the trailing one included
    stop_is_trailing: bool
    target_bps: int | None
    high_bps: int | None
    time_stop_at: datetime | None
    is_leaving: bool  # a sale is on its way, or asked for

    @property
    def state(self) -> str:
        """Return the word of the position's state."""
        return "closing" if self.is_leaving and self.item.status == "open" else self.item.status


def position_of(position_id: int) -> PositionRow | None:
    """Return one position, None when there is none."""
    item = Position.objects.select_related("pair__base", "pair__quote").filter(pk=position_id).first()
    return None if item is None else position_row(item, chain_labels(), chains_not_followed())


def position_row(item: Position, labels: dict[str, ChainLabel], silent: dict[str, str]) -> PositionRow:
    """Return a position with the figures its row shows. ``silent``: chains whose prices are old, and why."""
    held_cost = item.cost_raw - item.realised_cost_raw
    mark, why = _mark(item, silent.get(item.chain_key, ""))
    if item.status == "closed":
        result: int | None = item.proceeds_raw - item.realised_cost_raw - item.fees_raw
        basis = item.cost_raw
    else:
        result = None if mark is None else mark - held_cost
        basis = held_cost
    plan = item.exit_plan
    stop, is_trailing = _stop_bps(plan, high_raw=item.high_water_raw, cost_raw=held_cost)
    time_stop_ms = plan.get("time_stop_ms")
    return PositionRow(
        item=item,
        chain=chain_label(labels, item.chain_key),
        held_cost_raw=held_cost,
        result_raw=result,
        result_bps=None if result is None or basis == 0 else result * BPS_ONE // basis,
        result_usd_micros=_result_usd(item, result),
        mark_reason=why,
        stop_bps=stop,
        stop_is_trailing=is_trailing,
        target_bps=plan.get("take_profit_bps"),
        high_bps=item.high_water_raw * BPS_ONE // held_cost - BPS_ONE
        if held_cost and item.high_water_raw
        else None,
        time_stop_at=None if time_stop_ms is None else item.opened_at + timedelta(milliseconds=time_stop_ms),
        is_leaving=item.status != "closed" and (item.reserved_raw > 0 or bool(item.ordered_tag)),
    )


def _mark(item: Position, silence: str) -> tuple[int | None, str]:
    if item.mark_value_raw is None or item.marked_at is None:
        return None, "there is no fresh price: the pool was not read yet or does not answer"
    if silence:
        return None, f"there is no fresh price: {silence}"
    return item.mark_value_raw, ""


def _stop_bps(plan: dict[str, Any], *, high_raw: int, cost_raw: int) -> tuple[int | None, bool]:
    """Return the nearest stop below, and whether it is the trailing one, which is armed by a gain."""
    loss, trail = plan.get("stop_loss_bps"), plan.get("trailing_stop_bps")
    fixed = None if loss is None else -loss
    if (
        trail is None
        or cost_raw == 0
        or high_raw * BPS_ONE < cost_raw * (BPS_ONE + plan.get("trailing_activation_bps", 0))
    ):
        return fixed, False
    trailing = high_raw * (BPS_ONE - trail) // cost_raw - BPS_ONE
    return (trailing, True) if fixed is None or trailing > fixed else (fixed, False)


def _result_usd(item: Position, result_raw: int | None) -> int | None:
    if item.status == "closed":
        return item.realised_usd_micros
    if result_raw is None or item.cost_raw == 0:
        return None
    return item.cost_usd_micros * result_raw // item.cost_raw
