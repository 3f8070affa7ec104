"""The guard of open positions: looks in every block, simulates again now and then, and sells at once what got worse."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_CEILING, Decimal
from math import isqrt

from django.db import IntegrityError, transaction
from django.db.models import Max
from django.utils import timezone

from apps.chains.selectors import locker_addresses
from apps.discovery.models import PoolTrade
from apps.discovery.services.listings import listing_of
from apps.domain.engine import EngineView
from apps.domain.errors import SniperError
from apps.domain.estimate import Estimate
from apps.domain.events import EventKind
from apps.domain.holding import HoldingAnswer, HoldingQuestion, HoldingReader
from apps.domain.market import BlockRef, FeeQuote, Listing, PairFacts, PoolReserves
from apps.domain.verdict import Gate, Outcome
from apps.intelligence.logic.analyse import analyse
from apps.intelligence.logic.record import estimates_to_json
from apps.intelligence.logic.subject import Subject
from apps.risk.logic.judge import judge
from apps.risk.models import GuardWatch
from apps.risk.selectors import findings_of
from apps.risk.services.loss import loss_estimate
from apps.state.services.config import ActiveConfig, active_config
from apps.state.services.engine import engine_view
from apps.state.services.events import cut, event_record
from apps.trading.logic import guard as logic
from apps.trading.logic import plan
from apps.trading.logic.exit import ExitCase
from apps.trading.logic.guard import (
    Baseline,
    Trigger,
    guard_exit,
    guard_inputs,
    is_simulation_due,
    judged_again,
)
from apps.trading.models import DecisionRecord, FillRecord, Order, Position
from apps.trading.services.clock import ms_of
from apps.trading.services.decisions import decision_record
from apps.trading.services.exits import position_facts
from apps.trading.services.orders import order_create
from apps.trading.services.ports import ExecutionPorts

#: Far above any limit on open positions.
POSITIONS_MAX = 1_000
#: Sales of the newest blocks that are added up by holder.
TRADES_MAX = 5_000
#: The swaps of a pair that is no older are read again, in one question, to judge how its pool behaves.
YOUNG_BLOCKS_MAX = 2_000
_CODE_LENGTH, _TEXT_LENGTH = 40, 300


@dataclass(frozen=True, slots=True, kw_only=True)
class _Held:
    """A position with its watch."""

    position: Position
    watch: GuardWatch
    baseline: Baseline


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardLook:
    """What one look has brought: exit orders to carry out now, and positions whose sale must be simulated again."""

    order_ids: tuple[int, ...] = ()
    to_simulate: tuple[int, ...] = ()  # position ids, most urgent first


def guard_look(
    *, chain_key: str, ports: ExecutionPorts, holdings: HoldingReader | None, head: BlockRef
) -> GuardLook:
    """Look at every open position of a chain and create the exits that are due. Two round trips at most.

    ``holdings`` None: this chain's tokens cannot be asked; pools and sales are watched all the same. Raises NetworkError
    when the chain does not answer.
    """
    active = active_config()
    guard = active.config.guard
    held = _held(chain_key) if guard.enabled else []
    if not held:
        return GuardLook()
    reserves = ports.reader.reserves([listing_of(item.position.pair) for item in held])
    answers, stirred = _asked(held, ports=ports, holdings=holdings, head=head)
    sold = _sold(held, ports=ports, head=head, blocks=guard.holder_dump_blocks)
    due: list[tuple[bool, int, int]] = []
    for item in held:
        token = item.position.pair.base.address
        seen = logic.look(
            baseline=item.baseline,
            liquidity_root=item.watch.liquidity_root,
            reserves=reserves.get(item.position.pair.pair_key),
            answer=answers.get(token),
            sold_by_holder=sold[item.position.pk],
            stirred=stirred.get(token, ""),
            guard=guard,
        )
        _keep(item, seen, head=head)
        if seen.trigger is not None:
            _trigger(item, seen.trigger, head=head)
        elif not item.watch.trigger_code and is_simulation_due(
            checked_block=item.watch.checked_block, head=head.number, stir=seen.stir, guard=guard
        ):
            due.append((not seen.stir, item.watch.checked_block or 0, item.position.pk))
    return GuardLook(
        order_ids=_sell_triggered(held, reserves, ports=ports, head=head, active=active),
        to_simulate=tuple(key for _, _, key in sorted(due)[: guard.simulations_max]),
    )


#: What is known now of a pair that is held and of its market: listing, facts, pair id.
HeldEstimates = Callable[[Listing, PairFacts, int], tuple[Estimate, ...]]


def guard_simulate(
    *,
    position_ids: Sequence[int],
    chain_key: str,
    ports: ExecutionPorts,
    head: BlockRef,
    time_max_s: float,
    estimates_of: HeldEstimates | None = None,
) -> tuple[int, ...]:
    """Read and judge these positions' pairs anew, as many as fit into the time, and create the exits that are due.

    What ``estimates_of`` says of each pair is kept for its exits. A pair that cannot be read now is left for the next
    look: unknown is no cause to sell."""
    deadline, active = time.monotonic() + time_max_s, active_config()
    held = {item.position.pk: item for item in _held(chain_key)}
    worse: list[_Held] = []
    for key in position_ids:
        if key not in held or time.monotonic() > deadline:
            continue
        item = held[key]
        try:
            trigger = _simulated(item, ports=ports, head=head, active=active, estimates_of=estimates_of)
        except SniperError:
            continue
        if trigger is not None:
            _trigger(item, trigger, head=head)
            worse.append(item)
    if not worse:
        return ()
    reserves = ports.reader.reserves([listing_of(item.position.pair) for item in worse])
    return _sell_triggered(worse, reserves, ports=ports, head=head, active=active)


# -- what is held -------------------------------------------------------------------------
def _held(chain_key: str) -> list[_Held]:
    rows = Position.objects.filter(chain_key=chain_key, status="open").select_related(
        "pair__base", "pair__quote", "opportunity"
    )
    positions = [item for item in rows.order_by("id")[:POSITIONS_MAX] if item.quantity_raw > 0]
    watches = {item.trace_id: item for item in GuardWatch.objects.filter(chain_key=chain_key)}
    over = set(watches) - {item.trace_id for item in positions}
    if over:
        # A position that is open but empty was reorganised away and may come back; only an ended one is forgotten.
        ended = Position.objects.filter(trace_id__in=over).exclude(status="open").values("trace_id")
        GuardWatch.objects.filter(chain_key=chain_key, trace_id__in=ended).delete()
    found = []
    for position in positions:
        watch = watches.get(position.trace_id) or _watch_begun(position)
        found.append(_Held(position=position, watch=watch, baseline=Baseline.from_json(watch.baseline)))
    return found


def _watch_begun(position: Position) -> GuardWatch:
    """Return a new watch that compares with what the entry was decided on."""
    entry = (
        DecisionRecord.objects.filter(opportunity_id=position.opportunity_id, action="enter")
        .select_related("verdict")
        .order_by("-number")
        .first()
    )
    baseline, root = Baseline(sell_tax_bps=position.sell_tax_bps), None
    if entry is not None:
        case = entry.inputs["given"]["case"]
        figures = {item["code"]: item["value"] for item in case["analysis"]["estimates"]}
        pool = case["facts"]["reserves"]
        root = None if pool is None else isqrt(int(pool["base_raw"]) * int(pool["quote_raw"]))
        failed = () if entry.verdict is None else findings_of(entry.verdict)
        buy_tax = figures.get("buy_tax_bps")
        baseline = Baseline(
            buy_tax_bps=None
            if buy_tax is None
            else int(Decimal(buy_tax).to_integral_value(rounding=ROUND_CEILING)),
            sell_tax_bps=position.sell_tax_bps,
            failed_rules=tuple(item.rule for item in failed if item.outcome is Outcome.FAIL),
        )
    watch, _ = GuardWatch.objects.get_or_create(
        trace_id=position.trace_id,
        defaults={
            "chain_key": position.chain_key,
            "baseline": baseline.as_json(),
            "liquidity_root": root,
        },
    )
    return watch


def _asked(
    held: Sequence[_Held], *, ports: ExecutionPorts, holdings: HoldingReader | None, head: BlockRef
) -> tuple[Mapping[str, HoldingAnswer], Mapping[str, str]]:
    if holdings is None:
        return {}, {}
    answers = holdings.look(
        [
            HoldingQuestion(
                token=item.position.pair.base.address,
                pool=item.position.pair.pool_address,
                holder=ports.signer.address(item.position.wallet_key),
                amount_raw=item.position.quantity_raw,
            )
            for item in held
        ]
    )
    looked = [item.watch.looked_block for item in held if item.watch.looked_block is not None]
    stirred = holdings.stirred(
        sorted({item.position.pair.base.address for item in held}),
        first_block=min(looked, default=head.number - 1) + 1,
        last_block=head.number,
    )
    return answers, stirred


def _sold(
    held: Sequence[_Held], *, ports: ExecutionPorts, head: BlockRef, blocks: int
) -> Mapping[int, Mapping[str, int]]:
    """Return by position what each other trader took out by selling since we bought, within the last blocks."""
    pairs = {item.position.pair_id for item in held}
    rows = PoolTrade.objects.filter(pair_id__in=pairs, side="sell", block_number__gt=head.number - blocks)
    trades = rows.order_by("-id").values_list("pair_id", "block_number", "trader", "quote_raw")[:TRADES_MAX]
    by_pair = defaultdict(list)
    for pair_id, number, trader, quote_raw in trades:
        by_pair[pair_id].append((number, trader.lower(), quote_raw))
    fills = FillRecord.objects.filter(
        position_id__in=[item.position.pk for item in held], side="buy", reversed_at=None
    )
    bought = dict(fills.values_list("position_id").annotate(block=Max("block_number")))
    found: dict[int, dict[str, int]] = {}
    for item in held:
        own = ports.signer.address(item.position.wallet_key).lower()
        sums: dict[str, int] = defaultdict(int)
        for number, trader, quote_raw in by_pair[item.position.pair_id]:
            if trader != own and number > bought.get(item.position.pk, 0):
                sums[trader] += quote_raw
        found[item.position.pk] = sums
    return found


def _keep(item: _Held, seen: logic.Look, *, head: BlockRef) -> None:
    """Keep what was learned, when it was something."""
    changes: dict[str, object] = {}
    if seen.baseline != item.baseline:
        changes["baseline"] = seen.baseline.as_json()
    if seen.liquidity_root != item.watch.liquidity_root:
        changes["liquidity_root"] = seen.liquidity_root
    GuardWatch.objects.filter(pk=item.watch.pk).update(looked_block=head.number, **changes)


# -- simulation ---------------------------------------------------------------------------
def _simulated(
    item: _Held,
    *,
    ports: ExecutionPorts,
    head: BlockRef,
    active: ActiveConfig,
    estimates_of: HeldEstimates | None,
) -> Trigger | None:
    position = item.position
    listing = listing_of(position.pair)
    buyer = ports.signer.address(position.wallet_key)
    is_young = head.number - listing.created_block.number <= YOUNG_BLOCKS_MAX
    facts = ports.reader.pair_facts(
        listing,
        buyer=buyer,
        probe_amount_raw=position.mark_value_raw or position.cost_raw or 1,
        previous_swaps_from=listing.created_block.number if is_young else head.number,
    )
    analysis = analyse(
        Subject(
            listing=listing,
            facts=facts,
            history=None,
            wrapped_native_address=ports.profile.wrapped_native.address,
            now_ms=head.at_ms,
            lockers=frozenset(locker_addresses(position.chain_key)),
            own_addresses=frozenset({buyer}),
        )
    )
    # Swaps of the last block alone would look like a pool in which nothing ever happened.
    told = facts if is_young else replace(facts, swaps=None)
    if estimates_of is not None:
        _keep_estimates(item, estimates_of(listing, told, position.pair_id))
    watch = GuardWatch.objects.get(pk=item.watch.pk)
    baseline = Baseline.from_json(watch.baseline)
    trigger = judged_again(
        baseline=baseline,
        verdict=judge(analysis=analysis, config=active.config, config_revision=active.revision),
        buy_tax_bps=_highest(facts, "buy_tax_bps"),
        sell_tax_bps=_highest(facts, "sell_tax_bps"),
        code_hash=facts.code_hash,
        is_movable=baseline.is_movable,  # a holding that froze since was sold by the look already
        guard=active.config.guard,
        loss=loss_estimate(listing=listing, facts=told, history=None),
        loss_max_bps=_loss_max_bps(active),
    )
    learned = baseline if baseline.code_hash else replace(baseline, code_hash=facts.code_hash)
    GuardWatch.objects.filter(pk=watch.pk).update(checked_block=head.number, baseline=learned.as_json())
    sell_tax = _highest(facts, "sell_tax_bps")
    if sell_tax is not None and sell_tax != position.sell_tax_bps:
        Position.objects.filter(pk=position.pk).update(sell_tax_bps=sell_tax)
    return trigger


def _keep_estimates(item: _Held, estimates: tuple[Estimate, ...]) -> None:
    """Keep what draws a position's exits in until the next simulation."""
    wanted = estimates_to_json(found for found in estimates if found.code in plan.CODES)
    GuardWatch.objects.filter(pk=item.watch.pk).update(estimates=wanted, estimates_at=timezone.now())


