"""What hangs over the price: falls, takings and concentration of the largest holders."""

from __future__ import annotations

from fractions import Fraction
from math import ceil
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from apps.domain.market import SuppliedHolder
from apps.intelligence.logic import holders, overhang
from apps.intelligence.logic.overhang import concentration, merged
from apps.intelligence.logic.pool_sale import cash_taken_raw, dump_drop_bps
from tests.intelligence.subjects import (
    CREATOR,
    LOCKER,
    OURS,
    POOL,
    PRICE_USD_MICROS,
    SUPPLY,
    address,
    reserves,
    subject,
)

RESERVES = st.integers(min_value=1, max_value=2**112 - 1)
BALANCES = st.lists(st.integers(min_value=0, max_value=2**200), max_size=30)


def figures(**facts: Any) -> dict[str, Any]:
    return {item.code: item for item in overhang.estimates(subject(**facts))}


def test_twenty_equal_holders_then_falls_follow_the_closed_form() -> None:
    found = figures()
    for top in (1, 5, 10):
        sold = top * SUPPLY // 100
        assert found[f"holder_dump_top{top}_bps"].value == dump_drop_bps(
            base_raw=SUPPLY // 2, fee_bps=30, sold_raw=sold
        )
    assert found["holder_dump_top1_bps"].value < found["holder_dump_top5_bps"].value
    assert (found["holders_hhi_bps"].value, found["holders_nakamoto"].value) == (500, 11)
    assert found["holders_effective"].value == 20


def test_ten_sell_then_the_cash_is_what_the_pool_pays() -> None:
    # A tenth of the supply into a pool of half the supply and 10 coins: 10 · 0.0997 / (0.5 + 0.0997) coins.
    coins = Fraction(10) * Fraction(997, 10_000) / (Fraction(1, 2) + Fraction(997, 10_000))
    found = figures()["holder_cash_top10_usd"].value
    assert abs(Fraction(found) - coins * PRICE_USD_MICROS) <= 1
    assert figures()["holder_cash_top10_bps"].value == ceil(coins * 1_000)


def test_pool_lockers_routers_and_our_wallet_hold_then_they_hang_over_nothing() -> None:
    balances = tuple((who, SUPPLY // 10) for who in (POOL, LOCKER, OURS))
    found = figures(holders=(*balances, (address(9), 1)))
    assert found["holder_dump_top10_bps"].value == 1
    assert found["holders_nakamoto"].value == 1


def test_creator_has_given_tokens_away_then_his_side_is_one_holder() -> None:
    gifts = tuple(
        SuppliedHolder(address=address(50 + n), balance_raw=SUPPLY // 20, tx_hash="0x01") for n in range(4)
    )
    held = ((CREATOR, SUPPLY // 20), *((item.address, item.balance_raw) for item in gifts))
    apart, together = figures(holders=held), figures(holders=held, supplied=gifts)
    assert together["holder_dump_top1_bps"].value == apart["holder_dump_top5_bps"].value
    assert together["holders_effective"].value == 1


def test_creator_has_given_tokens_away_then_his_side_sells_them_too() -> None:
    gift = SuppliedHolder(address=address(50), balance_raw=SUPPLY // 4, tx_hash="0x01")
    given_facts = subject(holders=((address(50), SUPPLY // 4),), supplied=(gift,))
    found: dict[str, Any] = {item.code: item for item in holders.estimates(given_facts)}
    assert found["deployer_cluster_holding_bps"].value == 2_600
    assert found["deployer_cluster_holders"].value == 1
    assert found["deployer_cluster_dump_drop_bps"].value > found["creator_dump_drop_bps"].value


def test_holders_or_pool_unread_then_unknown_with_reason() -> None:
    found = figures(holders=None, missing={"holders": "more than 5000 events"})
    assert {item.reason_unknown for item in found.values()} == {"more than 5000 events"}
    assert figures(reserves=None)["holder_dump_top1_bps"].value is None
    assert figures(reserves=reserves(base=0))["holder_cash_top5_bps"].reason_unknown == "the pool is empty"
    assert figures(quote_price_usd_micros=None)["holder_cash_top10_usd"].value is None


def test_nobody_holds_then_nothing_hangs_over_and_concentration_is_unknown() -> None:
    found = figures(holders=())
    assert found["holder_dump_top1_bps"].value == 0
    assert found["holders_hhi_bps"].value is None


@given(base=RESERVES, quote=RESERVES, sold=st.integers(0, 2**256 - 1), fee=st.integers(0, 9_999))
def test_any_sale_then_the_cash_is_the_exact_one_rounded_up(
    base: int, quote: int, sold: int, fee: int
) -> None:
    paid = Fraction(sold * (10_000 - fee), 10_000)
    taken = cash_taken_raw(base_raw=base, quote_raw=quote, fee_bps=fee, sold_raw=sold)
    assert taken == ceil(quote * paid / (base + paid))
    assert taken <= quote


@given(balances=BALANCES)
def test_any_balances_then_concentration_agrees_with_itself(balances: list[int]) -> None:
    ordered = sorted((raw for raw in balances if raw), reverse=True)
    found = concentration(ordered)
    if not ordered:
        assert found is None
        return
    assert found is not None
    assert 1 <= found.nakamoto <= len(ordered)
    assert 0 < found.hhi_bps <= 10_000
    assert 1 <= found.effective <= len(ordered)
    assert 2 * sum(ordered[: found.nakamoto]) > sum(ordered) >= 2 * sum(ordered[: found.nakamoto - 1])


@given(balances=BALANCES, insiders=st.sets(st.integers(0, 29)))
def test_any_holders_of_one_side_then_merging_keeps_the_sum_and_never_hides_a_holder(
    balances: list[int], insiders: set[int]
) -> None:
    held = [(address(n), raw) for n, raw in enumerate(balances) if raw]
    together = merged(held, insiders=frozenset(address(n) for n in insiders))
    assert sum(together) == sum(raw for _, raw in held)
    assert max(together, default=0) >= max((raw for _, raw in held), default=0)
    assert list(together) == sorted(together, reverse=True)
