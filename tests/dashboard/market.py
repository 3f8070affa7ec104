"""A market for the pages: pairs that were refused, watched, bought and sold, with everything that hangs on them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import connection
from django.utils import timezone

from apps.discovery.models import Pair, Token
from apps.domain.events import EventKind
from apps.domain.ids import ChainKey, PairKey, pair_key_of, trace_id_of
from apps.trading.models import DecisionRecord, Opportunity, Order, TxAttempt
from tests import factories as f

ETHER = f.ETHER
BASE_ID, BSC_ID = 31_337_001, 31_337_002
ESTIMATES = (
    ("sellable", "1", "1", "1", "bool", "simulation", 3, ""),
    ("sellable_next_block", None, None, None, "bool", "simulation", 0, "the node offers no eth_simulateV1"),
    ("buy_tax_bps", "125", "100", "150", "bps", "simulation", 3, ""),
    ("sell_tax_bps", "125", "100", "150", "bps", "simulation", 3, ""),
    ("liquidity_usd", "31250000000", "31250000000", "31250000000", "usd_micros", "rpc", 1, ""),
    ("lp_removable_bps", "10000", "10000", "10000", "bps", "rpc", 1, ""),
    ("holders_top10_bps", "4300", "4100", "4700", "bps", "events", 41, ""),
    ("holder_count", "41", "41", "41", "count", "events", 1, ""),
    ("deployer_tokens", "3", "3", "3", "count", "history", 1, ""),
    ("deployer_dead_bps", "4200", "2200", "7000", "bps", "history", 3, ""),
    ("owner_controls", "0", "0", "0", "bool", "rpc", 1, ""),
    ("pair_age_s", "42", "42", "42", "s", "rpc", 1, ""),
)
FINDINGS = (
    ("liquidity", "LIQUIDITY_ENOUGH", "pass", "The pool is deep enough.", "liquidity_usd=31250 minimum=5000"),
    (
        "lp",
        "LP_REMOVABLE_ABOVE_MAXIMUM",
        "fail",
        "The maker can take out all liquidity at once.",
        "bps=10000",
    ),
    (
        "sell_tax",
        "SELL_TAX_LOW",
        "pass",
        "The measured tax on selling is low.",
        "sell_tax_bps=125 maximum=500",
    ),
    (
        "sellable",
        "SELLABLE_UNKNOWN",
        "unknown",
        "It is not known whether it sells a block later.",
        "no answer",
    ),
)


def chains() -> None:
    """Make two sandbox chains with a fresh head."""
    f.ChainFactory(chain_id=BASE_ID, name="Sandbox Base", profile_of="eip155:8453")
    f.ChainFactory(
        chain_id=BSC_ID,
        name="Sandbox BSC",
        profile_of="eip155:56",
        native_symbol="BNB",
        wrapped_native_symbol="WBNB",
        genesis_hash=f.hash_for("bsc"),
    )
    for chain_id in (BASE_ID, BSC_ID):
        f.BlockHashFactory(chain_key=f"eip155:{chain_id}", at=timezone.now())


def installation() -> None:
    """Make an engine that runs, its configuration, chains and budget."""
    f.EngineStateFactory()
    f.ConfigRevisionFactory()
    f.BudgetFactory(
        exposure_usd_micros=1_250_000_000, realised_today_usd_micros=-42_500_000, open_positions=3
    )
    chains()


def estimates(now_ms: int) -> list[dict[str, Any]]:
    """Return an analysis's estimates as stored."""
    names = ("code", "value", "low", "high", "unit", "source", "n", "reason_unknown")
    rows = [dict(zip(names, row, strict=True)) for row in ESTIMATES]
    return [row | {"as_of_ms": now_ms, "confidence": "1" if row["value"] else "0"} for row in rows]


def findings() -> list[dict[str, str]]:
    """Return a verdict's findings as stored."""
    names = ("rule", "code", "outcome", "explanation", "detail")
    return [dict(zip(names, row, strict=True)) for row in FINDINGS]


def plan() -> dict[str, int]:
    """Return the usual exits."""
    return {
        "take_profit_bps": 5_000,
        "stop_loss_bps": 2_000,
        "trailing_stop_bps": 1_500,
        "trailing_activation_bps": 1_000,
        "time_stop_ms": 3_600_000,
        "liquidity_drop_bps": 5_000,
    }


