"""A rush of buyers is told from a launch, from a busy pool and from a few friends."""

from __future__ import annotations

import math
from typing import Literal

import pytest

from apps.domain.entities import Entities, Entity, Trade
from apps.domain.ids import PairKey
from apps.domain.market import BlockRef, PoolReserves
from apps.intelligence.logic.pumps import chunk_features, elasticity, is_pump_and_dump, pump_report

_COIN = 10**18


def swap(
    who: str,
    *,
    block: int,
    price: float = 1.0,
    side: Literal["buy", "sell"] = "buy",
    index: int = 0,
    quote: int = 1,
) -> Trade:
    return Trade(
        at_ms=block * 12_000,
        block=block,
        tx_hash=f"0x{who}{block}{index}",
        log_index=index,
        address=who,
        side=side,
        base_raw=int(quote * _COIN / price),
        quote_raw=quote * _COIN,
    )


def calm(blocks: int = 40) -> list[Trade]:
    return [swap(f"s{block}", block=block) for block in range(1, blocks + 1)]


def rush(block: int, *, wallets: int = 8, step: float = 0.05) -> list[Trade]:
    return [swap(f"p{n}", block=block, price=1 + step * n, index=n) for n in range(wallets)]


def test_rush_of_wallets_with_rise_then_alarm_names_them() -> None:
    report = pump_report([*calm(), *rush(41)], Entities())
    [alarm] = report.alarms
    assert alarm.wallets == tuple(f"p{n}" for n in range(8))
    assert alarm.entities == 8
    assert len(alarm.transactions) == 8
    assert not alarm.is_at_launch


def test_rush_of_one_entity_then_alarm_tells_that_it_is_one() -> None:
    group = Entity(key="p0", members=tuple(f"p{n}" for n in range(8)), reasons=())
    [alarm] = pump_report([*calm(), *rush(41)], Entities(merged=(group,))).alarms
    assert alarm.entities == 1


def test_rush_without_rise_then_no_alarm() -> None:
    assert pump_report([*calm(), *rush(41, step=0.0)], Entities()).alarms == ()


def test_few_buyers_in_a_block_then_no_alarm() -> None:
    assert pump_report([*calm(), *rush(41, wallets=4)], Entities()).alarms == ()


def test_pool_that_is_always_busy_then_no_alarm() -> None:
    busy = [
        swap(f"b{block}x{n}", block=block, price=1 + 0.03 * n, index=n)
        for block in range(1, 60)
        for n in range(6)
    ]
    later = [alarm for alarm in pump_report(busy, Entities()).alarms if alarm.block > 30]
    assert later == []


def test_rush_at_launch_then_told_apart() -> None:
    [alarm] = pump_report(rush(1), Entities()).alarms
    assert alarm.is_at_launch


def test_no_trades_then_nothing_is_told() -> None:
    report = pump_report([], Entities())
    assert (report.alarms, report.elasticity) == ((), None)
    assert chunk_features([]) == {}


def test_short_history_then_no_features() -> None:
    assert chunk_features([swap("a", block=1)]) == {}
    assert "rush_25s_mean" in chunk_features(calm())


@pytest.mark.parametrize(
    ("buyers", "removed", "left", "expected"),
    [
        (5, 7_001, 300_000_000, True),
        (4, 9_000, 0, False),
        (9, 7_000, 0, False),
        (9, 9_000, 300_000_001, False),
    ],
)
def test_label_after_the_fact_then_needs_all_three(
    buyers: int, removed: int, left: int, expected: bool
) -> None:
    assert is_pump_and_dump(unrelated_buyers=buyers, removed_bps=removed, left_usd_micros=left) is expected


def _pool(quote: float, base: float) -> PoolReserves:
    return PoolReserves(
        pair_key=PairKey("eip155:1/0xpool"),
        base_raw=int(base * _COIN),
        quote_raw=int(quote * _COIN),
        block=BlockRef(number=99, hash="0x", at_ms=0),
    )


def test_price_moved_by_trades_alone_then_elasticity_is_one() -> None:
    quote, base, trades = 100.0, 100.0, []
    for block in range(1, 21):
        bought = base - quote * base / (quote + 2)
        trades.append(
            Trade(
                at_ms=block,
                block=block,
                tx_hash=f"{block}",
                log_index=0,
                address="a",
                side="buy",
                base_raw=int(bought * _COIN),
                quote_raw=2 * _COIN,
            )
        )
        quote, base = quote + 2, base - bought
    told = elasticity(trades, _pool(quote, base))
    assert told == pytest.approx(1.0, abs=0.1)
    left, came = (
        elasticity(trades, _pool(quote / 3, base / 3)),
        elasticity(trades, _pool(quote * 3, base * 3)),
    )
    assert left is not None
    assert came is not None
    assert left < 0.7 < 1.5 < came


def test_pool_was_emptied_by_sales_then_elasticity_is_still_told() -> None:
    sales = [
        Trade(
            at_ms=block,
            block=block,
            tx_hash=f"{block}",
            log_index=0,
            address="a",
            side="sell",
            base_raw=_COIN,
            quote_raw=10 * _COIN,
        )
        for block in range(1, 41)
    ]
    for quote, base in ((1e-18, 1e9), (1e-18, 1e-9)):
        told = elasticity(sales, _pool(quote, base))
        assert told is None or math.isfinite(told)


def test_little_flow_then_elasticity_is_unknown() -> None:
    assert elasticity(calm(), _pool(1_000_000, 1_000_000)) is None
