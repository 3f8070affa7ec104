"""Concert joins its parts, says unknown rather than nothing, and names what shows it."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.domain.entities import Entities, Entity, Trade
from apps.domain.estimate import Estimate, known
from apps.domain.market import BlockRef, Listing, PoolSwap
from apps.domain.money import Token
from apps.intelligence.logic.coordination import Concert, concert, sentence
from apps.intelligence.logic.crowd import Crowd
from apps.intelligence.logic.pumps import pump_report
from apps.intelligence.logic.wash import wash_report
from apps.intelligence.services.coordination import concert_alert, concert_read, coordination_estimates
from apps.state.models import Event
from tests import factories
from tests.intelligence.subjects import BARE, FACTS, LISTING, NOW_MS, address

_COIN = 10**18
CODES = (
    "wash_share_low_bps",
    "wash_share_high_bps",
    "organic_volume_share_bps",
    "price_elasticity_bps",
    "pump_alarm",
    "coordination_bps",
)


def swap(who: int, side: Literal["buy", "sell"], *, at: int, base: int = 1_000, quote: int = 10) -> Trade:
    return Trade(
        at_ms=at * 12_000,
        block=at,
        tx_hash=f"0x{who:x}{at}{side}",
        log_index=0,
        address=address(who),
        side=side,
        base_raw=base * _COIN,
        quote_raw=quote * _COIN,
    )


def strangers(count: int = 40) -> list[Trade]:
    return [swap(1_000 + n, "buy", at=4 * n, base=900 + 31 * n * n) for n in range(count)]


def ring(rounds: int = 12) -> list[Trade]:
    legs: list[Trade] = []
    for n in range(rounds):
        legs += [swap(7, "buy", at=4 * n + 1, base=500 + n), swap(7, "sell", at=4 * n + 3, base=500 + n)]
    return legs


def told(
    trades: list[Trade] | None,
    *,
    entities: Entities | None = None,
    bundle: Estimate | None = None,
    sybil: Estimate | None = None,
) -> Concert:
    entities = entities or Entities()
    ordered = None if trades is None else tuple(sorted(trades, key=lambda trade: trade.block))
    crowd = Crowd(
        as_of_ms=NOW_MS,
        created_ms=0,
        fee_bps=30,
        entities=entities,
        trades=ordered,
        is_funding_known=True,
        reasons={} if trades is not None else {"swaps": "no endpoint answered"},
    )
    return concert(
        crowd,
        wash=wash_report(ordered or (), entities),
        pumps=pump_report(ordered or (), entities),
        bundle=bundle,
        sybil=sybil,
    )


def bps(code: str, value: int) -> Estimate:
    return known(code, value, unit="bps", source="events", as_of_ms=NOW_MS)


def by_code(found: Concert) -> dict[str, Estimate]:
    return {item.code: item for item in found.estimates}


def test_strangers_then_concert_is_unlikely() -> None:
    found = by_code(told(strangers()))
    assert tuple(found) == CODES
    assert found["coordination_bps"].value is not None
    assert found["coordination_bps"].value < 500
    assert found["organic_volume_share_bps"].value == 10_000
    assert found["wash_share_high_bps"].value == 0


def test_ring_then_concert_is_likely_and_names_the_ring() -> None:
    found = told([*strangers(), *ring()])
    estimates = by_code(found)
    likelihood = estimates["coordination_bps"]
    assert likelihood.value is not None
    assert likelihood.low is not None
    assert likelihood.high is not None
    assert likelihood.value > 5_000
    assert likelihood.low <= likelihood.value <= likelihood.high
    assert Decimal(0) < likelihood.confidence < 1
    assert found.parts[0].code == "wash_trading"
    assert found.parts[0].addresses == (address(7),)
    assert len(found.parts[0].transactions) > 0
    low, high = estimates["wash_share_low_bps"].value, estimates["wash_share_high_bps"].value
    assert low is not None
    assert high is not None
    assert 0 < low <= high
    assert "likelihood" in sentence(found, symbol="ABC")
    assert address(7)[:6] in sentence(found, symbol="ABC")


def test_too_few_swaps_then_unknown_and_not_nothing() -> None:
    found = by_code(told(strangers(29)))
    for code in (*CODES[:3], "coordination_bps"):
        assert found[code].value is None
        assert "29 swaps" in found[code].reason_unknown
        assert found[code].confidence == 0


def test_few_traders_then_unknown() -> None:
    trades = [swap(n % 4, "buy", at=n, base=900 + n) for n in range(40)]
    assert "4 traders" in by_code(told(trades))["coordination_bps"].reason_unknown


def test_swaps_unreadable_then_unknown_for_that_reason() -> None:
    found = by_code(told(None))
    assert "no endpoint answered" in found["coordination_bps"].reason_unknown
    assert found["pump_alarm"].reason_unknown == "no endpoint answered"


def test_few_swaps_but_a_large_bundle_then_known_with_little_confidence() -> None:
    likelihood = by_code(told(strangers(10), bundle=bps("bundle_share_bps", 6_000)))["coordination_bps"]
    assert likelihood.value == 8_000
    assert likelihood.high == 10_000
    assert likelihood.confidence < Decimal("0.5")


def test_rush_of_one_person_then_a_part_and_rush_of_strangers_then_none() -> None:
    rush = [swap(n, "buy", at=200, base=1_000 - 60 * n) for n in range(9)]
    members = tuple(sorted(address(n) for n in range(9)))
    group = Entities(merged=(Entity(key=members[0], members=members, reasons=()),))
    assert "rush_of_group" in {part.code for part in told([*strangers(), *rush], entities=group).parts}
    alone = told([*strangers(), *rush])
    assert by_code(alone)["pump_alarm"].value == 1
    assert "rush_of_group" not in {part.code for part in alone.parts}


@given(
    bundle=st.none() | st.integers(0, 10_000),
    sybil=st.none() | st.integers(0, 10_000),
    count=st.integers(0, 45),
    rounds=st.integers(0, 8),
    readable=st.booleans(),
)
def test_any_part_missing_then_nothing_raises_and_nothing_is_invented(
    bundle: int | None, sybil: int | None, count: int, rounds: int, readable: bool
) -> None:
    found = told(
        [*strangers(count), *ring(rounds)] if readable else None,
        bundle=None if bundle is None else bps("bundle_share_bps", bundle),
        sybil=None if sybil is None else bps("sybil_share_bps", sybil),
    )
    assert tuple(item.code for item in found.estimates) == CODES
    for item in found.estimates:
        if item.value is None:
            assert item.reason_unknown
        elif item.unit == "bps" and item.code != "price_elasticity_bps":
            assert item.low is not None
            assert item.high is not None
            assert 0 <= item.low <= item.value <= item.high <= 10_000
    if not readable and not (bundle or 0) and not (sybil or 0):
        assert found.likelihood.value is None


# -- the service --------------------------------------------------------------------------
def _swaps(trades: list[Trade], listing: Listing) -> tuple[PoolSwap, ...]:
    return tuple(
        PoolSwap(
            pair_key=listing.pair_key,
            side=trade.side,
            base_raw=trade.base_raw,
            quote_raw=trade.quote_raw,
            trader=trade.address,
            tx_hash=trade.tx_hash,
            log_index=trade.log_index,
            block=BlockRef(number=trade.block, hash=f"0x{trade.block}", at_ms=trade.at_ms),
        )
        for trade in sorted(trades, key=lambda trade: trade.block)
    )


def _listing() -> Listing:
    row: Any = factories.ChainFactory()
    return replace(LISTING, quote=Token(LISTING.base.chain_key, row.wrapped_native_address, "WETH", 18))


@pytest.mark.django_db
def test_ring_in_a_pair_then_event_once_a_crossing() -> None:
    listing, pair = _listing(), factories.PairFactory()
    facts = replace(FACTS, swaps=_swaps([*strangers(), *ring(30)], listing))
    found = concert_read(listing=listing, facts=facts, pair_id=pair.pk)
    assert found.likelihood.value is not None
    limit = int(found.likelihood.value) - 1
    assert concert_alert(listing=listing, pair_id=pair.pk, found=found, limit_bps=limit)
    assert not concert_alert(listing=listing, pair_id=pair.pk, found=found, limit_bps=limit)
    event = Event.objects.get(kind="coordination_detected")
    assert (event.trace_id, event.subject) == (listing.trace_id, f"pair:{pair.pk}")
    assert listing.base.symbol in event.summary
    [part] = [part for part in event.payload["parts"] if part["code"] == "wash_trading"]
    assert part["addresses"] == [address(7).lower()]
    assert part["transactions"]


@pytest.mark.django_db
def test_likelihood_falls_far_and_rises_again_then_a_second_event() -> None:
    listing, pair = _listing(), factories.PairFactory()
    loud = concert_read(
        listing=listing,
        facts=replace(FACTS, swaps=_swaps([*strangers(), *ring(30)], listing)),
        pair_id=pair.pk,
    )
    calm = concert_read(
        listing=listing, facts=replace(FACTS, swaps=_swaps(strangers(), listing)), pair_id=pair.pk
    )
    for found in (loud, calm, loud, loud):
        concert_alert(listing=listing, pair_id=pair.pk, found=found, limit_bps=3_000)
    assert Event.objects.filter(kind="coordination_detected").count() == 2


@pytest.mark.django_db
def test_arbitrage_over_the_tokens_other_pool_then_no_wash() -> None:
    pair: Any = factories.PairFactory()
    other: Any = factories.PairFactory(base=pair.base)
    listing = _listing()
    for trade in ring():
        factories.PoolTradeFactory(pair=other, tx_hash=trade.tx_hash)
    facts = replace(FACTS, swaps=_swaps([*strangers(), *ring()], listing))
    found = {
        item.code: item
        for item in coordination_estimates(listing=listing, facts=facts, pair_id=pair.pk, now_ms=NOW_MS)
    }
    assert found["wash_share_high_bps"].value == 0


@pytest.mark.django_db
def test_nothing_could_be_read_then_all_unknown() -> None:
    listing, pair = _listing(), factories.PairFactory()
    facts = replace(FACTS, **BARE)
    found = coordination_estimates(listing=listing, facts=facts, pair_id=pair.pk, now_ms=NOW_MS)
    assert all(item.value is None and item.reason_unknown for item in found)
