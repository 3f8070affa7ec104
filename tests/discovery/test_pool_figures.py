from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from apps.discovery.logic.bucket import TokenBucket
from apps.discovery.logic.drained import PoolHealth, pool_health, token_health
from apps.discovery.logic.prices import pool_liquidity_usd_micros, pool_price, price_in_usd
from apps.discovery.logic.recheck import is_absence_proof, is_recheck_due
from apps.discovery.logic.sample import printable_sample

ETHER = 10**18


def _health(quote: int | None, peak: int | None, price: int | None = None) -> PoolHealth:
    return pool_health(quote_raw=quote, peak_quote_raw=peak, quote_decimals=18, quote_price_usd_micros=price)


def test_health_when_reserve_fell_under_a_tenth_of_peak_then_dead() -> None:
    assert _health(ETHER - 1, 10 * ETHER) is PoolHealth.DEAD
    assert _health(ETHER, 10 * ETHER) is PoolHealth.ALIVE
    assert _health(0, 10 * ETHER) is PoolHealth.DEAD


def test_health_when_worth_300_dollars_or_less_then_dead() -> None:
    assert _health(ETHER, ETHER, 150_000_000) is PoolHealth.DEAD
    assert _health(ETHER, ETHER, 150_000_001) is PoolHealth.ALIVE
    assert _health(ETHER, ETHER, None) is PoolHealth.ALIVE


def test_health_when_never_read_or_funded_then_unknown() -> None:
    assert _health(None, None) is PoolHealth.UNKNOWN
    assert _health(0, 0) is PoolHealth.UNKNOWN
    assert _health(5, None) is PoolHealth.UNKNOWN


def test_token_health_when_pools_differ_then_alive_beats_unknown_beats_dead() -> None:
    alive, dead, unknown = PoolHealth.ALIVE, PoolHealth.DEAD, PoolHealth.UNKNOWN
    assert token_health((dead, alive, unknown)) is alive
    assert token_health((dead, unknown)) is unknown
    assert token_health((dead, dead)) is dead
    assert token_health(()) is unknown


def test_price_when_decimals_differ_then_in_whole_tokens() -> None:
    price = pool_price(base_raw=4 * 10**9, quote_raw=10**18, base_decimals=9, quote_decimals=18)
    assert price == Decimal("0.25")
    assert price_in_usd(price, 2_000_000_000) == Decimal(500)


def test_price_when_pool_is_empty_then_unknown() -> None:
    assert pool_price(base_raw=0, quote_raw=5, base_decimals=18, quote_decimals=18) is None
    assert price_in_usd(None, 5) is None
    assert price_in_usd(Decimal(1), None) is None


def test_liquidity_when_priced_then_both_sides_count() -> None:
    value = pool_liquidity_usd_micros(
        quote_raw=ETHER, quote_decimals=18, quote_price_usd_micros=2_000_000_000
    )
    assert value == 4_000_000_000
    assert pool_liquidity_usd_micros(quote_raw=1, quote_decimals=18, quote_price_usd_micros=None) is None


@given(base=st.integers(1, 2**112), quote=st.integers(1, 2**112), decimals=st.integers(0, 77))
def test_price_when_any_reserves_then_positive_and_within_18_digits(
    base: int, quote: int, decimals: int
) -> None:
    price = pool_price(base_raw=base, quote_raw=quote, base_decimals=decimals, quote_decimals=18)
    assert price is not None
    assert price > 0
    assert len(price.as_tuple().digits) <= 18


def test_bucket_when_empty_then_refills_with_time() -> None:
    bucket = TokenBucket(per_min=60, burst=2)
    assert [bucket.take(0.0) for _ in range(3)] == [True, True, False]
    assert bucket.take(1.0)
    assert not bucket.take(1.5)
    assert [bucket.take(100.0) for _ in range(3)] == [True, True, False]


@given(gaps=st.lists(st.floats(0, 30, allow_nan=False), max_size=100))
def test_bucket_when_asked_at_any_pace_then_never_above_its_rate(gaps: list[float]) -> None:
    bucket, now, taken = TokenBucket(per_min=30, burst=5), 0.0, 0
    for gap in gaps:
        now += gap
        taken += bucket.take(now)
    assert taken <= 5 + now * 30 / 60 + 1e-6


def test_recheck_when_asked_again_then_waits_double_each_time() -> None:
    assert is_recheck_due(first_seen_ms=0, checked_ms=0, now_ms=0)
    assert not is_recheck_due(first_seen_ms=0, checked_ms=10_000, now_ms=19_999)
    assert is_recheck_due(first_seen_ms=0, checked_ms=10_000, now_ms=20_000)
    assert not is_absence_proof(first_seen_ms=0, now_ms=59_999)
    assert is_absence_proof(first_seen_ms=0, now_ms=60_000)


@given(st.text(max_size=300))
def test_sample_when_any_text_then_printable_and_bounded(text: str) -> None:
    shown = printable_sample(text, length_max=50)
    assert shown.isprintable()
    assert len(shown) <= 50


def test_sample_when_direction_is_overridden_then_escaped() -> None:
    assert printable_sample("a\u202eb\x00") == "a\\u202eb\\x00"
