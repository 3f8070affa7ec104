from __future__ import annotations

import time
from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from apps.discovery import selectors
from apps.discovery.models import Pair, PoolSnapshot, PoolTrade
from apps.discovery.services.listings import listings_register, pairs_withdraw
from apps.discovery.services.pools import ActivityReport, activity_prune, activity_store
from apps.domain.market import PoolReserves, PoolSwap
from tests.discovery.fakes import (
    CHAIN,
    CREATOR,
    DEXES,
    PROFILE,
    STABLE,
    FakeReader,
    block,
    chain_row,
    event,
    reserves,
    swap,
)

pytestmark = pytest.mark.django_db
ETHER = 10**18
DOLLARS_2000 = 2_000_000_000


@pytest.fixture(autouse=True)
def _chain() -> None:
    chain_row()
    listings_register(
        events=[event(1), event(2, token1=STABLE)], reader=FakeReader(), chain=PROFILE, dexes=DEXES
    )


def _store(
    *updates: PoolReserves, swaps: tuple[PoolSwap, ...] = (), price: int | None = DOLLARS_2000
) -> ActivityReport:
    return activity_store(chain_key=CHAIN, reserves=updates, swaps=swaps, quote_price_usd_micros=price)


def _pair(number: int = 1) -> Pair:
    return Pair.objects.select_related("base", "quote").get(pool_address=event(number).pool_address)


def test_store_when_block_changes_a_pool_twice_then_its_last_state_stands() -> None:
    report = _store(
        reserves(1, base=10, quote=20, at=block(5)),
        reserves(1, base=9, quote=23, at=block(5)),
        swaps=(swap(1, at=block(5)), swap(1, at=block(5), log_index=1, side="sell")),
    )
    assert report == ActivityReport(pairs=1, snapshots=1, trades=2, unknown_pairs=0)
    pair = _pair()
    assert (pair.reserve_base_raw, pair.reserve_quote_raw, pair.reserve_block_number) == (9, 23, 5)
    assert pair.peak_quote_raw == 23
    assert [trade.side for trade in selectors.pool_trades(pair=pair)] == ["sell", "buy"]


def test_store_when_stored_twice_then_nothing_changes() -> None:
    for _ in range(2):
        _store(reserves(1, base=10, quote=20, at=block(5)), swaps=(swap(1, at=block(5)),))
    assert (PoolSnapshot.objects.count(), PoolTrade.objects.count()) == (1, 1)


def test_store_when_older_block_comes_late_then_newest_reserves_stay_and_peak_rises() -> None:
    _store(reserves(1, base=10, quote=20, at=block(9)))
    assert _store(reserves(1, base=1, quote=500, at=block(8))).pairs == 0
    pair = _pair()
    assert (pair.reserve_quote_raw, pair.reserve_block_number, pair.peak_quote_raw) == (20, 9, 500)


def test_store_when_pools_have_other_quotes_then_each_has_its_price() -> None:
    _store(reserves(1, base=1, quote=2, at=block(5)), reserves(2, base=1, quote=2, at=block(5)))
    by_pair = dict(PoolSnapshot.objects.values_list("pair_id", "quote_price_usd_micros"))
    assert by_pair == {_pair(1).pk: DOLLARS_2000, _pair(2).pk: 1_000_000}


def test_store_when_pool_is_unknown_then_counted() -> None:
    assert _store(reserves(77, base=1, quote=2, at=block(5))).unknown_pairs == 1
    assert not PoolSnapshot.objects.exists()


def test_store_when_reserves_are_as_large_as_they_get_then_exact() -> None:
    _store(reserves(1, base=2**112 - 1, quote=2**112 - 1, at=block(5)))
    assert _pair().reserve_base_raw == 2**112 - 1


def test_store_when_100_pools_change_in_a_block_then_quick() -> None:
    numbers = range(10, 110)
    listings_register(
        events=[event(number) for number in numbers], reader=FakeReader(), chain=PROFILE, dexes=DEXES
    )
    started = time.perf_counter()
    _store(
        *[reserves(number, base=ETHER, quote=ETHER, at=block(5)) for number in numbers],
        swaps=tuple(swap(number, at=block(5)) for number in numbers),
    )
    print(f"100 pools stored in {(time.perf_counter() - started) * 1000:.1f} ms")
    assert PoolTrade.objects.count() == 100


