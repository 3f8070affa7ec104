"""Through which pools an order goes: its pair's own, or others of the same token that give more. Chosen before its claim.

What the decision promised holds either way, and the least that must arrive grows with what the better way gives: else
somebody who sees the order could take the difference. A purchase takes the way that leaves
most, once what it buys there was sold through its pair, played on the chain's state: a token may know by which pool one came,
and let nobody out who came by another. A sale is sent without a trial, and a token may refuse pools that nobody has tried: it leaves its pair's pool only where
another pays twice as much, and not again right after a try that failed. Whether to sell is decided by what its own pool pays.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from django.db import transaction
from django.utils import timezone

from apps.discovery.selectors import pools_beside
from apps.discovery.services.listings import listing_of
from apps.domain.errors import SniperError
from apps.domain.events import EventKind
from apps.domain.ids import PairKey
from apps.domain.market import ChainProfile, Listing
from apps.domain.money import BPS_ONE, Amount
from apps.domain.order import OrderStatus
from apps.state.services.config import active_config
from apps.state.services.events import event_record
from apps.trading.logic.pool import after_tax
from apps.trading.logic.route import Route, RoutePool, best_route
from apps.trading.models import Order, Position
from apps.trading.services.orders import intent_of
from apps.trading.services.ports import ExecutionPorts

logger = logging.getLogger(__name__)

#: A purchase leaves its pair's pool for so much more, after gas; less is not worth a pool that nobody has judged.
BUY_GAIN_MIN_BPS = 50
SELL_GAIN_MIN_BPS = BPS_ONE
#: What is tried takes no more, and the sale that is tried may fall so far short of its quote.
TRIAL_GAS = 2_000_000
TRIAL_DEADLINE_S = 86_400
QUOTE_SLACK_BPS = 100


def way_choose(*, order: Order, ports: ExecutionPorts) -> None:
    """Keep on the order, still to be claimed, the way it goes through other pools, if one is better; mostly none is.

    Raises nothing: without an answer of the chain the order goes through its pair.
    """
    if order.status != OrderStatus.CREATED.value or not ports.takes_other_ways:
        return
    beside = [pair for pair in pools_beside(order.pair) if pair.dex_key in ports.builders]
    way: dict[str, Any] = {}
    if beside and not _adds(order):
        try:
            way = _better_way(order, [listing_of(order.pair), *map(listing_of, beside)], ports)
        except SniperError as error:
            logger.warning("other pools were not read", extra={"order": order.pk, "error": str(error)})
        except (
            ArithmeticError,
            ValueError,
            LookupError,
            TypeError,
        ):  # a stranger's pool must not stop a sale
            logger.exception("other pools were not understood", extra={"order": order.pk})
    if way:
        told = f"Order {order.pk} goes through {way['dex_key']}, which gives more than its pair"
        _keep(order, way, summary=told)
    elif order.way:  # of an earlier try
        _keep(order, {}, summary=f"Order {order.pk} goes through its pair again: no other gives more now")


def _adds(order: Order) -> bool:
    """Tell whether a purchase adds to what is held: a trial could not tell the new tokens from the old."""
    if order.side != "buy":
        return False
    held = Position.objects.filter(
        chain_key=order.chain_key, wallet_key=order.wallet_key, pair__base=order.pair.base
    )
    return held.exclude(status="closed").exists()


def way_forget(*, order: Order, failure: str) -> None:
    """Send an order that is still to be claimed through its pair after all."""
    _keep(order, {}, summary=f"Order {order.pk} goes through its pair: the better way would fail ({failure})")


def _keep(order: Order, way: Mapping[str, Any], *, summary: str) -> None:
    with transaction.atomic():
        rows = Order.objects.filter(pk=order.pk, status=OrderStatus.CREATED.value).update(way=dict(way))
        if not rows:  # somebody else has claimed it meanwhile, by what stood there
            return
        event_record(
            kind=EventKind.ORDER_CHANGED,
            summary=summary[:200],
            trace_id=order.trace_id,
            subject=f"order:{order.pk}",
            payload={"status": order.status, "way": dict(way)},
        )
    order.way = dict(way)


def _better_way(order: Order, listings: list[Listing], ports: ExecutionPorts) -> dict[str, Any]:
    """Return the better way as the order keeps it; empty when the pair's own pool is good enough."""
    profile = ports.profile
    reserves = ports.reader.reserves(listings)
    pools = {
        item.pair_key: RoutePool(
            dex_key=item.dex_key,
            base=item.base.address,
            quote=item.quote.address,
            fee_bps=item.fee_bps,
            reserves=reserves[item.pair_key],
        )
        for item in listings
        if item.pair_key in reserves
    }
    key = PairKey(order.pair.pair_key)
    own = [pools[key]] if key in pools else []
    direct, best = _route(order, own, profile), _route(order, pools.values(), profile)
    if best is None or best == direct:
        return {}
    if order.side == "buy" and (direct is None or direct.amount_out_raw < order.amount_out_min_raw):
        return {}  # its own pool is not what it was at the decision: the trial ends the order, another pool must not save it
    gain_min_bps = BUY_GAIN_MIN_BPS
    if order.side == "sell":
        gain_min_bps = SELL_GAIN_MIN_BPS
        if order.position is not None and order.position.exit_attempts % 2 == 1:
            return {}
    if direct is not None and best.net_out_raw * BPS_ONE < direct.net_out_raw * (BPS_ONE + gain_min_bps):
        return {}
    least = _least_raw(order, direct=direct, best=best)
    if best.amount_out_raw < least:
        return {}
    way = {
        "dex_key": best.dex_key,
        "pair_key": best.pools[0].reserves.pair_key,
        "tokens": list(best.tokens),
        "fees_bps": list(best.fees_bps),
        "out_raw": str(best.amount_out_raw),
        "least_raw": str(least),
    }
    if order.side == "buy" and not (own and _leads_back(order, way, own[0], ports)):
        return {}
    return way


