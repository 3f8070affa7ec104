"""Trades by hand: what a person may ask for, previewed with its worst case, and carried out as advanced orders.

Used by the pages and by whatever else lets people trade; the permission is asked here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any, Protocol

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from apps.discovery.models import Pair
from apps.discovery.selectors import coin_prices
from apps.discovery.services.listings import listing_of
from apps.domain.config import Exits
from apps.domain.errors import ConfigurationError
from apps.domain.events import EventKind
from apps.domain.market import BlockRef, PoolReserves
from apps.domain.money import BPS_ONE, RATIO_CONTEXT, value_usd_micros
from apps.domain.verdict import Finding
from apps.risk.models import VerdictRecord
from apps.risk.selectors import findings_of
from apps.state.permissions import TRADE, require
from apps.state.services.config import active_config
from apps.state.services.events import event_record
from apps.trading.logic import gas, orders_advanced, pool, slippage
from apps.trading.logic.entry import NEVER_ACCEPTED
from apps.trading.logic.orders_advanced import PRICE_SCALE, Plan
from apps.trading.models import AdvancedOrder, Position, TxAttempt
from apps.trading.services.advanced_evaluation import buy_tax_bps
from apps.trading.services.advanced_orders import (
    advanced_cancel,
    advanced_place,
    advanced_resume,
)
from apps.trading.services.clock import ms_of
from apps.wallets.services.wallets import wallet_for_entry, wallets_entering

_FAMILY = "evm"
#: A purchase at the market that could not be made by then is given up.
MARKET_TTL_S = 180
#: A waiting limit purchase ends by itself after this.
LIMIT_TTL_S = 30 * 86_400
#: What a person may change about a position's own exits: the fields of ExitPlan, and their bounds' names.
STOPS = ("take_profit_bps", "stop_loss_bps", "trailing_stop_bps", "time_stop_s")


class Actor(Protocol):
    """Whoever asks: Django's user."""

    def has_perm(self, perm: str) -> bool:
        """Tell whether this person has the permission."""

    def get_username(self) -> str:
        """Return the person's name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BuyPreview:
    """What a purchase would bring by the pool's newest known reserves. Raw figures; None: unknown.

    ``worst_raw`` is the least that it may fill with; the worst that can happen is the loss of amount and gas.
    """

    amount_raw: int
    expected_raw: int
    worst_raw: int
    impact_bps: int
    buy_tax_bps: int
    slippage_bps: int
    gas_raw: int | None  # of buying and of selling again, at the fees of our newest transaction on this chain
    value_usd_micros: int | None
    price_scaled: int  # per PRICE_SCALE
    as_of_block: int | None
    refusals: tuple[Finding, ...]  # of the newest verdict; the order is assessed afresh before it is filled
    is_never: bool  # one of them cannot be overruled

    @property
    def worst_loss_raw(self) -> int:
        """Return what is lost when the token turns out to be worth nothing."""
        return self.amount_raw + (self.gas_raw or 0)


def _allowed(actor: Actor) -> str:
    require(actor, TRADE)
    return actor.get_username()


def coins_to_raw(units: Decimal, decimals: int) -> int:
    """Return whole coins in smallest units. Raises ConfigurationError when there is nothing or too much."""
    raw = int(units.scaleb(decimals, RATIO_CONTEXT)) if units.is_finite() else 0
    if not 0 < raw < 10**60:
        raise ConfigurationError("The amount is not above zero.", remedy="Give an amount such as 0.05.")
    return raw


def price_scaled(price: Decimal, *, base_decimals: int, native_decimals: int) -> int:
    """Return a price in coins per whole token as orders keep it."""
    scale = len(str(PRICE_SCALE)) - 1 + native_decimals - base_decimals
    scaled = int(price.scaleb(scale, RATIO_CONTEXT)) if price.is_finite() else 0
    if not 0 < scaled < 10**77:
        raise ConfigurationError("The price is not above zero.", remedy="Give coins for one whole token.")
    return scaled


def buy_preview(*, pair: Pair, amount_raw: int) -> BuyPreview:
    """Return what buying would bring now. Raises ConfigurationError when the pool's reserves are not known."""
    if not pair.reserve_base_raw or not pair.reserve_quote_raw:
        raise ConfigurationError(
            "The pool's reserves are not known, or it is empty.",
            remedy="Wait for its next block and try again.",
        )
    listing, settings = listing_of(pair), active_config().config.execution
    reserves = PoolReserves(
        pair_key=listing.pair_key,
        base_raw=pair.reserve_base_raw,
        quote_raw=pair.reserve_quote_raw,
        block=BlockRef(pair.reserve_block_number or 0, "", 0),
    )
    tax = buy_tax_bps(pair.pk)
    expected = pool.buy_out(reserves, fee_bps=pair.fee_bps, amount_in_raw=amount_raw, tax_bps=tax)
    if expected == 0:
        raise ConfigurationError("The pool would give nothing for it.", remedy="Give a larger amount.")
    refusals = _refusals(pair)
    price = _coin_usd_micros(pair.chain_key)
    decimals = pair.quote.decimals
    return BuyPreview(
        amount_raw=amount_raw,
        expected_raw=expected,
        worst_raw=slippage.minimum_out(expected, settings.slippage_max_bps),
        impact_bps=amount_raw * BPS_ONE // (reserves.quote_raw + amount_raw),
        buy_tax_bps=tax,
        slippage_bps=settings.slippage_max_bps,
        gas_raw=_gas_raw(pair.chain_key),
        value_usd_micros=None
        if price is None or decimals is None
        else value_usd_micros(amount_raw, decimals=decimals, price_usd_micros=price),
        price_scaled=-(-amount_raw * PRICE_SCALE // expected),
        as_of_block=pair.reserve_block_number,
        refusals=refusals,
        is_never=any(item.rule in NEVER_ACCEPTED for item in refusals),
    )


def _refusals(pair: Pair) -> tuple[Finding, ...]:
    record = VerdictRecord.objects.filter(pair=pair).order_by("-id").first()
    if record is None:
        return ()
    gated = [item for item in findings_of(record) if item.gate.word == "veto"]
    return tuple(item for item in gated if item.outcome.value != "pass" and item.rule != "pair_age")


def _gas_raw(chain_key: str) -> int | None:
    """Return what buying and selling again may cost at the fees that we offered last; None: we sent nothing yet."""
    last = TxAttempt.objects.filter(chain_key=chain_key, max_fee_wei__gt=0).order_by("-id").first()
    if last is None:
        return None
    units = gas.BUY_GAS_DEFAULT + gas.SELL_GAS_DEFAULT + gas.APPROVE_GAS
    return units * last.max_fee_wei


def _coin_usd_micros(chain_key: str) -> int | None:
    return coin_prices(chain_key).values_list("quote_price_usd_micros", flat=True).first()


# -- buying -------------------------------------------------------------------------------
def buy_by_hand(
    *,
    actor: Actor,
    request_key: str,
    pair: Pair,
    amount_raw: int,
    wallet_key: str = "",
    price_max: int | None = None,
    slices: int = 1,
    interval_s: int = 0,
    accepts_refusals: bool = False,
) -> AdvancedOrder:
    """Place a purchase: at the market, at a limit price, or in slices by the clock. Raises PermissionDenied,
    ConfigurationError.

    It adds to the pair's open position where there is one. The pair is assessed afresh before each fill and all limits
    count; ``accepts_refusals``: what refuses it now, as the preview shows, does not hold it back. Without ``wallet_key``
    the wallet is chosen as for every entry; a position is added to with its own.
    """
    by, now_ms = _allowed(actor), ms_of(timezone.now())
    preview = buy_preview(pair=pair, amount_raw=amount_raw)
    if preview.is_never:
        raise ConfigurationError(
            "This pair cannot be traded safely: " + preview.refusals[0].explanation,
            remedy="Nobody can overrule this.",
        )
    if slices > 1:
        kind = "twap" if interval_s < 3_600 else "dca"
        plan = orders_advanced.by_clock(
            side="buy",
            total_raw=amount_raw,
            slices=slices,
            first_at_ms=now_ms,
            interval_ms=interval_s * 1000,
            price_limit=price_max,
        )
    elif price_max is not None:
        kind = "limit"
        plan = orders_advanced.limit(
            side="buy", total_raw=amount_raw, price=price_max, expires_at_ms=now_ms + LIMIT_TTL_S * 1000
        )
    else:
        kind = "market"
        market = orders_advanced.by_clock(
            side="buy", total_raw=amount_raw, slices=1, first_at_ms=now_ms, interval_ms=0
        )
        plan = Plan(
            side="buy",
            total_raw=amount_raw,
            legs=market.legs,
            expires_at_ms=now_ms + MARKET_TTL_S * 1000,
        )
    position = Position.objects.filter(pair=pair, status="open").order_by("id").first()
    return advanced_place(
        request_key=request_key,
        kind=kind,
        plan=plan,
        pair=pair,
        wallet_key=_buying_wallet(pair, wallet_key) if position is None else position.wallet_key,
        by=by,
        position=position,
        accepted_rules=[item.rule for item in preview.refusals] if accepts_refusals else (),
    )


def _buying_wallet(pair: Pair, given: str) -> str:
    """Return the wallet of a purchase by hand. Raises ConfigurationError when it may not enter on the pair's chain."""
    if not given:
        last = AdvancedOrder.objects.aggregate(last=Max("id"))["last"] or 0
        return wallet_for_entry(
            family=_FAMILY,
            chain_key=pair.chain_key,
            number=last + 1,
            takes_turns=active_config().config.wallets.take_turns,
        ).key
    if given not in (known := wallets_buying(pair)):
        raise ConfigurationError(
            f"Wallet {given} takes no entries on {pair.chain_key}.",
            remedy=f"Use {', '.join(known)}." if known else "See 'manage.py wallet list'.",
        )
    return given


def wallets_buying(pair: Pair) -> tuple[str, ...]:
    """Return the wallets that may buy on the pair's chain; none is an answer, too."""
    try:
        return tuple(item.key for item in wallets_entering(family=_FAMILY, chain_key=pair.chain_key))
    except ConfigurationError:
        return ()


# -- selling ------------------------------------------------------------------------------
def part_of(position: Position, share_bps: int) -> int:
    """Return a share of what is held. Raises ConfigurationError when it is nothing or more than everything."""
    amount = position.quantity_raw * share_bps // BPS_ONE
    if not 0 < share_bps <= BPS_ONE or amount == 0:
        raise ConfigurationError(
            "The share is not between 0 and 100 % of what is held.", remedy="Give another one."
        )
    return amount


def paid_price(position: Position, gain_bps: int) -> int:
    """Return the price at which a sale brings so much more (or, negative, less) than was paid."""
    held_cost = position.cost_raw - position.realised_cost_raw
    price = held_cost * PRICE_SCALE * (BPS_ONE + gain_bps) // (BPS_ONE * max(position.quantity_raw, 1))
    if price <= 0:
        raise ConfigurationError("There is no price above zero there.", remedy="Give a smaller loss.")
    return price


def sell_by_hand(
    *,
    actor: Actor,
    request_key: str,
    position: Position,
    kind: str,
    share_bps: int = BPS_ONE,
    gain_bps: int | None = None,
    loss_bps: int | None = None,
    trail_bps: int | None = None,
    slices: int = 1,
    interval_s: int = 0,
    delay_s: int = 0,
) -> AdvancedOrder:
    """Place a sale of a share of a position. Raises PermissionDenied, ConfigurationError.

    ``kind``: part (now), limit, stop, bracket, trailing, time, twap. Gains and losses are against what was paid.
    """
    by, total = _allowed(actor), part_of(position, share_bps)
    plan = _sale_plan(
        kind,
        total_raw=total,
        target=None if gain_bps is None else paid_price(position, gain_bps),
        stop=None if loss_bps is None else paid_price(position, -loss_bps),
        trail_bps=trail_bps,
        slices=slices,
        interval_ms=interval_s * 1000,
        first_at_ms=ms_of(timezone.now() + timedelta(seconds=delay_s)),
    )
    return advanced_place(
        request_key=request_key,
        kind=kind,
        plan=plan,
        pair=position.pair,
        wallet_key=position.wallet_key,
        by=by,
        position=position,
    )


def _sale_plan(
    kind: str,
    *,
    total_raw: int,
    target: int | None,
    stop: int | None,
    trail_bps: int | None,
    slices: int,
    interval_ms: int,
    first_at_ms: int,
) -> Plan:
    if kind == "limit" and target is not None:
        return orders_advanced.limit(side="sell", total_raw=total_raw, price=target)
    if kind == "stop" and stop is not None:
        return orders_advanced.stop(total_raw=total_raw, price=stop)
    if kind == "bracket" and target is not None and stop is not None:
        return orders_advanced.bracket(total_raw=total_raw, target_price=target, stop_price=stop)
    if kind == "trailing" and trail_bps is not None:
        return orders_advanced.trailing(total_raw=total_raw, trail_bps=trail_bps, armed_at_price=target)
    if kind in ("part", "time", "twap"):
        return orders_advanced.by_clock(
            side="sell",
            total_raw=total_raw,
            slices=slices if kind == "twap" else 1,
            first_at_ms=first_at_ms,
            interval_ms=interval_ms,
        )
    raise ConfigurationError(
        "A figure that this kind of order needs is missing.", remedy="Fill in its gain, loss or trail."
    )


# -- what stands ---------------------------------------------------------------------------
def stops_change(*, actor: Actor, position_id: int, changes: Mapping[str, int | None]) -> Position:
    """Change a position's own exits; None switches one off. Raises PermissionDenied, ConfigurationError.

    The bounds are those of the configuration's section on exits.
    """
    by = _allowed(actor)
    unknown = set(changes) - set(STOPS)
    if unknown:
        raise ConfigurationError(f"{sorted(unknown)[0]} is no exit.", remedy=f"Use {', '.join(STOPS)}.")
    try:
        Exits.model_validate(dict(changes))
    except ValueError as error:
        raise ConfigurationError(
            "A figure is outside its bounds.", remedy="See the section Exits of the configuration."
        ) from error
    with transaction.atomic():
        position = Position.objects.select_for_update().get(pk=position_id)
        if position.status == "closed":
            raise ConfigurationError(
                f"Position {position.pk} is closed already.", remedy="There is nothing to do."
            )
        before: dict[str, Any] = dict(position.exit_plan)
        plan = dict(before)
        for name, value in changes.items():
            if name == "time_stop_s":
                plan["time_stop_ms"] = None if value is None else value * 1000
            else:
                plan[name] = value
        position.exit_plan = plan
        position.save(update_fields=["exit_plan"])
        event_record(
            kind=EventKind.POSITION_CHANGED,
            summary=f"Stops of position {position.pk} were changed",
            actor=by,
            trace_id=position.trace_id,
            subject=f"position:{position.pk}",
            payload={"before": before, "after": plan},
        )
    return position


def order_cancel(*, actor: Actor, advanced_id: int) -> bool:
    """Cancel an advanced order; False when it had ended. Raises PermissionDenied."""
    return advanced_cancel(advanced_id=advanced_id, by=_allowed(actor))


def order_resume(*, actor: Actor, advanced_id: int) -> bool:
    """Let an order of an older epoch act again; False when there is nothing to do. Raises PermissionDenied."""
    return advanced_resume(advanced_id=advanced_id, by=_allowed(actor))
