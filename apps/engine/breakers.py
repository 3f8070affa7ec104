"""Gathers what the circuit breakers judge: ends of positions, orders and fills from the books, gas and heads from chains."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from django.db.models import Count, F
from django.db.models.functions import Coalesce
from django.utils import timezone

from apps.chains import selectors as chains
from apps.chains.evm import parse
from apps.chains.evm.client import EndpointConfig, EvmClient
from apps.discovery.models import Pair
from apps.domain.config import Breakers, Effect
from apps.domain.errors import BadDataError, NetworkError
from apps.domain.events import EventKind
from apps.domain.market import ChainProfile
from apps.domain.money import BPS_ONE
from apps.domain.order import OrderStatus
from apps.engine import wiring
from apps.risk.logic.breakers import (
    FAILURES_WINDOW,
    SLIPPAGE_WINDOW,
    BreakerFacts,
    BurntGas,
    ChainCoordination,
    ChainFees,
    ChainHeads,
    ClosedTrade,
    EndedOrder,
    EndpointHead,
    FillQuality,
)
from apps.risk.services.breakers import breakers_evaluate, fee_samples
from apps.state.models import Event
from apps.state.services.config import active_config
from apps.trading.models import FillRecord, Opportunity, Order, Position
from apps.trading.services.clock import ms_of
from apps.trading.services.failures import gas_burnt

#: Far more positions than can close between two looks; a day's loss is summed over these.
_CLOSED_MAX = 2_000
#: Chains are asked less often than the books: each question costs a request.
_FEES_EVERY_S, _HEADS_EVERY_S = 15.0, 15.0
_ENDPOINT_TIMEOUT_S = 2.0
#: All endpoints should have a block that is so far below the lowest of their heads.
_COMMON_DEPTH = 2
_ENDPOINTS_MAX = 8
#: Detections of so long ago count, and of so many events.
_COORDINATION_WINDOW = timedelta(hours=1)
_DETECTIONS_MAX = 500
_ENDED = (OrderStatus.FILLED.value, OrderStatus.REVERTED.value, OrderStatus.DROPPED.value)

_fees: dict[str, tuple[float, ChainFees]] = {}
_heads: dict[str, tuple[float, ChainHeads]] = {}


def breakers_watch(chain_keys: tuple[str, ...]) -> None:
    """Judge the breakers by what happened lately. A chain that does not answer has no say."""
    config, now = active_config().config, timezone.now()
    breakers_evaluate(
        facts=BreakerFacts(
            day_started_ms=ms_of(now.replace(hour=0, minute=0, second=0, microsecond=0)),
            closed=_closed(now),
            orders=_orders(),
            gas=tuple(BurntGas(at_ms=at_ms, usd_micros=worth) for at_ms, worth in gas_burnt(now=now)),
            fills=_fills(),
            fees=tuple(fee for key in chain_keys if (fee := _fees_of(key, config.breakers, now))),
            heads=tuple(head for key in chain_keys if (head := _heads_of(key, config.breakers))),
            coordination=_coordination(config.breakers, now),
        ),
        config=config,
        now=now,
    )


# -- the books ----------------------------------------------------------------------------
def _closed(now: datetime) -> tuple[ClosedTrade, ...]:
    """Return the last day's ends. A stuck position is a loss of what it cost, since its last try."""
    since = now - timedelta(days=1)
    closed = Position.objects.filter(status="closed", closed_at__gte=since, cost_raw__gt=0)
    ended = closed.order_by("-closed_at").values_list("closed_at", "realised_usd_micros")[:_CLOSED_MAX]
    stuck = Position.objects.filter(status="stuck").annotate(at=Coalesce(F("next_exit_at"), F("opened_at")))
    lost = stuck.filter(at__gte=since).values_list("at", "cost_usd_micros")[:_CLOSED_MAX]
    rows: list[tuple[Any, int | None]] = [*ended, *((at, -cost) for at, cost in lost)]
    return tuple(
        ClosedTrade(at_ms=ms_of(at), realised_usd_micros=result) for at, result in sorted(rows, key=_at)
    )


def _at(row: tuple[Any, int | None]) -> Any:
    return row[0]


def _orders() -> tuple[EndedOrder, ...]:
    rows = Order.objects.filter(status__in=_ENDED).order_by("-status_at").values_list("status_at", "status")
    newest = list(rows[:FAILURES_WINDOW])
    return tuple(
        EndedOrder(at_ms=ms_of(at), is_failed=status != OrderStatus.FILLED.value)
        for at, status in reversed(newest)
    )


