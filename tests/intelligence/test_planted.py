"""Planted rings keep to what wallets can do, and are the same for the same seed."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.domain.entities import Trade
from apps.intelligence.measuring.planted import RING_KINDS, Planted, RingKind, plant

_COIN = 10**18


def history(count: int = 60) -> tuple[Trade, ...]:
    return tuple(
        Trade(
            at_ms=1_600_000_000_000 + number * 26_400,
            block=1_000 + 2 * number,
            tx_hash=f"0x{number:064x}",
            log_index=number % 7,
            address=f"0x{number % 40:040x}",
            side="sell" if number % 3 == 2 else "buy",
            base_raw=(1_000 + 13 * number) * _COIN,
            quote_raw=(100 + number) * _COIN // 100,
        )
        for number in range(count)
    )


def planted(kind: RingKind, *, seed: str = "1", is_funded_from_one: bool = True) -> Planted:
    found = plant(history(), kind=kind, is_funded_from_one=is_funded_from_one, seed=seed)
    assert found is not None
    return found


@pytest.mark.parametrize("kind", RING_KINDS)
@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_ring_of_any_seed_then_wallets_sell_only_what_they_hold(kind: RingKind, seed: int) -> None:
    found = planted(kind, seed=str(seed))
    held: Counter[str] = Counter()
    steps = [(trade.block, 1 if trade.side == "sell" else 0, trade) for trade in found.trades]
    acts = sorted(
        [(block, late, trade.address, trade.base_raw * (1, -1)[late]) for block, late, trade in steps]
        + [(move.block, 0, move.target, move.base_raw) for move in found.moves]
        + [(move.block, 0, move.source, -move.base_raw) for move in found.moves],
    )
    for _, _, address, change in acts:
        if address in found.wallets:
            held[address] += change
    assert min(held.values(), default=0) >= 0


@pytest.mark.parametrize("kind", RING_KINDS)
def test_ring_then_real_swaps_all_stay(kind: RingKind) -> None:
    found = planted(kind)
    kept = [trade for trade in found.trades if (trade.tx_hash, trade.log_index) not in found.ring_trades]
    assert sorted(kept, key=lambda trade: trade.block) == list(history())
    assert len(found.trades) == len(kept) + len(found.ring_trades)
    assert {trade.side for trade in found.trades if trade.address in found.wallets} == {"buy", "sell"}


def test_same_seed_then_same_ring() -> None:
    assert planted("matched_jitter", seed="a") == planted("matched_jitter", seed="a")
    assert planted("matched_jitter", seed="a") != planted("matched_jitter", seed="b")


def test_ring_funded_from_one_then_its_known_coins_have_one_source() -> None:
    one = planted("rotating", is_funded_from_one=True)
    apart = planted("rotating", is_funded_from_one=False)
    assert len({link.source for link in one.funding if link.target in one.wallets}) == 1
    assert len({link.source for link in apart.funding if link.target in apart.wallets}) > 1


def test_short_history_then_no_ring() -> None:
    assert plant(history(10), kind="slow", is_funded_from_one=False, seed="1") is None