def _loss_max_bps(active: ActiveConfig) -> int | None:
    config = active.config
    return config.rules.loss_probability_max_bps if config.gates.loss_probability is Gate.VETO else None


def _highest(facts: PairFacts, name: str) -> int | None:
    values = [getattr(trip, name) for trip in facts.round_trips]
    return max((item for item in values if item is not None), default=None)


# -- selling ------------------------------------------------------------------------------
def _trigger(item: _Held, trigger: Trigger, *, head: BlockRef) -> None:
    """Keep the first trigger of a position, with an alert beside it."""
    with transaction.atomic():
        changed = GuardWatch.objects.filter(pk=item.watch.pk, trigger_code="").update(
            trigger_code=trigger.code[:_CODE_LENGTH],
            trigger_explanation=cut(trigger.explanation, _TEXT_LENGTH),
            trigger_detail=cut(trigger.detail, _TEXT_LENGTH),
            triggered_block=head.number,
            triggered_at=timezone.now(),
        )
        if not changed:
            return
        event_record(
            kind=EventKind.RISK_ALERT,
            summary=f"Position {item.position.pk} is in danger: {trigger.explanation}",
            trace_id=item.position.trace_id,
            subject=f"position:{item.position.pk}",
            payload={"codes": [trigger.code], "detail": trigger.detail, "block": head.number},
        )