def _leads_back(order: Order, way: Mapping[str, Any], own: RoutePool, ports: ExecutionPorts) -> bool:
    """Tell whether what the way buys can be sold in the pair's own pool one block later, for what it gives there.

    Played at the newest block; False where nobody can tell.
    """
    profile, owner = ports.profile, ports.signer.address(order.wallet_key)
    bought = intent_of(order, profile, way=way)
    own_intent = intent_of(order, profile, way={})
    base, least = bought.amount_out_min.token, bought.amount_out_min.raw
    tax_bps = active_config().config.rules.sell_tax_max_bps
    back = (
        own.out_raw(base.address.lower(), after_tax(least, tax_bps)) * (BPS_ONE - QUOTE_SLACK_BPS) // BPS_ONE
    )
    sold = replace(
        own_intent,
        side="sell",
        route=own_intent.route[::-1],
        amount_in=Amount(least, base),
        amount_out_min=Amount(max(back, 1), profile.native),
        gas_limit=TRIAL_GAS,
    )
    seller = ports.builder(sold.dex_key)
    approval = seller.approval(sold, nonce=0, allowance_raw=0)
    far_s = int(timezone.now().timestamp()) + TRIAL_DEADLINE_S
    buy = ports.builder(bought.dex_key).swap(bought, nonce=0, recipient=owner, deadline_s=far_s)
    sale = seller.swap(sold, nonce=0, recipient=owner, deadline_s=far_s)
    blocks = ([buy, *([] if approval is None else [approval])], [sale])
    failure = ports.reader.failure_in_turn(blocks, sender=owner)
    if failure:
        logger.warning("a better way leads into a trap", extra={"order": order.pk, "failure": failure})
    return failure == ""


def _least_raw(order: Order, *, direct: Route | None, best: Route) -> int:
    """Return the least that must arrive by the better way: as far below its quote as the order allows below its own.

    A purchase is measured by its pair's pool now, a sale, of which no trial tells, by what its decision expected.
    """
    least: int = order.amount_out_min_raw
    reference = order.expected_out_raw if order.side == "sell" else direct and direct.amount_out_raw
    if not reference:
        return least
    return max(least, least * best.amount_out_raw // max(reference, least))


def _route(order: Order, pools: Iterable[RoutePool], profile: ChainProfile) -> Route | None:
    wrapped, base = profile.wrapped_native.address, order.pair.base.address
    buys = order.side == "buy"
    tax = 0 if buys or order.position is None else order.position.sell_tax_bps or 0
    return best_route(
        pools,
        sold=wrapped if buys else base,
        bought=base if buys else wrapped,
        amount_in_raw=after_tax(order.amount_in_raw, tax),
        middles=tuple(stable.address for stable in profile.stables),
        gas_price_wei=order.fee_cap_raw // max(order.gas_limit, 1),
        native=wrapped,
    )
