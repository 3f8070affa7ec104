"""A full assessment in plain values of a healthy token, and parts of it to change."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from apps.domain.market import RoundTrip
from apps.domain.probes import (
    CodeFacts,
    Commander,
    Holdings,
    OwnerAct,
    ProbeCall,
    TokenProbes,
    TradeName,
    TradeProbe,
    UpgradePower,
)
from tests.intelligence.subjects import BLOCK, ETHER, OWNER, POOL, SUPPLY, address, trip

BUYER = address(9_000)
NAMES: dict[TradeName, int] = {
    "intended_size": 1,
    "tenth_size": 1,
    "tenfold_size": 1,
    "same_block": 0,
    "after_a_minute": 30,
    "after_100_blocks": 100,
    "after_7200_blocks": 7_200,
    "after_a_week": 50_400,
    "fresh_wallet": 1,
    "in_parts": 1,
    "second_buyer": 1,
    "behind_seller": 1,
    "told_times": 1,
    "strangers": 1,
    "other_blocks": 1,
}
CALL = ProbeCall(sender=OWNER, to=address(100), data="0x8456cb59", value_raw=0, blocks_ahead=2)
HELD = Holdings(
    supply_raw=SUPPLY,
    buyer_raw=9 * ETHER,
    caller_raw=0,
    receiver_raw=0,
    pool_raw=SUPPLY // 2,
    token_raw=0,
)
BY_OWNER = Commander(address=OWNER, role="owner")


def trade(name: TradeName, **changes: Any) -> TradeProbe:
    values = {"sell_delay_blocks": NAMES[name]} | changes
    stage = values.pop("stage", "bought_and_sold")
    made: RoundTrip = trip("eth_simulateV1", stage, **values)
    return TradeProbe(name=name, trip=made, calls=(CALL,))


def act(**changes: Any) -> OwnerAct:
    after = changes.pop("after", {})
    values: dict[str, Any] = {
        "commander": BY_OWNER,
        "selector": "0x8456cb59",
        "arguments": "",
        "names": "nobody",
        "calls": (CALL,),
        "before": HELD,
        "after": replace(HELD, **after),
        "sold": True,
        "buy_tax_bps": 0,
        "sell_tax_bps": 0,
        "detail": "",
    }
    return OwnerAct(**(values | changes))


PROBES = TokenProbes(
    block=BLOCK,
    runner="eth_simulateV1",
    buyer=BUYER,
    amount_in_raw=ETHER // 10,
    trades=tuple(trade(name) for name in NAMES),
    commanders=(BY_OWNER,),
    trial=act(selector="", calls=()),
    acts=(),
    refused=(),
    untried=(),
    code=CodeFacts(
        skeleton_hash="0x" + "22" * 32,
        functions=12,
        has_delegatecall=False,
        has_selfdestruct=False,
        proxy="",
        implementation="",
        called_in_transfer=(),
    ),
    upgrade=UpgradePower(reachable=False, commander=None, detail="the code runs no other code"),
    duration_ms=20,
)
FAILED: dict[str, Any] = {"sold": False, "sell_tax_bps": None, "detail": "TRANSFER_FROM_FAILED"}


def with_trades(**stages: dict[str, Any]) -> TokenProbes:
    """Return the healthy assessment with some trades changed, by name."""
    changed = (trade(probe.name, **stages.get(probe.name, {})) for probe in PROBES.trades)
    return replace(PROBES, trades=tuple(changed))


__all__ = ["BUYER", "BY_OWNER", "CALL", "FAILED", "HELD", "POOL", "PROBES", "act", "trade", "with_trades"]