def _sell_triggered(
    held: Sequence[_Held],
    reserves: Mapping[str, PoolReserves],
    *,
    ports: ExecutionPorts,
    head: BlockRef,
    active: ActiveConfig,
) -> tuple[int, ...]:
    """Create the exits of all positions with a trigger; one that failed before comes again after its rest."""
    triggers = {
        row.pk: Trigger(code=row.trigger_code, explanation=row.trigger_explanation, detail=row.trigger_detail)
        for row in GuardWatch.objects.filter(pk__in=[item.watch.pk for item in held]).exclude(trigger_code="")
    }
    engine = engine_view()
    if not triggers or not engine.may_exit:
        return ()
    fees, price = ports.reader.fees(), ports.reader.quote_price_usd_micros()
    created = [
        _sell(
            item,
            triggers[item.watch.pk],
            _case(
                item, reserves, ports=ports, head=head, active=active, engine=engine, fees=fees, price=price
            ),
            epoch=engine.epoch,
        )
        for item in held
        if item.watch.pk in triggers
    ]
    return tuple(order_id for order_id in created if order_id is not None)


def _case(
    item: _Held,
    reserves: Mapping[str, PoolReserves],
    *,
    ports: ExecutionPorts,
    head: BlockRef,
    active: ActiveConfig,
    engine: EngineView,
    fees: FeeQuote,
    price: int | None,
) -> ExitCase:
    position = Position.objects.select_related("pair__base", "pair__quote", "opportunity").get(
        pk=item.position.pk
    )
    return ExitCase(
        position=position_facts(position, profile=ports.profile, engine=engine),
        reserves=reserves.get(position.pair.pair_key),
        fees=fees,
        quote_price_usd_micros=price,
        head=head,
        config=active.config,
        config_revision=active.revision,
        now_ms=ms_of(timezone.now()),
    )


def _sell(item: _Held, trigger: Trigger, case: ExitCase, *, epoch: int) -> int | None:
    decision = guard_exit(case, trigger)
    if decision.action != "exit":
        return None
    position = item.position
    try:
        with transaction.atomic():
            record = decision_record(
                opportunity=position.opportunity,
                decision=decision,
                inputs=guard_inputs(case, trigger),
                position=position,
            )
            order = order_create(
                decision=decision,
                record=record,
                wallet_key=position.wallet_key,
                chain_key=position.chain_key,
                epoch=epoch,
                config=case.config,
                position=position,
            )
            if not isinstance(order, Order):
                transaction.set_rollback(True)
                return None
            return order.pk
    except IntegrityError:  # another watcher decided at the same moment
        return None
