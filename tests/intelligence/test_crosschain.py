"""The same maker and token on other chains, flows between chains, and one ranking."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from apps.domain.estimate import Estimate
from apps.domain.market import DeployerHistory
from apps.intelligence.logic.crosschain import (
    FLOW_TRADES_MIN,
    HOUR_MS,
    Candidate,
    Flow,
    elsewhere,
    flows_by_hour,
    ranked,
)
from apps.intelligence.services.crosschain import capital_flows, crosschain_estimates, pairs_ranked
from tests import factories
from tests.intelligence.subjects import FACTS, LISTING, NOW_MS

OTHER_CHAIN = "eip155:999"


def flows(chain: str, *, hour: int, usd: int, count: int = FLOW_TRADES_MIN) -> list[Flow]:
    return [Flow(chain_key=chain, at_ms=hour * HOUR_MS + n, usd_micros=usd) for n in range(count)]


def candidate(pair_id: int, **changes: Any) -> Candidate:
    base = Candidate(
        pair_id=pair_id,
        chain_key="a",
        symbol="T",
        score_bps=8_000,
        loss_bps=2_000,
        coordination_bps=0,
        pressure_bps=0,
    )
    return replace(base, **changes)


def by_code(estimates: tuple[Estimate, ...]) -> dict[str, Estimate]:
    return {item.code: item for item in estimates}


# -- logic --------------------------------------------------------------------------------
def test_never_seen_elsewhere_then_no_tokens_and_the_share_is_unknown() -> None:
    nothing = DeployerHistory(tokens=0, dead=0, alive=0, unknown=0)
    count, share = elsewhere("x", nothing, whose="this deployer", reason="", as_of_ms=1)
    assert count.value == 0
    assert share.value is None
    assert "not seen on any other chain" in share.reason_unknown


def test_dead_elsewhere_then_share_with_bounds() -> None:
    history = DeployerHistory(tokens=8, dead=8, alive=0, unknown=0)
    _, share = elsewhere("x", history, whose="this deployer", reason="", as_of_ms=1)
    assert share.value is not None
    assert share.low is not None
    assert share.high is not None
    assert share.low <= share.value <= share.high
    assert share.value > 9_000
    assert share.confidence == Decimal("0.8")


def test_money_moves_from_one_chain_to_another_then_rotation_tells() -> None:
    found = {
        flow.chain_key: flow
        for flow in flows_by_hour([*flows("a", hour=5, usd=100), *flows("b", hour=5, usd=-100)])
    }
    assert found["a"].net_usd_micros == 100 * FLOW_TRADES_MIN
    assert found["a"].pressure_bps == 10_000
    assert found["a"].rotation_bps == 5_000
    assert found["b"].rotation_bps == -5_000


def test_few_trades_then_flow_is_unknown() -> None:
    [flow] = flows_by_hour(flows("a", hour=5, usd=100, count=FLOW_TRADES_MIN - 1))
    assert flow.pressure_bps is None
    assert "49 trades" in flow.reason_unknown


def test_one_chain_alone_then_no_rotation() -> None:
    [flow] = flows_by_hour(flows("a", hour=5, usd=100))
    assert flow.rotation_bps is None


def test_pairs_of_all_chains_then_the_best_stands_first_and_the_unjudged_last() -> None:
    found = ranked(
        (
            candidate(1, score_bps=None, loss_bps=0),
            candidate(2, chain_key="b", loss_bps=9_000),
            candidate(3, chain_key="c", loss_bps=1_000),
            candidate(4, coordination_bps=9_500),
        )
    )
    assert [item.candidate.pair_id for item in found] == [3, 2, 4, 1]
    assert [item.place for item in found] == [1, 2, 3, 4]
    assert found[-1].unknown == ("score",)


@given(
    score=st.integers(0, 10_000),
    loss=st.integers(0, 8_000),
    concert=st.integers(0, 5_000),
    pressure=st.integers(-10_000, 10_000),
)
def test_unknown_then_never_better_than_known_good(
    score: int, loss: int, concert: int, pressure: int
) -> None:
    known = candidate(1, score_bps=score, loss_bps=loss, coordination_bps=concert, pressure_bps=pressure)
    hidden = replace(known, pair_id=2, loss_bps=None, coordination_bps=None)
    first, second = ranked((known, hidden))
    assert first.value_bps >= second.value_bps
    assert first.candidate.pair_id == 1


# -- services -----------------------------------------------------------------------------
@pytest.mark.django_db
def test_maker_on_another_chain_then_counted_and_not_on_its_own() -> None:
    own: Any = factories.PairFactory(creator=LISTING.creator)
    factories.PairFactory(
        chain_key=OTHER_CHAIN, creator=LISTING.creator, reserve_quote_raw=0, peak_quote_raw=10**18
    )
    factories.PairFactory(chain_key=OTHER_CHAIN)
    found = by_code(crosschain_estimates(listing=LISTING, facts=FACTS, pair_id=own.pk, now_ms=NOW_MS))
    assert found["deployer_other_chains_tokens"].value == 1
    assert found["deployer_other_chains_dead_bps"].value is not None
    assert found["token_other_chains_dead_bps"].value is None
    assert "full look" in found["token_other_chains_dead_bps"].reason_unknown


@pytest.mark.django_db
def test_same_money_on_another_chain_then_counted() -> None:
    payer = factories.address_for("payer")
    own: Any = factories.PairFactory(creator=LISTING.creator, funder=payer, funding_state="found")
    factories.PairFactory(chain_key=OTHER_CHAIN, funder=payer, funding_state="found")
    factories.PairFactory(chain_key=OTHER_CHAIN, funder=payer, funding_state="hub")
    found = by_code(crosschain_estimates(listing=LISTING, facts=FACTS, pair_id=own.pk, now_ms=NOW_MS))
    assert found["deployer_other_chains_tokens"].value == 1


@pytest.mark.django_db
def test_creator_unknown_then_unknown() -> None:
    nameless = replace(LISTING, creator="")
    factories.PairFactory(chain_key=OTHER_CHAIN, creator="")
    found = by_code(crosschain_estimates(listing=nameless, facts=FACTS, pair_id=None, now_ms=NOW_MS))
    assert found["deployer_other_chains_tokens"].reason_unknown == "the creator of this pair is unknown"


@pytest.mark.django_db
def test_estimates_then_two_queries_at_most(django_assert_max_num_queries: Any) -> None:
    with django_assert_max_num_queries(2):
        crosschain_estimates(listing=LISTING, facts=FACTS, pair_id=1, now_ms=NOW_MS)


@pytest.mark.django_db
def test_trades_of_an_hour_then_flow_in_dollars() -> None:
    now = timezone.now()
    chain: Any = factories.ChainFactory()
    pair: Any = factories.PairFactory()
    pair.quote.address = chain.wrapped_native_address
    pair.quote.save()
    factories.PoolSnapshotFactory(pair=pair)
    for number in range(FLOW_TRADES_MIN):
        side = "sell" if number % 5 == 0 else "buy"
        factories.PoolTradeFactory(pair=pair, at=now - timedelta(seconds=1), side=side, quote_raw=10**18)
    found = capital_flows(now=now)
    assert sum(flow.net_usd_micros for flow in found) == 30 * 3_000_000_000
    assert {flow.chain_key for flow in found} == {chain.key}


@pytest.mark.django_db
def test_pairs_analysed_lately_then_ranked_by_their_scores() -> None:
    factories.ChainFactory()
    records: list[Any] = [factories.AnalysisRecordFactory(created_at=timezone.now()) for _ in range(3)]
    scores = {records[0].pair_id: 4_000, records[2].pair_id: 9_000}
    found = pairs_ranked(scores=scores, now=timezone.now())
    assert [item.candidate.pair_id for item in found] == [
        records[2].pair_id,
        records[0].pair_id,
        records[1].pair_id,
    ]