def pair(
    *, symbol: str = "PEPE", name: str = "Pepe the Frog", chain_id: int = BASE_ID, age_s: int = 60
) -> Pair:
    """Make a pair that was found some seconds ago, analysed and judged."""
    now = timezone.now()
    made = now - timedelta(seconds=age_s)
    chain_key = f"eip155:{chain_id}"
    item: Pair = f.PairFactory(
        chain_key=chain_key,
        base__symbol=symbol,
        base__name=name,
        created_block_at=made,
        registered_at=made + timedelta(milliseconds=180),
    )
    analysis = f.AnalysisRecordFactory(
        pair=item,
        estimates=estimates(int(now.timestamp() * 1000)),
        created_at=made + timedelta(milliseconds=420),
    )
    f.VerdictRecordFactory(analysis=analysis, findings=findings(), outcome="fail", score_bps=6_100)
    return item


def position(item: Pair, *, result_bps: int | None = 1_200, closed: str = "", held_s: int = 40) -> Any:
    """Make a position with its filled buy, and its sell when ``closed`` names why."""
    now = timezone.now()
    opened = item.registered_at + timedelta(milliseconds=900)
    cost = ETHER // 10
    worth = None if result_bps is None else cost * (10_000 + result_bps) // 10_000
    opportunity = f.OpportunityFactory(
        pair=item,
        status="entered",
        score_bps=7_300,
        created_at=item.registered_at + timedelta(milliseconds=25),
        evaluations=1,
        updated_at=opened,
    )
    held = f.PositionFactory(
        opportunity=opportunity,
        opened_at=opened,
        exit_plan=plan(),
        mark_value_raw=None if closed else worth,
        marked_at=None if closed or worth is None else now,
        high_water_raw=max(worth or cost, cost),
        sell_tax_bps=125,
        fees_raw=ETHER // 5_000,
        status="closed" if closed else "open",
        exit_tag=closed,
        closed_at=opened + timedelta(seconds=held_s) if closed else None,
        quantity_raw=0 if closed else 9_400 * ETHER,
        proceeds_raw=(worth or 0) if closed else 0,
        realised_cost_raw=cost if closed else 0,
        realised_usd_micros=None if worth is None or not closed else (worth - cost) * 3_000 // 10**12,
    )
    decision = f.DecisionRecordFactory(
        opportunity=opportunity,
        analysis=item.analyses.get(),
        verdict=item.verdicts.get(),
        reasons=[{"code": "ENTRY", "explanation": "Every rule passes.", "detail": "score_bps=7300"}],
    )
    DecisionRecord.objects.filter(pk=decision.pk).update(created_at=opened - timedelta(milliseconds=310))
    fill = f.FillRecordFactory(
        position=held,
        attempt__order__decision=decision,
        block_at=opened,
        booked_at=opened,
    )
    times = {
        "created_at": opened - timedelta(milliseconds=300),
        "claimed_at": opened - timedelta(milliseconds=270),
        "status_at": opened,
    }
    Order.objects.filter(pk=fill.order_id).update(**times)
    TxAttempt.objects.filter(pk=fill.attempt_id).update(
        signed_at=opened - timedelta(milliseconds=240),
        broadcast_at=opened - timedelta(milliseconds=180),
        seen_mined_at=opened - timedelta(milliseconds=20),
        block_number=fill.block_number,
        fee_paid_raw=fill.fee_native_raw,
    )
    f.EventFactory(
        kind=EventKind.TRADE_EXECUTED.value,
        subject=f"position:{held.pk}",
        trace_id=held.trace_id,
        summary=f"Bought {item.base.symbol} for 0.100000 ETH",
    )
    f.EventFactory(
        kind=EventKind.ORDER_CHANGED.value,
        subject=f"order:{fill.order_id}",
        trace_id=held.trace_id,
        summary=f"Order {fill.order_id} to buy: submitted → filled",
        payload={"before": "submitted", "status": "filled", "reason": ""},
    )
    return held


