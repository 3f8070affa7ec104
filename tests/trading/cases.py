"""Cases for the pure core: sensible by themselves, changed by keyword."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from apps.domain.analysis import Analysis
from apps.domain.config import TradingConfig
from apps.domain.estimate import Estimate, known
from apps.domain.ids import ChainKey, PairKey, TraceId
from apps.domain.market import BlockRef, FeeQuote, Listing, PoolReserves
from apps.domain.money import Token
from apps.domain.position import ExitPlan
from apps.domain.verdict import Finding, Outcome, RiskVerdict
from apps.trading.logic.entry_case import EntryFacts
from apps.trading.logic.exit import PositionFacts

CHAIN = ChainKey("eip155:31337001")
PAIR = PairKey(f"{CHAIN}/0x00000000000000000000000000000000000000aa")
TRACE = TraceId("0" * 32)
ETHER = 10**18
NATIVE = Token(CHAIN, "native", "ETH", 18)
WRAPPED = Token(CHAIN, "0x4200000000000000000000000000000000000006", "WETH", 18)
BASE = Token(CHAIN, "0x00000000000000000000000000000000000000bb", "TKN", 18)
NOW_MS = 1_800_000_000_000
BLOCK = BlockRef(1_000, "0x" + "11" * 32, NOW_MS - 1_000)
FEES = FeeQuote(base_fee_wei=10**7, tip_wei=10**6, max_fee_wei=21 * 10**6, block_number=1_000)
PRICE = 3_000_000_000  # 3000 dollars


def listing(**changes: Any) -> Listing:
    given: dict[str, Any] = {
        "trace_id": TRACE,
        "pair_key": PAIR,
        "dex_key": "uniswap_v2",
        "pool_address": "0x00000000000000000000000000000000000000aa",
        "base": BASE,
        "quote": WRAPPED,
        "base_is_token0": True,
        "fee_bps": 30,
        "created_block": BLOCK,
        "creator": "0x00000000000000000000000000000000000000cc",
    }
    return Listing(**{**given, **changes})


def estimate(code: str, value: int, unit: str = "bps") -> Estimate:
    return known(code, value, unit=unit, source="simulation", as_of_ms=NOW_MS, confidence=Decimal("0.9"))


def analysis(*, buy_tax_bps: int = 100, **changes: Any) -> Analysis:
    given: dict[str, Any] = {
        "trace_id": TRACE,
        "listing": listing(),
        "block": BLOCK,
        "estimates": (
            estimate("buy_tax_bps", buy_tax_bps),
            estimate("sell_tax_bps", 200),
            estimate("buy_gas", 120_000, "count"),
            estimate("sell_gas", 140_000, "count"),
            estimate("holder_count", 40, "count"),
        ),
        "missing": ("owner",),
    }
    return Analysis(**{**given, **changes})


def finding(outcome: Outcome, code: str = "SOME_RULE", rule: str = "some_rule") -> Finding:
    return Finding(rule=rule, code=code, outcome=outcome, explanation="In plain words.", detail="figure=1")


def verdict(**changes: Any) -> RiskVerdict:
    given: dict[str, Any] = {
        "trace_id": TRACE,
        "pair_key": PAIR,
        "outcome": Outcome.PASS,
        "score_bps": 7_000,
        "findings": (finding(Outcome.PASS),),
        "config_revision": 3,
    }
    return RiskVerdict(**{**given, **changes})


def reserves(*, base: int = 1_000_000 * ETHER, quote: int = 100 * ETHER) -> PoolReserves:
    return PoolReserves(pair_key=PAIR, base_raw=base, quote_raw=quote, block=BLOCK)


def facts(**changes: Any) -> EntryFacts:
    given: dict[str, Any] = {
        "now_ms": NOW_MS,
        "give_up_at_ms": NOW_MS + 900_000,
        "engine_may_enter": True,
        "engine_status": "running",
        "native": NATIVE,
        "wrapped_native_address": WRAPPED.address.upper().replace("0X", "0x"),
        "reserves": reserves(),
        "quote_price_usd_micros": PRICE,
        "fees": FEES,
        "wallet_native_raw": 10 * ETHER,
        "open_positions": 0,
        "exposure_usd_micros": 0,
        "realised_today_usd_micros": 0,
        "token_exit_at_ms": None,
        "deployer_loss_at_ms": None,
    }
    return EntryFacts(**{**given, **changes})


def config(**sections: dict[str, Any]) -> TradingConfig:
    return TradingConfig.model_validate(sections)


PLAN = ExitPlan(
    take_profit_bps=5_000,
    stop_loss_bps=2_000,
    trailing_stop_bps=1_500,
    trailing_activation_bps=1_000,
    time_stop_ms=3_600_000,
    liquidity_drop_bps=5_000,
)


def position(**changes: Any) -> PositionFacts:
    """A tenth of a coin bought at the middle of ``reserves()``."""
    given: dict[str, Any] = {
        "trace_id": TRACE,
        "pair_key": PAIR,
        "base": BASE,
        "native": NATIVE,
        "fee_bps": 30,
        "quantity_raw": 1_000 * ETHER,
        "cost_raw": ETHER // 10,
        "opened_at_ms": NOW_MS - 60_000,
        "plan": PLAN,
        "high_water_raw": 0,
        "entry_quote_reserve_raw": 100 * ETHER,
        "sell_tax_bps": 0,
        "sell_gas": 140_000,
        "failed_exits": 0,
        "next_exit_at_ms": None,
        "ordered_tag": None,
    }
    return PositionFacts(**{**given, **changes})