def _fills() -> tuple[FillQuality, ...]:
    """Return the newest fills against their quotes; a quote holds the token's tax, so what is missing is slippage."""
    rows = (
        FillRecord.objects.filter(reversed_at=None)
        .exclude(order__expected_out_raw=None)
        .order_by("-booked_at")
        .values_list("booked_at", "amount_out_raw", "order__expected_out_raw")
    )
    newest = [row for row in rows[:SLIPPAGE_WINDOW] if row[2]]
    return tuple(
        FillQuality(at_ms=ms_of(at), shortfall_bps=(expected - amount) * BPS_ONE // expected)
        for at, amount, expected in reversed(newest)
    )


# -- the event log ------------------------------------------------------------------------
def _coordination(config: Breakers, now: datetime) -> tuple[ChainCoordination, ...]:
    """Return by chain the pairs in which buyers were found to act in concert within the last hour."""
    if config.coordination is Effect.OFF:
        return ()
    since = now - _COORDINATION_WINDOW
    events = Event.objects.filter(kind=EventKind.COORDINATION_DETECTED.value, at__gte=since)
    newest: dict[str, int] = {}
    for trace_id, at in events.order_by("-id").values_list("trace_id", "at")[:_DETECTIONS_MAX]:
        newest.setdefault(trace_id, ms_of(at))
    if not newest:
        return ()
    by_chain: dict[str, list[int]] = {}
    rows = Opportunity.objects.filter(trace_id__in=list(newest)).values_list("trace_id", "pair__chain_key")
    for trace_id, chain_key in rows:
        by_chain.setdefault(chain_key, []).append(newest[trace_id])
    pairs = Pair.objects.filter(registered_at__gte=since, chain_key__in=list(by_chain))
    found = dict(pairs.order_by().values_list("chain_key").annotate(number=Count("pk")))
    return tuple(
        ChainCoordination(
            chain_key=chain_key, detected_at_ms=tuple(sorted(moments)), pairs_found=found.get(chain_key, 0)
        )
        for chain_key, moments in sorted(by_chain.items())
    )


# -- the chains ---------------------------------------------------------------------------
def _fees_of(chain_key: str, config: Breakers, now: datetime) -> ChainFees | None:
    known = _fees.get(chain_key)
    if config.gas_spike is Effect.OFF:
        return None
    if known is not None and time.monotonic() - known[0] < _FEES_EVERY_S:
        return known[1]
    try:
        quote = wiring.chain_ports(chain_key).reader.fees()
    except NetworkError:
        return None
    fee = quote.base_fee_wei or quote.tip_wei  # where there is no base fee, tips are the whole price
    found = ChainFees(
        chain_key=chain_key,
        now_wei=fee,
        samples_wei=fee_samples(chain_key=chain_key, base_fee_wei=fee, now=now),
    )
    _fees[chain_key] = (time.monotonic(), found)
    return found


def _heads_of(chain_key: str, config: Breakers) -> ChainHeads | None:
    endpoints = chains.endpoint_configs(chain_key)[:_ENDPOINTS_MAX]
    if config.rpc_disagreement is Effect.OFF or len(endpoints) < 2:
        return None
    known = _heads.get(chain_key)
    if known is not None and time.monotonic() - known[0] < _HEADS_EVERY_S:
        return known[1]
    found = heads_seen(chains.chain_profile(chain_key), endpoints)
    _heads[chain_key] = (time.monotonic(), found)
    return found


def heads_seen(profile: ChainProfile, endpoints: tuple[EndpointConfig, ...]) -> ChainHeads:
    """Return what each endpoint that answers says of its head, and of one block that all of them should have."""
    numbers: dict[int, int] = {}
    for index, endpoint in enumerate(endpoints):
        number = _number_of(profile, endpoint)
        if number is not None:
            numbers[index] = number
    common = max(min(numbers.values(), default=0) - _COMMON_DEPTH, 0)
    return ChainHeads(
        chain_key=profile.chain_key,
        heads=tuple(
            EndpointHead(
                label=f"endpoint {index + 1}",  # addresses can hold keys
                number=number,
                common_hash=_hash_of(profile, endpoints[index], common),
            )
            for index, number in numbers.items()
        ),
    )


@lru_cache(maxsize=64)
def _client(chain_key: str, url: str) -> EvmClient:
    profile = chains.chain_profile(chain_key)
    [endpoint] = [item for item in chains.endpoint_configs(chain_key) if item.url_http == url]
    return EvmClient.for_profile(profile, (endpoint,))


def _number_of(profile: ChainProfile, endpoint: EndpointConfig) -> int | None:
    try:
        answer = _client(profile.chain_key, endpoint.url_http).call(
            "eth_blockNumber", timeout_s=_ENDPOINT_TIMEOUT_S
        )
        return parse.hex_number(answer, "block number")
    except (NetworkError, BadDataError):
        return None


def _hash_of(profile: ChainProfile, endpoint: EndpointConfig, number: int) -> str | None:
    try:
        answer = _client(profile.chain_key, endpoint.url_http).call(
            "eth_getBlockByNumber", [hex(number), False], timeout_s=_ENDPOINT_TIMEOUT_S
        )
        return None if answer is None else parse.block_ref(answer).hash
    except (NetworkError, BadDataError):
        return None
