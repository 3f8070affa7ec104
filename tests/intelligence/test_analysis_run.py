"""Analyses in the database."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from django.utils import timezone

from apps.domain.errors import ConfigurationError
from apps.domain.market import DeployerHistory, Listing
from apps.domain.money import Token
from apps.intelligence.models import AnalysisRecord, FundingLinkRecord
from apps.intelligence.selectors import analysis_latest, estimates_of
from apps.intelligence.services.analysis import StoredAnalysis, analysis_run
from apps.state.models import Event
from tests import factories
from tests.intelligence.subjects import BARE, CREATOR, FACTS, LISTING, NO_HISTORY, NOW_MS, SUPPLY, address

pytestmark = pytest.mark.django_db


def listing_on(chain_key: str) -> Listing:
    row: Any = factories.ChainFactory()
    assert row.key == chain_key
    return replace(LISTING, quote=Token(LISTING.base.chain_key, row.wrapped_native_address, "WETH", 18))


def run(listing: Listing, pair_id: int, **changes: object) -> StoredAnalysis:
    history: DeployerHistory | None = NO_HISTORY
    facts = replace(FACTS, **changes)  # type: ignore[arg-type]
    return analysis_run(
        listing=listing, pair_id=pair_id, facts=facts, history=history, now_ms=NOW_MS, facts_duration_ms=17
    )


def test_analysis_is_run_then_row_and_event_stand_and_read_back_the_same() -> None:
    listing, pair = listing_on(LISTING.base.chain_key), factories.PairFactory()
    stored = run(listing, pair.pk)
    record = AnalysisRecord.objects.get()
    assert (record.pk, record.pair_id, record.trace_id) == (stored.record_id, pair.pk, listing.trace_id)
    assert (record.block_number, record.facts_duration_ms) == (FACTS.block.number, 17)
    assert estimates_of(record) == stored.analysis.estimates
    assert analysis_latest(pair_id=pair.pk) == record
    event = Event.objects.get()
    assert (event.kind, event.subject, event.trace_id) == (
        "new_pair_analysis",
        f"pair:{pair.pk}",
        listing.trace_id,
    )
    # Nobody has looked up who paid for the launch; that comes later and is never waited for.
    assert all(code.startswith("deployer_cluster_") for code in event.payload["unknown"])
    assert "Not known: " in event.payload["insight"] or "For it: " in event.payload["insight"]


def test_lockers_and_our_wallets_then_they_are_left_out() -> None:
    listing, pair = listing_on(LISTING.base.chain_key), factories.PairFactory()
    chain = factories.ChainFactory()
    locker: Any = factories.LockerFactory(chain=chain)
    wallet: Any = factories.WalletFactory()
    assert FACTS.swaps is not None
    ours = replace(FACTS.swaps[0], trader=wallet.address.lower())
    stored = run(
        listing, pair.pk, holders=((locker.address, SUPPLY // 2), (address(9), SUPPLY // 10)), swaps=(ours,)
    )
    by_code = {item.code: item.value for item in stored.analysis.estimates}
    assert by_code["holders_top10_bps"] == 1_000
    assert by_code["buyers_count"] == 0
    assert by_code["quote_is_native"] == 1


def test_nothing_could_be_read_then_it_is_stored_all_the_same() -> None:
    listing, pair = listing_on(LISTING.base.chain_key), factories.PairFactory()
    stored = run(listing, pair.pk, **BARE)
    assert estimates_of(AnalysisRecord.objects.get()) == stored.analysis.estimates


def test_chain_is_not_configured_then_a_clear_error_and_no_row() -> None:
    pair = factories.PairFactory()
    with pytest.raises(ConfigurationError):
        run(LISTING, pair.pk)
    assert not AnalysisRecord.objects.exists()


def test_creator_paid_for_a_holders_first_step_then_that_holder_is_on_his_side() -> None:
    listing, pair = listing_on(LISTING.base.chain_key), factories.PairFactory()
    figures = {item.code: item.value for item in run(listing, pair.pk).analysis.estimates}
    assert figures["deployer_cluster_holders"] == 0
    for number, is_hub in ((1_000, False), (1_001, True)):
        FundingLinkRecord.objects.create(
            chain_key=LISTING.base.chain_key,
            target=address(number),
            source=CREATOR,
            is_hub=is_hub,
            looked_at=timezone.now(),
        )
    after = {item.code: item.value for item in run(listing, pair.pk).analysis.estimates}
    assert after["deployer_cluster_holders"] == 1
    assert after["deployer_cluster_holding_bps"] == 200
