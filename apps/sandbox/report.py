"""What a demo run did, measured from rows and compared with the sandbox's ground truth."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import Count, Min

from apps.discovery.models import Pair
from apps.domain.decision import SkipStage
from apps.domain.money import raw_to_units
from apps.risk.models import VerdictRecord
from apps.sandbox.chainspec import CHAINS
from apps.sandbox.models import SandboxBlock, SandboxLaunch
from apps.state.services.config import active_config
from apps.trading.models import (
    DecisionRecord,
    FillRecord,
    JournalEntry,
    Opportunity,
    Order,
    Position,
    Posting,
    TxAttempt,
)


def percentiles(values: Iterable[float]) -> dict[str, float | int | None]:
    """Return p50, p95 and max in milliseconds, and how many there were; None where there is nothing to measure."""
    ordered = sorted(values)
    if not ordered:
        return {"p50": None, "p95": None, "max": None, "n": 0}
    at = lambda share: round(ordered[min(len(ordered) - 1, int(share * len(ordered)))], 1)  # noqa: E731
    return {"p50": at(0.5), "p95": at(0.95), "max": round(ordered[-1], 1), "n": len(ordered)}


def demo_report(
    *, seconds: int, native_symbols: Mapping[str, str], book_equals_chain: bool
) -> dict[str, Any]:
    """Return the figures of the run in the database. ``native_symbols`` is symbol by chain key."""
    launches = {
        launch.pool_address.lower(): launch for launch in SandboxLaunch.objects.exclude(pool_address="")
    }
    created = [launch for launch in launches.values() if launch.created_block_number is not None]
    pairs = {pair.pool_address.lower(): pair for pair in Pair.objects.all()}
    bought = {pool.lower() for pool in _bought_pools()}
    honest = [launch for launch in created if launch.is_honest]
    limited = _limited_pools()
    within_limits = [
        launch
        for launch in honest
        if _fits_limits(launch) and launch.pool_address.lower() not in limited - bought
    ]
    bad = [launch for launch in created if not launch.is_honest]
    return {
        "seconds": seconds,
        "pairs_created": len(created),
        "pairs_registered": sum(1 for launch in created if launch.pool_address.lower() in pairs),
        "pairs_registered_twice": _registered_twice(),
        "evaluated": Opportunity.objects.filter(evaluations__gt=0).count(),
        "refused": dict(
            Counter(
                Opportunity.objects.exclude(skip_code="")
                .exclude(status="entered")
                .values_list("skip_code", flat=True)
            )
        ),
        "bought": FillRecord.objects.filter(side="buy", reversed_at=None).count(),
        "sold": FillRecord.objects.filter(side="sell", reversed_at=None).count(),
        "open": Position.objects.exclude(status="closed").count(),
        "closed": Position.objects.filter(status="closed").count(),
        "exits": dict(Counter(Position.objects.filter(status="closed").values_list("exit_tag", flat=True))),
        "realised_pnl": _realised(native_symbols),
        "fees": _fees(native_symbols),
        "honest_launches": len(honest),
        "honest_within_limits": len(within_limits),
        "honest_bought": sum(1 for launch in honest if launch.pool_address.lower() in bought),
        "honest_within_limits_bought": sum(
            1 for launch in within_limits if launch.pool_address.lower() in bought
        ),
        "unsellable_bought": _unsellable_bought(created),
        "rugs_suffered": _rugs_suffered(bad),
        "rugs_avoided": sum(1 for launch in bad if launch.pool_address.lower() not in bought),
        "double_sends": _double_sends(),
        "ledger_balanced": ledger_balanced(),
        "book_equals_chain": book_equals_chain,
        "latency_ms": _latencies(),
    }


def _fits_limits(launch: SandboxLaunch) -> bool:
    """Tell from the ground truth whether a launch keeps the configured limits on liquidity and taxes."""
    rules = active_config().config.rules
    price = next(chain.native_price_usd for chain in CHAINS if chain.key == launch.chain_key)
    liquidity_usd = raw_to_units(int(launch.parameters["liquidity_wei"]), 18) * price
    taxes = launch.parameters["arguments"][0][:2] if launch.parameters["contract"] == "TaxedToken" else (0, 0)
    return (
        liquidity_usd >= rules.liquidity_min_usd
        and int(taxes[0]) <= rules.buy_tax_max_bps
        and int(taxes[1]) <= rules.sell_tax_max_bps
    )


def _limited_pools() -> set[str]:
    """Return the pools that our own limits (exposure, positions, loss, cool-downs) kept us from."""
    rows = Opportunity.objects.filter(skip_stage=SkipStage.LIMIT.value)
    return {pool.lower() for pool in rows.values_list("pair__pool_address", flat=True)}


def _bought_pools() -> set[str]:
    return set(
        FillRecord.objects.filter(side="buy", reversed_at=None).values_list(
            "position__pair__pool_address", flat=True
        )
    )


def _registered_twice() -> int:
    rows = Pair.objects.values("chain_key", "pool_address").annotate(n=Count("id")).filter(n__gt=1).count()
    return rows + Opportunity.objects.values("pair", "number").annotate(n=Count("id")).filter(n__gt=1).count()


def _double_sends() -> int:
    """Count the orders with two mined swaps."""
    mined = TxAttempt.objects.filter(purpose="swap", status__in=["mined", "reverted"])
    return mined.values("order").annotate(n=Count("id")).filter(n__gt=1).count()


def ledger_balanced() -> bool:
    """Tell whether debits equal credits for each token in each journal entry."""
    sums: Counter[tuple[int, str, str]] = Counter()
    for entry, chain_key, token, side, raw in Posting.objects.values_list(
        "entry", "chain_key", "token_address", "side", "amount_raw"
    ).iterator():
        sums[entry, chain_key, token.lower()] += raw if side == "debit" else -raw
    has_postings = {entry for entry, _, _ in sums}
    return not any(sums.values()) and has_postings == set(JournalEntry.objects.values_list("id", flat=True))


def _realised(native_symbols: Mapping[str, str]) -> dict[str, str]:
    totals: Counter[str] = Counter()
    for position in Position.objects.all():
        totals[native_symbols[position.chain_key]] += (
            position.proceeds_raw - position.realised_cost_raw - position.fees_raw
        )
    return _as_units(totals)


def _fees(native_symbols: Mapping[str, str]) -> dict[str, str]:
    totals: Counter[str] = Counter()
    for chain_key, side, raw in Posting.objects.filter(account="fees:gas").values_list(
        "chain_key", "side", "amount_raw"
    ):
        totals[native_symbols[chain_key]] += raw if side == "debit" else -raw
    return _as_units(totals)


def _as_units(totals: Mapping[str, int]) -> dict[str, str]:
    return {symbol: f"{_signed_units(raw):f}" for symbol, raw in totals.items()}


def _signed_units(raw: int) -> Decimal:
    return raw_to_units(raw, 18)


def _unsellable_bought(launches: Iterable[SandboxLaunch]) -> int:
    """Count the buys of tokens that a buyer could not sell at the moment of the buy."""
    count = 0
    for launch in launches:
        for fill in FillRecord.objects.filter(
            side="buy", reversed_at=None, position__pair__pool_address__iexact=launch.pool_address
        ):
            shut_from = launch.unsellable_from_block
            count += launch.is_unsellable or (shut_from is not None and fill.block_number >= shut_from)
    return count


def _rugs_suffered(bad: Iterable[SandboxLaunch]) -> int:
    """Count the positions that were open when their token was rugged or shut."""
    count = 0
    for launch in bad:
        at = launch.rugged_block_number or launch.unsellable_from_block
        if at is None:
            continue
        for position in Position.objects.filter(pair__pool_address__iexact=launch.pool_address):
            first = position.fills.filter(side="buy", reversed_at=None).aggregate(n=Min("block_number"))["n"]
            last_sell = position.fills.filter(side="sell", reversed_at=None).order_by("-block_number").first()
            gone = position.status == "closed" and last_sell is not None and last_sell.block_number < at
            count += first is not None and first <= at and not gone
    return count


def _latencies() -> dict[str, dict[str, float | int | None]]:
    mined_at = {(block.chain_key, block.hash): block.mined_at for block in SandboxBlock.objects.all()}
    stages: dict[str, list[float]] = {
        name: [] for name in ("registered", "verdict", "decision", "signed", "broadcast", "mined", "booked")
    }
    registered: dict[int, datetime] = {}
    for pair in Pair.objects.filter(source="chain"):
        registered[pair.pk] = pair.registered_at
        _add(
            stages["registered"], mined_at.get((pair.chain_key, pair.created_block_hash)), pair.registered_at
        )
    first_verdicts = VerdictRecord.objects.values("pair").annotate(at=Min("created_at"))
    for row in first_verdicts:
        _add(stages["verdict"], registered.get(row["pair"]), row["at"])
    for decision in DecisionRecord.objects.filter(verdict__isnull=False).select_related("verdict"):
        if decision.verdict is not None:
            _add(stages["decision"], decision.verdict.created_at, decision.created_at)
    for order in Order.objects.select_related("decision").prefetch_related("attempts", "fills"):
        swap = next((attempt for attempt in order.attempts.all() if attempt.purpose == "swap"), None)
        if swap is None:
            continue
        _add(stages["signed"], order.decision.created_at, swap.signed_at)
        _add(stages["broadcast"], order.decision.created_at, swap.broadcast_at)
        fill = next((fill for fill in order.fills.all() if fill.reversed_at is None), None)
        if fill is None:
            continue
        mined = mined_at.get((order.chain_key, fill.block_hash))
        _add(stages["mined"], swap.broadcast_at, mined)
        _add(stages["booked"], mined, fill.booked_at)
    return {name: percentiles(values) for name, values in stages.items()}


def _add(values: list[float], start: datetime | None, end: datetime | None) -> None:
    if start is not None and end is not None:
        values.append((end - start).total_seconds() * 1000)