def crowd(count: int, *, first: int = 0) -> None:
    """Make many pairs with an opportunity each, quickly: most refused, some watched, for a handful of reasons."""
    now = timezone.now()
    quote = f.WrappedNativeFactory()
    chain_key = ChainKey(f.CHAIN_KEY)
    tokens = Token.objects.bulk_create(
        Token(
            chain_key=chain_key,
            address=f.hash_for(f"crowd token {n}")[:42],
            name=f"Crowd {n}",
            symbol=f"CRD{n}",
            decimals=18,
            total_supply_raw=10**27,
            first_seen_at=now,
        )
        for n in range(first, first + count)
    )
    pairs = Pair.objects.bulk_create(
        Pair(
            pair_key=pair_key_of(chain_key, f.hash_for(f"crowd pool {n}")[:42]),
            chain_key=chain_key,
            dex_key="uniswap_v2",
            pool_address=f.hash_for(f"crowd pool {n}")[:42],
            base=token,
            quote=quote,
            base_is_token0=True,
            fee_bps=30,
            creator=f.hash_for(f"crowd maker {n % 50}")[:42],
            created_block_number=n,
            created_block_hash=f.hash_for(f"crowd block {n}"),
            created_block_at=now - timedelta(seconds=n),
            source="chain",
            registered_at=now - timedelta(seconds=n),
            reserve_base_raw=10**24,
            reserve_quote_raw=ETHER * (n % 40),
            quarantine_code="QUOTE_NOT_SUPPORTED" if n % 29 == 0 else "",
            quarantine_reason="It is paid in a token that is not traded." if n % 29 == 0 else "",
        )
        for n, token in enumerate(tokens, start=first)
    )
    Opportunity.objects.bulk_create(
        _opportunity(n, item) for n, item in enumerate(pairs) if not item.quarantine_code
    )
    if (
        connection.vendor == "postgresql"
    ):  # what it last counted here, tables as good as empty, no plan should rest upon
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")


_REASONS = (
    ("filter", "LIQUIDITY_BELOW_MINIMUM", "The pool holds less than the least allowed."),
    ("filter", "PAIR_TOO_OLD", "The pair is no new listing."),
    ("risk", "SELL_TAX_ABOVE_MAXIMUM", "Selling is taxed more than allowed."),
    ("risk", "NOT_SELLABLE", "The token cannot be sold."),
    ("risk", "LP_REMOVABLE_ABOVE_MAXIMUM", "The maker can take out too much liquidity at once."),
    ("score", "SCORE_BELOW_MINIMUM", "No rule speaks against this pair, but its score is too low to buy it."),
    ("limit", "LIMIT_OPEN_POSITIONS", "As many positions are open as are allowed at the same time."),
)


def _opportunity(number: int, item: Pair) -> Opportunity:
    stage, code, words = _REASONS[number % len(_REASONS)]
    is_watched = number % 11 == 0
    return Opportunity(
        trace_id=trace_id_of(PairKey(item.pair_key), 1),
        pair=item,
        source="chain",
        status="waiting" if is_watched else "refused",
        evaluate_after=item.registered_at,
        evaluations=1 + number % 4,
        give_up_at=item.registered_at + timedelta(minutes=15),
        score_bps=None if stage == "filter" else 2_000 + number * 37 % 7_000,
        skip_stage=stage,
        skip_code=code,
        skip_explanation=words,
        created_at=item.registered_at,
        updated_at=item.registered_at,
    )


def life() -> dict[str, Any]:
    """Make an installation with a bit of everything and return what pages are about."""
    installation()
    crowd(120)
    names = (
        ("PEPE", "Pepe the Frog"),
        ("MOON", "Moonshot"),
        ("WIF2", "dog with two hats"),
        ("RUG", "Honest Token"),
    )
    held = [
        position(pair(symbol=symbol, name=name, age_s=60 + n), result_bps=result)
        for n, ((symbol, name), result) in enumerate(zip(names, (1_200, -900, 4_100, None), strict=True))
    ]
    for number, (why, result) in enumerate(
        (("take_profit", 5_200), ("stop_loss", -2_050), ("time_stop", 310))
    ):
        position(pair(symbol=f"OLD{number}", age_s=900, chain_id=BSC_ID), result_bps=result, closed=why)
    first = held[0]
    now = timezone.now()
    for n in range(180):
        worth = 10 + n // 6 - (n * 7 % 5)
        at = now - timedelta(seconds=2 * (180 - n))
        f.PoolSnapshotFactory(
            pair=first.pair, at=at, quote_raw=worth * ETHER, base_raw=10_000_000 * ETHER // worth
        )
        f.EquityPointFactory(at=at, cash_usd_micros=(9_700 + n * 3 - n * 7 % 40) * 10**6)
    for n in range(30):
        f.PoolTradeFactory(
            pair=first.pair, side="sell" if n % 3 == 0 else "buy", at=now - timedelta(seconds=n * 3)
        )
    incident = f.IncidentFactory(
        severity="critical", title="Position 3 cannot be sold", count=4, category="trading"
    )
    f.IncidentFactory(title="Sandbox BSC does not answer", detail="Connection refused, 5 tries")
    for component in ("listener", "worker/evaluate", "relay"):
        f.HeartbeatFactory(component=component, status="at work")
    order = first.fills.get().order
    return {
        "pair": first.pair,
        "position": first,
        "order": order,
        "incident": incident,
        "trace_id": first.trace_id,
    }
