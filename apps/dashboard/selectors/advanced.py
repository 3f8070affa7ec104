"""Advanced orders as pages show them: what each part waits for and what became of it."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import QuerySet

from apps.dashboard.figures import percent_text, significant_text
from apps.dashboard.selectors.chains import ChainLabel, chain_label, chain_labels
from apps.domain.money import raw_to_units
from apps.state.services.engine import engine_view
from apps.trading.logic.orders_advanced import PRICE_SCALE, Leg, Trigger
from apps.trading.models import AdvancedOrder
from apps.trading.services.advanced_orders import plan_of, progress_of

ROWS_MAX = 100
_DIGITS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class PartRow:
    """One part. Raw figures in base units for sales, the chain's own coin for purchases."""

    number: int
    waits_for: str
    amount_raw: int
    state: str  # waits, on its way, done, failed
    failures: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AdvancedRow:
    """An advanced order with its parts."""

    item: AdvancedOrder
    chain: ChainLabel
    parts: tuple[PartRow, ...]
    decimals: int | None
    symbol: str
    waits_for_person: bool  # of an older epoch


def advanced_rows(*, position_id: int | None = None, pair_id: int | None = None) -> tuple[AdvancedRow, ...]:
    """Return the newest advanced orders, open ones first."""
    rows: QuerySet[AdvancedOrder] = AdvancedOrder.objects.select_related("pair__base", "pair__quote")
    if position_id is not None:
        rows = rows.filter(position_id=position_id)
    if pair_id is not None:
        rows = rows.filter(pair_id=pair_id)
    labels, epoch = chain_labels(), engine_view().epoch
    shown = sorted(rows.order_by("-id")[:ROWS_MAX], key=lambda item: item.status != "open")
    return tuple(_row(item, chain_label(labels, item.chain_key), epoch) for item in shown)


def _row(item: AdvancedOrder, chain: ChainLabel, epoch: int) -> AdvancedRow:
    plan, base = plan_of(item), item.pair.base
    sells = item.side == "sell"
    parts = tuple(
        PartRow(
            number=leg.number + 1,
            waits_for=_words(leg, item),
            amount_raw=leg.amount_raw,
            state="filled"
            if done.filled_raw
            else "submitted"
            if done.in_flight_raw
            else "waiting"
            if item.status == "open"
            else item.status,
            failures=done.failures,
        )
        for leg, done in zip(plan.legs, progress_of(item, plan), strict=True)
    )
    return AdvancedRow(
        item=item,
        chain=chain,
        parts=parts,
        decimals=base.decimals if sells else item.pair.quote.decimals,
        symbol=base.symbol if sells else item.pair.quote.symbol,
        waits_for_person=item.status == "open" and item.epoch != epoch,
    )


def _words(leg: Leg, item: AdvancedOrder) -> str:
    price = "" if leg.price is None else _price(leg.price, item)
    if leg.trigger is Trigger.AT_LEAST:
        return f"price {price} or higher"
    if leg.trigger is Trigger.AT_MOST:
        return f"price {price} or lower"
    if leg.trigger is Trigger.TRAILING:
        armed = f", armed at {price}" if price else ""
        return f"{percent_text(leg.trail_bps or 0)} under the highest price{armed}"
    return f"its time{f', price {price} or better' if price else ''}"


def _price(scaled: int, item: AdvancedOrder) -> str:
    """Return a price in coins for one whole token, to six digits."""
    base, quote = item.pair.base.decimals, item.pair.quote.decimals
    if base is None or quote is None:
        return "unknown"
    digits = len(str(PRICE_SCALE)) - 1 + quote
    return significant_text(raw_to_units(scaled * 10**base, digits), _DIGITS)
