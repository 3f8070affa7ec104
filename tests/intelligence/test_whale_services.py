"""People of a pair as read and kept, and alerts once a crossing."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from itertools import combinations
from typing import Any, cast

import pytest
from django.utils import timezone

from apps.discovery.models import Pair, PoolTrade
from apps.discovery.services.listings import listing_of
from apps.domain.config import Whales
from apps.domain.entities import FirstCoins, FundingLink, TokenMove
from apps.domain.estimate import Estimate, known, unknown
from apps.domain.events import EventKind
from apps.domain.market import BlockRef, Listing, PairFacts, PoolSwap
from apps.intelligence.models import EntityRecord, WalletRecord, WhaleAlert
from apps.intelligence.services import entities as service
from apps.intelligence.services.wallets import wallets_count
from apps.intelligence.services.whales import whale_alerts, whale_estimates
from apps.state.models import Event
from tests.factories import DexDeploymentFactory, PairFactory, PoolTradeFactory, address_for, hash_for
from tests.intelligence.subjects import FACTS, PAIR_KEY, SUPPLY

pytestmark = pytest.mark.django_db

AT_MS = FACTS.block.at_ms
PARTS = ("swaps", "moves", "holders", "reserves", "base_total_supply_raw")


@pytest.fixture
def pair() -> Pair:
    pair = cast(Pair, PairFactory())
    DexDeploymentFactory(chain__key=pair.chain_key)
    return pair


def swap(trader: str, *, block: int, side: Any = "buy", quote: int = 10**18) -> PoolSwap:
    return PoolSwap(
        pair_key=PAIR_KEY,
        side=side,
        base_raw=SUPPLY // 1_000,
        quote_raw=quote,
        trader=trader,
        tx_hash=hash_for(f"{trader}{block}{side}"),
        log_index=0,
        block=BlockRef(block, "0x", AT_MS - (1_000 - block) * 1_000),
    )


def link(source: str, target: str) -> FundingLink:
    return FundingLink(
        source=source.lower(),
        target=target.lower(),
        at_ms=AT_MS - 9_000_000,
        amount_raw=10**17,
        block=1,
        tx_hash=hash_for(source + target),
    )


def gift(source: str, target: str) -> TokenMove:
    return TokenMove(
        at_ms=AT_MS - 60_000,
        block=50,
        tx_hash=hash_for(target),
        log_index=1,
        source=source.lower(),
        target=target.lower(),
        base_raw=SUPPLY // 50,
    )


A, B, MAKER, PAYER = (address_for(name) for name in ("a", "b", "maker", "payer"))


def facts_of(**changes: Any) -> PairFacts:
    swaps = tuple(swap(address_for(f"r{number}"), block=100 + number) for number in range(8))
    return replace(
        FACTS,
        swaps=swaps,
        moves=(gift(MAKER, A), gift(MAKER, B)),
        holders=((A, SUPPLY // 50), (B, SUPPLY // 50)),
        missing={},
        **changes,
    )


def test_people_when_first_coins_are_kept_then_two_reasons_join_them(pair: Pair) -> None:
    listing, facts = listing_of(pair), facts_of()
    before = service.people_read(listing=listing, facts=facts, pair_id=pair.pk)
    assert not before.entities.merged
    assert not before.is_funding_known
    now = timezone.now()
    due = service.funding_due(listing=listing, facts=facts, pair_id=pair.pk, now=now)
    assert {A.lower(), B.lower()} <= set(due)
    found = FirstCoins(
        links=(link(PAYER, A), link(PAYER, B)),
        unknown={address: "no traces" for address in due if address not in (A.lower(), B.lower())},
    )
    assert service.funding_store(chain_key=pair.chain_key, found=found, now=now) == 2
    assert service.funding_due(listing=listing, facts=facts, pair_id=pair.pk, now=now) == ()
    later = now + timedelta(hours=1)
    again = service.funding_due(listing=listing, facts=facts, pair_id=pair.pk, now=later)
    assert set(again) == set(found.unknown)
    people = service.people_read(listing=listing, facts=facts, pair_id=pair.pk)
    assert [entity.members for entity in people.entities.merged] == [tuple(sorted((A.lower(), B.lower())))]


def test_entities_when_kept_then_read_back_alike_and_replaced_at_the_next_look(pair: Pair) -> None:
    listing, facts = listing_of(pair), facts_of()
    service.funding_store(
        chain_key=pair.chain_key,
        found=FirstCoins(links=(link(PAYER, A), link(PAYER, B)), unknown={}),
        now=timezone.now(),
    )
    people = service.people_read(listing=listing, facts=facts, pair_id=pair.pk)
    for _ in range(2):
        service.entities_store(listing=listing, pair_id=pair.pk, block_number=9, entities=people.entities)
    stored = service.entities_stored(pair_id=pair.pk)
    assert stored.merged == people.entities.merged
    assert set(stored.suspected) == set(people.entities.suspected)
    assert EntityRecord.objects.filter(is_merged=True).count() == 1
    assert service.entities_prune(now=timezone.now() + timedelta(days=30)) > 0
    assert service.entities_stored(pair_id=pair.pk).merged == ()


def test_acting_together_when_kept_of_another_pair_then_counts_here(pair: Pair) -> None:
    names = [address_for(f"p{number}") for number in range(5)]
    acts = (
        swap(address_for("first"), block=90),
        *(swap(name, block=100) for name in names),
        *(swap(address_for(f"r{number}"), block=110 + number) for number in range(40)),
        *(swap(name, block=300, side="sell") for name in names),
    )
    facts = replace(facts_of(), swaps=acts)
    for other in [PairFactory(chain_key=pair.chain_key)]:
        people = service.people_read(listing=listing_of(other), facts=facts, pair_id=other.pk)
        assert not people.entities.merged
        service.entities_store(
            listing=listing_of(other), pair_id=other.pk, block_number=9, entities=people.entities
        )
    found = service.people_read(listing=listing_of(pair), facts=facts, pair_id=pair.pk).entities
    assert [entity.members for entity in found.merged] == [tuple(sorted(name.lower() for name in names))]


def test_trades_when_the_chain_gives_none_then_our_record_serves_and_is_not_whole(pair: Pair) -> None:
    PoolTradeFactory.create_batch(3, pair=pair)
    people = service.people_read(listing=listing_of(pair), facts=replace(FACTS, swaps=None), pair_id=pair.pk)
    assert people.trades is not None
    assert len(people.trades) == 3
    assert not people.is_whole
    empty = service.people_read(listing=listing_of(pair), facts=replace(FACTS, swaps=None), pair_id=None)
    assert empty.trades is None


def test_estimates_when_asked_then_few_queries(pair: Pair, django_assert_max_num_queries: Any) -> None:
    listing, facts = listing_of(pair), facts_of()
    with django_assert_max_num_queries(7):
        told = whale_estimates(listing=listing, facts=facts, pair_id=pair.pk, now_ms=AT_MS)
    codes = {item.code for item in told}
    assert {"whale_distribution_bps", "hidden_concentration_bps", "bundle_share_bps"} <= codes


@pytest.mark.parametrize("gone", [set(parts) for size in range(6) for parts in combinations(PARTS, size)])
def test_estimates_when_any_parts_are_missing_then_nothing_raises_or_is_invented(
    pair: Pair, gone: set[str]
) -> None:
    changes: dict[str, Any] = dict.fromkeys(gone)
    facts = replace(facts_of(), **changes, missing=dict.fromkeys(gone, "not read"))
    told = whale_estimates(listing=listing_of(pair), facts=facts, pair_id=pair.pk, now_ms=AT_MS)
    assert len({item.code for item in told}) == len(told) == 16
    for item in told:
        assert item.is_known or (item.reason_unknown and item.confidence == 0)
    by_code = {item.code: item for item in told}
    if "swaps" in gone:
        assert not any(by_code[code].is_known for code in ("sniper_share_bps", "sybil_share_bps"))
    if "holders" in gone:
        assert not any(by_code[code].is_known for code in ("whale_distribution_bps", "entities_hhi_bps"))
    if "base_total_supply_raw" in gone:
        assert not by_code["hidden_concentration_bps"].is_known


def test_estimates_when_nothing_was_read_then_all_is_unknown_with_reasons(pair: Pair) -> None:
    facts = replace(
        FACTS, swaps=None, moves=None, holders=None, reserves=None, missing={"swaps": "more than 2000 events"}
    )
    told = whale_estimates(listing=listing_of(pair), facts=facts, pair_id=None, now_ms=AT_MS)
    assert told
    assert not any(item.is_known for item in told)
    assert "more than 2000 events" in {item.reason_unknown for item in told}


def test_wallets_when_counted_then_only_long_records_are_kept_and_serve_the_pair(pair: Pair) -> None:
    good, poor = address_for("good"), address_for("poor")
    pairs = PairFactory.create_batch(20, chain_key=pair.chain_key)
    for number, other in enumerate(pairs):
        trades: list[tuple[str, str, int]] = [(good, "buy", 100), (good, "sell", 150 if number < 15 else 50)]
        if number < 5:
            trades += [(poor, "buy", 100), (poor, "sell", 50)]
        for trader, side, quote in trades:
            PoolTradeFactory(pair=other, trader=trader, side=side, base_raw=10**18, quote_raw=quote)
    now = timezone.now()
    assert wallets_count(chain_key=pair.chain_key, now=now) == 1
    record = WalletRecord.objects.get()
    assert [record.address, record.gains, record.closed] == [good.lower(), 15, 20]
    assert 6_000 < record.quality_bps < 7_500  # drawn towards everybody's 60 %
    for number in range(2):
        WalletRecord.objects.create(
            chain_key=pair.chain_key,
            address=address_for(f"other {number}").lower(),
            gains=10,
            closed=20,
            quality_bps=5_000,
            counted_at=now,
        )
    swaps = tuple(
        swap(trader, block=100 + place)
        for place, trader in enumerate((good, address_for("other 0"), address_for("other 1"), poor))
    )
    listing = listing_of(pair)
    facts = replace(facts_of(), swaps=swaps)
    told = {
        item.code: item
        for item in whale_estimates(listing=listing, facts=facts, pair_id=pair.pk, now_ms=AT_MS)
    }
    assert told["buyer_quality_bps"].n == 3
    fewer = replace(facts, swaps=swaps[:2])
    again = whale_estimates(listing=listing, facts=fewer, pair_id=pair.pk, now_ms=AT_MS)
    assert next(item for item in again if item.code == "buyer_quality_bps").value is None
    PoolTrade.objects.all().delete()
    assert wallets_count(chain_key=pair.chain_key, now=now + timedelta(hours=1)) == 0


# -- alerts -------------------------------------------------------------------------------
def told(code: str, value: int, **bounds: int) -> Estimate:
    return known(
        code, value, unit="bps", source="events", as_of_ms=AT_MS, confidence=Decimal("0.9"), n=7, **bounds
    )


def alerted(pair: Pair, *estimates: Estimate, config: Whales | None = None) -> int:
    listing: Listing = listing_of(pair)
    return whale_alerts(listing=listing, pair_id=pair.pk, estimates=estimates, config=config or Whales())


def test_alert_when_a_threshold_is_crossed_then_once_with_trace_and_sentence(pair: Pair) -> None:
    assert alerted(pair, told("whale_distribution_bps", 2_499)) == 0
    assert alerted(pair, told("whale_distribution_bps", 3_210)) == 1
    assert alerted(pair, told("whale_distribution_bps", 4_000)) == 0
    event = Event.objects.get(kind=EventKind.WHALE_ACTIVITY_ALERT.value)
    assert event.trace_id == listing_of(pair).trace_id
    assert "have sold 32.1 % of what they held" in event.summary
    assert "confidence 90 %" in event.summary
    assert event.payload["threshold_bps"] == 2_500


def test_alert_when_the_figure_wobbles_then_no_second_one_until_it_has_really_fallen(pair: Pair) -> None:
    for value in (3_000, 2_400, 3_000):
        alerted(pair, told("whale_distribution_bps", value))
    assert WhaleAlert.objects.get().crossings == 1
    for value in (1_000, 3_000):
        alerted(pair, told("whale_distribution_bps", value))
    assert WhaleAlert.objects.get().crossings == 2
    assert Event.objects.filter(kind=EventKind.WHALE_ACTIVITY_ALERT.value).count() == 2


def test_alert_when_a_figure_becomes_unknown_then_nothing_changes(pair: Pair) -> None:
    alerted(pair, told("sybil_share_bps", 9_000))
    lost = unknown("sybil_share_bps", "no swaps", unit="bps", source="events", as_of_ms=AT_MS)
    assert alerted(pair, lost) == 0
    assert alerted(pair, told("sybil_share_bps", 9_000)) == 0


def test_alert_when_accumulation_is_unsure_then_none_else_the_direction_is_named(pair: Pair) -> None:
    assert alerted(pair, told("whale_accumulation_1h_bps", -7_000, low=-9_900, high=500)) == 0
    assert alerted(pair, told("whale_accumulation_1h_bps", -7_000, low=-9_900, high=-500)) == 1
    assert "sales exceed purchases by 70.0 %" in Event.objects.get(kind="whale_activity_alert").summary


def test_alert_when_switched_off_then_none(pair: Pair) -> None:
    assert alerted(pair, told("sybil_share_bps", 9_000), config=Whales(alerts=False)) == 0
