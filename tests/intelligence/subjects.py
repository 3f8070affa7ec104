"""A healthy new pair in plain values, and parts of it to change."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

from apps.domain.ids import ChainKey, pair_key_of, trace_id_of
from apps.domain.locks import LiquidityLock
from apps.domain.market import (
    BlockRef,
    DeployerCluster,
    DeployerHistory,
    Listing,
    PairFacts,
    PoolReserves,
    PoolSwap,
    RoundTrip,
)
from apps.domain.money import Token
from apps.intelligence.logic.subject import Subject

CHAIN = ChainKey("eip155:31337001")
ETHER = 10**18
CREATED_AT_MS = 1_700_000_000_000
NOW_MS = CREATED_AT_MS + 60_000
SUPPLY = 1_000_000 * ETHER
PRICE_USD_MICROS = 2_500 * 10**6


def address(number: int) -> str:
    return "0x" + f"{number:040x}"


WRAPPED, POOL, CREATOR, OWNER, OURS, LOCKER = (address(n) for n in range(1, 7))
PAIR_KEY = pair_key_of(CHAIN, POOL)
LISTING = Listing(
    trace_id=trace_id_of(PAIR_KEY, 1),
    pair_key=PAIR_KEY,
    dex_key="uniswap_v2",
    pool_address=POOL,
    base=Token(CHAIN, address(100), "NEW", 18),
    quote=Token(CHAIN, WRAPPED, "WETH", 18),
    base_is_token0=True,
    fee_bps=30,
    created_block=BlockRef(100, "0xaa", CREATED_AT_MS),
    creator=CREATOR,
)
BLOCK = BlockRef(120, "0xbb", CREATED_AT_MS + 40_000)


def trip(
    method: Literal["eth_call", "eth_simulateV1"] = "eth_call",
    stage: Literal["bought_and_sold", "buy_failed", "sell_failed", "unavailable"] = "bought_and_sold",
    **changes: Any,
) -> RoundTrip:
    bought, sold = stage in ("bought_and_sold", "sell_failed"), stage == "bought_and_sold"
    values: dict[str, Any] = {
        "amount_in_raw": ETHER // 10,
        "sold_share_bps": 10_000,
        "sell_delay_blocks": 0 if method == "eth_call" else 1,
        "method": method,
        "stage": stage,
        "received_raw": 9 * ETHER if bought else None,
        "returned_raw": ETHER // 11 if sold else None,
        "buy_tax_bps": 0 if bought else None,
        "sell_tax_bps": 0 if sold else None,
        "buy_gas": 120_000 if bought else None,
        "sell_gas": 110_000 if sold else None,
    }
    return RoundTrip(**(values | changes))


BOTH_TRIPS = (trip(), trip("eth_simulateV1"))


def swap(
    side: Literal["buy", "sell"], trader: str, *, base: int = ETHER, quote: int = ETHER, index: int = 0
) -> PoolSwap:
    return PoolSwap(
        pair_key=PAIR_KEY,
        side=side,
        base_raw=base,
        quote_raw=quote,
        trader=trader,
        tx_hash=f"0x{index:064x}",
        log_index=index,
        block=BLOCK,
    )


def reserves(*, base: int = SUPPLY // 2, quote: int = 10 * ETHER) -> PoolReserves:
    return PoolReserves(pair_key=PAIR_KEY, base_raw=base, quote_raw=quote, block=BLOCK)


def lock(amount_raw: int, *, days: int = 365) -> LiquidityLock:
    return LiquidityLock(
        locker=LOCKER,
        owner=CREATOR,
        amount_raw=amount_raw,
        unlock_at_s=BLOCK.at_ms // 1_000 + days * 86_400,
    )


FACTS = PairFacts(
    block=BLOCK,
    read_at_ms=NOW_MS,
    reserves=reserves(),
    quote_price_usd_micros=PRICE_USD_MICROS,
    base_total_supply_raw=SUPPLY,
    base_creator_raw=SUPPLY // 100,
    lp_total_supply_raw=1_000 * ETHER,
    lp_burned_raw=600 * ETHER,
    lp_locked_raw=350 * ETHER,
    lp_locks=(lock(350 * ETHER),),
    lp_creator_raw=50 * ETHER,
    owner="",
    code_hash="0x" + "11" * 32,
    selectors=("0x8da5cb5b", "0xa9059cbb"),  # owner(), transfer(address,uint256)
    holders=tuple((address(1_000 + n), SUPPLY // 100) for n in range(20)),
    round_trips=BOTH_TRIPS,
    swaps=(swap("buy", address(2_000)), swap("buy", address(2_001)), swap("sell", address(2_000))),
    missing={},
    supplied=(),
)
NO_HISTORY = DeployerHistory(tokens=0, dead=0, alive=0, unknown=0)
FUNDER = address(7)
NO_CLUSTER = DeployerCluster(funder=FUNDER, reason_unknown="", history=NO_HISTORY)


def subject(
    *,
    history: DeployerHistory | None = NO_HISTORY,
    listing: Listing = LISTING,
    now_ms: int = NOW_MS,
    cluster: DeployerCluster | None = NO_CLUSTER,
    **facts: Any,
) -> Subject:
    return Subject(
        listing=listing,
        facts=replace(FACTS, **facts),
        history=history,
        wrapped_native_address=WRAPPED,
        now_ms=now_ms,
        lockers=frozenset({LOCKER}),
        own_addresses=frozenset({OURS}),
        cluster=cluster,
    )


#: Nothing could be read.
BARE: dict[str, Any] = {
    "reserves": None,
    "quote_price_usd_micros": None,
    "base_total_supply_raw": None,
    "base_creator_raw": None,
    "lp_total_supply_raw": None,
    "lp_burned_raw": None,
    "lp_locked_raw": None,
    "lp_creator_raw": None,
    "owner": None,
    "code_hash": None,
    "selectors": None,
    "holders": None,
    "supplied": None,
    "round_trips": (),
    "swaps": None,
    "missing": {"reserves": "the node refuses: \x00odd\u202e words"},
}