def test_withdraw_when_blocks_are_gone_then_reserves_fall_back_to_what_stands() -> None:
    _store(reserves(1, base=10, quote=20, at=block(101)), reserves(2, base=3, quote=4, at=block(103)))
    _store(reserves(1, base=5, quote=40, at=block(103)), swaps=(swap(1, at=block(103)),))
    pairs_withdraw(chain_key=CHAIN, above_block=102)
    first, second = _pair(1), _pair(2)
    assert (first.reserve_quote_raw, first.reserve_block_number) == (20, 101)
    assert (second.reserve_quote_raw, second.reserve_block_number) == (None, None)
    assert not PoolTrade.objects.exists()


def test_series_when_priced_then_whole_token_prices_in_block_order() -> None:
    _store(
        reserves(1, base=4 * ETHER, quote=ETHER, at=block(5)),
        reserves(1, base=2 * ETHER, quote=2 * ETHER, at=block(6)),
        reserves(1, base=0, quote=0, at=block(7)),
    )
    first, second, empty = selectors.price_series(pair=_pair())
    assert (first.price_quote, first.price_usd) == (Decimal("0.25"), Decimal(500))
    assert first.liquidity_usd_micros == 2 * DOLLARS_2000
    assert second.price_usd == Decimal(2000)
    assert (empty.price_quote, empty.price_usd) == (None, None)
    assert selectors.price_series(pair=_pair(), limit=1)[0].block_number == 7


def test_series_when_no_price_is_known_then_usd_is_unknown_not_zero() -> None:
    _store(reserves(1, base=4 * ETHER, quote=ETHER, at=block(5)), price=None)
    (point,) = selectors.price_series(pair=_pair())
    assert point.price_quote == Decimal("0.25")
    assert (point.price_usd, point.liquidity_usd_micros) == (None, None)


def test_prune_when_old_then_deleted_up_to_the_limit() -> None:
    for number in range(5, 9):
        _store(reserves(1, base=1, quote=1, at=block(number)))
    before = timezone.now() + timedelta(days=10_000)
    assert activity_prune(before=before, rows_max=3) == 3
    assert [snapshot.block_number for snapshot in PoolSnapshot.objects.all()] == [8]


# -- deployers ----------------------------------------------------------------------------
def _history(number: int) -> tuple[int, int, int, int] | None:
    pair = _pair(number)
    found = selectors.deployer_history(chain_key=CHAIN, creator=CREATOR, before_pair_id=pair.pk)
    return None if found is None else (found.tokens, found.dead, found.alive, found.unknown)


def test_history_when_earlier_tokens_ended_differently_then_counted_apart() -> None:
    numbers = (11, 12, 13, 14, 15, 16)
    listings_register(
        events=[event(number) for number in numbers], reader=FakeReader(), chain=PROFILE, dexes=DEXES
    )
    _store(*[reserves(number, base=ETHER, quote=10 * ETHER, at=block(5)) for number in (1, 2, 11, 12)])
    _store(reserves(11, base=ETHER, quote=ETHER - 1, at=block(6)))  # drained
    _store(reserves(13, base=ETHER, quote=ETHER // 20, at=block(6)))  # 200 dollars on both sides
    # Number 2 is quoted in dollars and holds; 14 was never seen.
    assert _history(15) == (6, 2, 3, 1)
    assert _history(11) == (2, 0, 2, 0)


def test_history_when_token_has_another_pool_then_own_token_is_left_out() -> None:
    listings_register(
        events=[event(21, token0=event(1).token0)], reader=FakeReader(), chain=PROFILE, dexes=DEXES
    )
    assert _history(21) == (1, 0, 0, 1)


def test_history_when_creator_is_unknown_then_none() -> None:
    assert selectors.deployer_history(chain_key=CHAIN, creator="", before_pair_id=1) is None


def test_detail_when_pair_exists_then_everything_its_page_shows() -> None:
    _store(reserves(1, base=4 * ETHER, quote=ETHER, at=block(5)))
    detail = selectors.pair_detail(pair_id=_pair().pk)
    assert detail is not None
    assert detail.latest is not None
    assert detail.latest.price_usd == Decimal(500)
    assert detail.history is not None
    assert selectors.pair_detail(pair_id=10**9) is None
    assert [pair.pk for pair in selectors.pairs_recent(limit=1)] == [_pair(2).pk]


def test_refusals_when_pairs_were_set_aside_then_counted_by_reason() -> None:
    since = timezone.now() - timedelta(hours=1)
    listings_register(
        events=[event(number, token1=event(99).token0) for number in (31, 32)],
        reader=FakeReader(),
        chain=PROFILE,
        dexes=DEXES,
    )
    (refusal,) = selectors.refusals(since=since)
    assert (refusal.code, refusal.count) == ("QUOTE_UNKNOWN", 2)
    assert selectors.pairs_seen(since=since) == 4
