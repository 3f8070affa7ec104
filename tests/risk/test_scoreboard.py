"""What refusals saved and cost: the shadow position, its fate, and the board of rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, cast

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from apps.domain.config import Scoreboard, TradingConfig
from apps.domain.errors import NetworkError
from apps.domain.ids import PairKey
from apps.domain.market import BlockRef, Listing, PairFacts, PoolReserves
from apps.domain.money import USD_MICROS
from apps.domain.ports import ChainReader
from apps.risk.logic.scoreboard import (
    Followed,
    Shadow,
    board,
    look_pause_ms,
    looked,
    shadow_of,
    simulated,
    wants_simulation,
)
from apps.risk.models import RefusedToken
from apps.risk.selectors import refused_tokens, scoreboard
from apps.risk.services.scoreboard import ScoreboardReport, scoreboard_prune, scoreboard_update
from tests import factories
from tests.intelligence.subjects import FACTS, trip

ETHER = 10**18
PRICE = 2_500 * USD_MICROS
SETTINGS = Scoreboard()
CONFIG = TradingConfig()
BASE, QUOTE = 10**6 * ETHER, 10 * ETHER


def shadow(**changes: Any) -> Shadow:
    made = shadow_of(
        base_reserve_raw=BASE,
        quote_reserve_raw=QUOTE,
        fee_bps=30,
        quote_decimals=18,
        quote_price_usd_micros=PRICE,
        config=CONFIG,
    )
    assert made is not None
    return replace(made, **changes)


def after(before: Shadow, *, quote: int, base: int | None = None) -> Shadow:
    """Look at a pool whose price moved along its curve, or whose reserves are given."""
    return looked(
        before,
        base_reserve_raw=BASE * QUOTE // quote if base is None and quote else base or 0,
        quote_reserve_raw=quote,
        settings=SETTINGS,
    )


# -- one token ----------------------------------------------------------------------------
def test_refused_pool_then_the_position_is_as_large_as_limits_and_impact_allow() -> None:
    made = shadow()
    assert made.size_raw == ETHER // 10  # 250 dollars at 2,500
    assert made.size_usd_micros == 250 * USD_MICROS
    small = shadow_of(
        base_reserve_raw=BASE, quote_reserve_raw=ETHER, fee_bps=30, quote_decimals=18,
        quote_price_usd_micros=PRICE, config=CONFIG,
    )  # fmt: skip
    assert small is not None
    assert small.size_raw == ETHER // 50  # two per cent of the pool


@pytest.mark.parametrize(
    "changes", [{"quote_reserve_raw": 0}, {"base_reserve_raw": 0}, {"quote_price_usd_micros": 0}]
)
def test_pool_cannot_be_priced_then_there_is_no_position(changes: dict[str, int]) -> None:
    given: dict[str, Any] = {
        "base_reserve_raw": BASE, "quote_reserve_raw": QUOTE, "fee_bps": 30, "quote_decimals": 18,
        "quote_price_usd_micros": PRICE, "config": CONFIG,
    }  # fmt: skip
    assert shadow_of(**(given | changes)) is None


def test_pool_is_drained_then_nearly_all_is_saved() -> None:
    died = after(shadow(is_sellable=True), quote=QUOTE // 20, base=BASE)
    assert died.died_by == "drained"
    assert 230 * USD_MICROS < died.saved_usd_micros < 250 * USD_MICROS
    assert died.missed_usd_micros == 0


def test_pool_falls_to_exactly_a_tenth_of_its_peak_then_it_is_not_dead() -> None:
    assert after(shadow(), quote=QUOTE // 10).died_by == ""
    assert after(shadow(), quote=QUOTE // 10 - 1).died_by == "drained"
    assert after(after(shadow(), quote=QUOTE * 3), quote=QUOTE * 29 // 100).died_by == "drained"


def test_token_cannot_be_sold_then_the_whole_position_is_saved_whatever_its_price() -> None:
    blocked = simulated(shadow(), is_sellable=False, buy_tax_bps=0, sell_tax_bps=None)
    died = after(blocked, quote=QUOTE * 3)
    assert (died.died_by, died.value_raw, died.has_risen) == ("unsellable", 0, False)
    assert died.saved_usd_micros == 250 * USD_MICROS


def test_token_rises_then_only_if_it_can_be_sold_it_counts() -> None:
    risen = after(shadow(is_sellable=True), quote=QUOTE * 3 // 2)  # price 2.25 times
    assert risen.has_risen
    assert 250 * USD_MICROS < risen.missed_usd_micros < 320 * USD_MICROS
    unknown = after(shadow(), quote=QUOTE * 3 // 2)
    assert (unknown.has_risen, unknown.missed_usd_micros) == (False, 0)
    assert wants_simulation(unknown, settings=SETTINGS)
    assert wants_simulation(replace(unknown, is_sellable=True), settings=SETTINGS)
    assert not wants_simulation(risen, settings=SETTINGS)


def test_token_rises_and_dies_then_it_was_a_gain_missed_and_no_loss_saved() -> None:
    risen = after(shadow(is_sellable=True), quote=QUOTE * 2)
    fallen = after(risen, quote=QUOTE // 100, base=BASE)
    assert (fallen.has_risen, fallen.died_by, fallen.saved_usd_micros) == (True, "drained", 0)
    assert fallen.missed_usd_micros == risen.missed_usd_micros
    assert after(fallen, quote=QUOTE * 9) == fallen  # the dead do not rise


def test_token_stays_where_it_was_then_fees_and_taxes_are_what_was_saved() -> None:
    still = after(shadow(is_sellable=True), quote=QUOTE)
    assert 0 < still.saved_usd_micros < 2 * USD_MICROS  # the pool's fee, twice
    taxed = after(shadow(is_sellable=True, buy_tax_bps=1_000, sell_tax_bps=2_500), quote=QUOTE)
    assert 75 * USD_MICROS < taxed.saved_usd_micros < 90 * USD_MICROS


def test_simulation_shows_nothing_then_what_was_known_stays() -> None:
    known = shadow(is_sellable=True, buy_tax_bps=100, sell_tax_bps=200)
    assert simulated(known, is_sellable=None, buy_tax_bps=None, sell_tax_bps=None) == known


@pytest.mark.parametrize(("followed_s", "pause_s"), [(0, 60), (1_200, 60), (6_000, 300), (80_000, 900)])
def test_older_refusal_then_it_is_looked_at_rarer(followed_s: int, pause_s: int) -> None:
    assert look_pause_ms(followed_ms=followed_s * 1_000) == pause_s * 1_000


@given(
    quotes=st.lists(st.integers(0, 100 * QUOTE), max_size=12),
    sellable=st.sampled_from([None, True, False]),
    taxes=st.tuples(st.integers(0, 10_000), st.integers(0, 10_000)),
)
def test_any_life_then_never_both_saved_and_missed_and_no_more_saved_than_paid(
    quotes: list[int], sellable: bool | None, taxes: tuple[int, int]
) -> None:
    state = shadow(is_sellable=sellable, buy_tax_bps=taxes[0], sell_tax_bps=taxes[1])
    for quote in quotes:
        state = after(state, quote=quote)
        assert 0 <= state.saved_usd_micros <= state.size_usd_micros
        assert min(state.saved_usd_micros, state.missed_usd_micros) == 0
        assert not (state.has_risen and sellable is not True)


# -- the board ----------------------------------------------------------------------------
def test_rules_then_each_shows_what_it_did_and_what_it_did_alone() -> None:
    def token(*rules: str, **changes: Any) -> Followed:
        given: dict[str, Any] = {
            "rules": rules, "is_decided": True, "has_died": False, "has_risen": False,
            "saved_usd_micros": 0, "missed_usd_micros": 0,
        }  # fmt: skip
        return Followed(**(given | changes))

    found = board(
        [
            token("lp", "tax", has_died=True, saved_usd_micros=200),
            token("lp", has_died=True, saved_usd_micros=100),
            token("lp", has_risen=True, missed_usd_micros=70),
            token("tax", is_decided=False),
        ]
    )
    assert [(item.rule, item.refused, item.decided) for item in found] == [
        ("all", 4, 3),
        ("lp", 3, 3),
        ("tax", 2, 1),
    ]
    lp = found[1]
    assert (lp.died_bps, lp.rose_bps, lp.saved_usd_micros, lp.missed_usd_micros) == (6_666, 3_333, 300, 70)
    assert (lp.alone, lp.alone_saved_usd_micros, lp.alone_missed_usd_micros, lp.net_usd_micros) == (
        2,
        100,
        70,
        230,
    )
    assert board([token("x", is_decided=False)])[1].died_bps is None
    assert board([]) == ()


# -- rows ---------------------------------------------------------------------------------
@dataclass
class Reader:
    """Pools and simulated trades in memory, by pair key."""

    pools: dict[str, tuple[int, int]] = field(default_factory=dict)
    facts: PairFacts | Exception = FACTS
    asked: list[str] = field(default_factory=list)

    def head(self) -> BlockRef:
        return BlockRef(500, "0xaa", 0)

    def reserves(self, listings: Sequence[Listing]) -> dict[str, PoolReserves]:
        return {
            item.pair_key: PoolReserves(
                pair_key=PairKey(item.pair_key),
                base_raw=self.pools[item.pair_key][0],
                quote_raw=self.pools[item.pair_key][1],
                block=self.head(),
            )
            for item in listings
            if item.pair_key in self.pools
        }

    def pair_facts(self, listing: Listing, **_: Any) -> PairFacts:
        self.asked.append(listing.pair_key)
        if isinstance(self.facts, Exception):
            raise self.facts
        return self.facts


def refused(
    pair: Any = None, *, rule: str = "lp_removable", at: datetime | None = None, **changes: Any
) -> Any:
    """Make a stored refusal of a pair with the reserves of its block."""
    row = pair or factories.PairFactory()
    analysis: Any = factories.AnalysisRecordFactory(pair=row, block_number=100)
    finding = {"rule": rule, "code": "X", "outcome": "fail", "explanation": "x", "detail": "", "gate": "veto"}
    warning = {**finding, "rule": "third_party_proof", "gate": "warn"}
    verdict = factories.VerdictRecordFactory(
        analysis=analysis,
        outcome="fail",
        findings=[finding, warning],
        created_at=at or timezone.now(),
        **changes,
    )
    if not row.snapshots.exists():
        factories.PoolSnapshotFactory(
            pair=row, block_number=100, base_raw=BASE, quote_raw=QUOTE, quote_price_usd_micros=PRICE
        )
    return verdict


def update(reader: Reader, *, after_s: float = 0, **settings: Any) -> ScoreboardReport:
    return scoreboard_update(
        chain_key=factories.CHAIN_KEY,
        reader=cast(ChainReader, reader),
        buyer="0x" + "11" * 20,
        config=TradingConfig.model_validate({"scoreboard": settings}),
        now=timezone.now() + timedelta(seconds=after_s),
    )


@pytest.mark.django_db
class TestRows:
    def test_refusal_then_it_is_followed_by_the_rules_that_refused(self) -> None:
        verdict = refused()
        reader = Reader({verdict.pair.pair_key: (BASE, QUOTE)})
        assert update(reader) == ScoreboardReport(opened=1, looked=1, simulated=1, ended=0)
        row = RefusedToken.objects.get()
        assert (row.rules, row.status, row.looks) == (["lp_removable"], "following", 1)
        assert row.is_sellable is True
        assert update(reader) == ScoreboardReport(opened=0, looked=0, simulated=0, ended=0)

    def test_several_refusals_of_a_pair_then_the_first_counts(self) -> None:
        first = refused(rule="sell_tax")
        refused(first.pair, rule="lp_removable")
        update(Reader())
        assert RefusedToken.objects.get().rules == ["sell_tax"]

    def test_pool_dies_then_the_loss_is_saved_and_it_is_followed_no_more(self) -> None:
        verdict = refused()
        key = verdict.pair.pair_key
        reader = Reader({key: (BASE, QUOTE)})
        update(reader)
        reader.pools[key] = (BASE * 100, QUOTE // 100)
        assert update(reader, after_s=70).ended == 1
        row = RefusedToken.objects.get()
        assert (row.status, row.died_by) == ("ended", "drained")
        assert row.saved_usd_micros > 240 * USD_MICROS
        [everything, rule] = scoreboard()
        assert (everything.rule, rule.rule, rule.died, rule.died_bps) == ("all", "lp_removable", 1, 10_000)

    def test_honeypot_then_it_is_dead_at_the_first_try(self) -> None:
        verdict = refused()
        trips = (trip(stage="sell_failed"), trip("eth_simulateV1", "sell_failed"))
        update(Reader({verdict.pair.pair_key: (BASE // 9, QUOTE * 9)}, replace(FACTS, round_trips=trips)))
        row = RefusedToken.objects.get()
        assert (row.died_by, row.saved_usd_micros) == ("unsellable", 250 * USD_MICROS)

    def test_token_rises_then_the_gain_was_missed(self) -> None:
        verdict = refused()
        key = verdict.pair.pair_key
        reader = Reader({key: (BASE, QUOTE)})
        update(reader)
        reader.pools[key] = (BASE // 2, QUOTE * 2)
        update(reader, after_s=70)
        assert RefusedToken.objects.get().rose_at is not None
        update(reader, after_s=90_000)
        [everything, _] = scoreboard()
        assert (everything.rose, everything.saved_usd_micros) == (1, 0)
        assert everything.missed_usd_micros > 500 * USD_MICROS

    def test_day_is_over_then_it_ends_as_it_stands(self) -> None:
        verdict = refused()
        reader = Reader({verdict.pair.pair_key: (BASE, QUOTE)})
        update(reader)
        assert scoreboard()[0].decided == 0
        assert update(reader, after_s=86_401).ended == 1
        assert scoreboard()[0].decided == 1

    def test_pool_does_not_answer_then_it_is_unknown_and_looked_at_again(self) -> None:
        refused()
        reader = Reader(facts=NetworkError("gone"))
        update(reader)
        row = RefusedToken.objects.get()
        assert (row.status, row.value_raw, row.is_sellable) == ("following", None, None)
        assert (row.saved_usd_micros, row.missed_usd_micros) == (0, 0)

    def test_pair_is_accepted_later_then_it_does_not_count(self) -> None:
        verdict = refused(at=timezone.now() - timedelta(seconds=30))
        update(Reader())
        factories.VerdictRecordFactory(analysis__pair=verdict.pair, outcome="pass")
        update(Reader())
        assert RefusedToken.objects.get().status == "passed"
        assert scoreboard() == ()

    def test_pool_was_never_seen_then_it_is_unpriced_in_the_end(self) -> None:
        verdict = refused()
        verdict.pair.snapshots.all().delete()
        assert update(Reader()).opened == 0
        assert update(Reader(), after_s=700).opened == 1
        assert RefusedToken.objects.get().status == "unpriced"
        assert scoreboard() == ()

    def test_accepted_pair_then_nobody_follows_it(self) -> None:
        factories.VerdictRecordFactory(outcome="pass")
        assert update(Reader()).opened == 0

    def test_too_many_are_followed_then_no_more_are_taken_up(self) -> None:
        for _ in range(12):
            refused()
        assert update(Reader(), rows_max=10).opened == 10
        assert update(Reader(), rows_max=10).opened == 0

    def test_many_are_due_then_few_trades_are_simulated_and_the_untried_come_first(self) -> None:
        for _ in range(6):
            refused()
        reader = Reader()
        assert update(reader).simulated == 4
        assert update(reader, after_s=70).simulated == 2
        assert len(set(reader.asked)) == 6

    def test_selector_then_rows_of_one_rule_are_found(self) -> None:
        refused(rule="sell_tax")
        refused(rule="lp_removable")
        update(Reader())
        assert [row.rules for row in refused_tokens(rule="sell_tax")] == [["sell_tax"]]
        assert len(refused_tokens()) == 2

    def test_old_rows_then_they_are_pruned_but_those_still_followed(self) -> None:
        old = timezone.now() - timedelta(days=60)
        factories.RefusedTokenFactory(refused_at=old, status="ended")
        factories.RefusedTokenFactory(refused_at=old)
        assert scoreboard_prune(before=timezone.now() - timedelta(days=30)) == 1
