"""From an order to its transaction at the node, and from a block to a booked position with armed exits.

The order stands in the database and every chain is warm: connections open, endpoints proven, keys unlocked. The hop of the
message between two workers is not in it; the clock of real trades shows that one as well.
"""

from __future__ import annotations

import threading
import time
from typing import Any

from django.db import close_old_connections

from apps.domain.ids import NATIVE_ADDRESS
from apps.domain.sending import SendQuestion
from apps.engine import road, wiring
from apps.sandbox.accounts import Actor
from apps.sandbox.bench.ground import (
    Ground,
    created_orders,
    follower_of,
    grounds,
    messages_forget,
    quantiles_of,
    refusals,
    waiting_opportunities,
)
from apps.trading.models import Order, Position, TxAttempt
from apps.trading.services.execution import order_execute
from apps.trading.services.orders import intent_of

_ORDERS = 24  # of each chain and part
_WARM_UP = 4
_BARE_RUNS = 30
_ETHER = 10**18


def run() -> dict[str, Any]:
    """Measure and return the report. Times are in milliseconds."""
    with grounds() as laid:
        first = laid[0]
        orders = _orders(laid, each=2 * _ORDERS + _WARM_UP)
        for order_id in orders[first.key][:_WARM_UP]:
            _execute_ms(first, order_id)
        alone = [
            _execute_ms(first, order_id) for order_id in orders[first.key][_WARM_UP : _WARM_UP + _ORDERS]
        ]
        bare = _bare_ms(first)
        batched, singly = _reads_ms(first, orders[first.key][0])
        busy = _busy(laid, {key: ids[-_ORDERS:] for key, ids in orders.items()})
        booked, armed = _booked(first)
        figures = {
            "decision_to_broadcast_ms": quantiles_of(alone),
            "decision_to_broadcast_busy_ms": quantiles_of(busy),
            "chains_busy": len(laid),
            "reads_in_one_batch_ms": quantiles_of(batched),
            "mined_to_booked_ms": quantiles_of(booked),
            "positions_with_exits_armed": armed,
            "sent": TxAttempt.objects.filter(status__in=("sent", "mined")).count(),
            "not_bought": refusals(),
        }
        baseline = {
            "bare_sign_and_send_ms": quantiles_of(bare),
            "reads_one_by_one_ms": quantiles_of(singly),
        }
    ratio = {}
    if alone and bare:
        ratio["broadcast_p50_over_bare"] = round(
            float(quantiles_of(alone)["p50"]) / float(quantiles_of(bare)["p50"]), 2
        )
    ratio["reads_in_one_batch_p50_over_one_by_one"] = round(
        float(quantiles_of(batched)["p50"]) / float(quantiles_of(singly)["p50"]), 2
    )
    return {"figures": figures, "baseline": baseline, "ratio": ratio}


def _orders(laid: tuple[Ground, ...], *, each: int) -> dict[str, list[int]]:
    """Launch, register and evaluate as the road does; return the orders that came of it, by chain."""
    for ground in laid:
        follower = follower_of(ground)
        ground.launch(each)
        follower.advance()
    for opportunity_id in waiting_opportunities():
        road.evaluate(opportunity_id)
    messages_forget()
    return {ground.key: created_orders(ground.key) for ground in laid}


def _execute_ms(ground: Ground, order_id: int) -> float:
    ports = wiring.chain_ports(ground.key).execution
    started = time.perf_counter()
    order_execute(order_id=order_id, ports=ports, worker="bench")
    return (time.perf_counter() - started) * 1_000


def _busy(laid: tuple[Ground, ...], orders: dict[str, list[int]]) -> list[float]:
    """Carry out the orders of all chains at once, one thread a chain as the workers have them."""
    spent: list[float] = []

    def work(ground: Ground) -> None:
        spent.extend(_execute_ms(ground, order_id) for order_id in orders[ground.key])
        close_old_connections()

    threads = [threading.Thread(target=work, args=(ground,)) for ground in laid]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return spent


def _bare_ms(ground: Ground) -> list[float]:
    """Sign a transfer and hand it over, without anything of ours."""
    actor = Actor.of(seed=7, chain_id=ground.at.spec.chain_id, label="bare")
    ground.rpc.call("anvil_setBalance", actor.address, hex(_ETHER))
    spent = []
    for _ in range(_BARE_RUNS):
        started = time.perf_counter()
        raw = actor.sign(to=actor.address, gas=21_000, max_fee_wei=100 * 10**9, tip_wei=10**9)
        ground.rpc.call("eth_sendRawTransaction", raw)
        spent.append((time.perf_counter() - started) * 1_000)
    return spent


def _reads_ms(ground: Ground, order_id: int) -> tuple[list[float], list[float]]:
    """Read what precedes a signature, in one batch and one by one, for the same swap."""
    ports = wiring.chain_ports(ground.key).execution
    order = Order.objects.select_related("pair__base", "pair__quote").get(pk=order_id)
    owner = ports.signer.address(order.wallet_key)
    swap = ports.builder(order.pair.dex_key).swap(
        intent_of(order, ports.profile), nonce=0, recipient=owner, deadline_s=int(time.time()) + 60
    )
    batched, singly = [], []
    for _ in range(_BARE_RUNS):
        started = time.perf_counter()
        ports.reader.send_facts(SendQuestion(owner=owner, trial=swap))
        between = time.perf_counter()
        ports.reader.fees()
        ports.reader.balances(owner, [NATIVE_ADDRESS])
        ports.reader.transaction_count(owner, pending=True)
        ports.reader.failure_ahead(swap, sender=owner)
        batched.append((between - started) * 1_000)
        singly.append((time.perf_counter() - between) * 1_000)
    return batched, singly


def _booked(ground: Ground) -> tuple[list[float], int]:
    """Mine what was sent and book it, order by order; return the times and how many positions have their exits."""
    ground.mine()
    spent = []
    rows = Order.objects.filter(chain_key=ground.key, side="buy", status="submitted").order_by("id")
    for order_id in list(rows.values_list("pk", flat=True)):
        started = time.perf_counter()
        road.settle(order_id)
        took = (time.perf_counter() - started) * 1_000
        if Order.objects.filter(pk=order_id, status="filled").exists():
            spent.append(took)
    armed = Position.objects.filter(status="open").exclude(exit_plan={}).count()
    return spent, armed
