"""From contracts on a real chain to estimates: what owners can do later is found before we buy, and nothing else is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from apps.domain.analysis import Analysis
from apps.intelligence.logic.analyse import analyse
from apps.intelligence.logic.subject import Subject
from tests.chain_fixtures import Launch, Market, running_market
from tests.chains.evm.deployment import listing_of, reader_of

pytestmark = pytest.mark.chain

WEI_IN = 10**17
BAD_WHEN_YES = (
    "can_pause",
    "can_blacklist",
    "can_mint",
    "can_move_balances",
    "can_upgrade",
    "hidden_owner",
    "size_dependent",
    "probe_disagreement",
)
BAD_WHEN_NO = ("sellable", "sellable_next_block", "sellable_later", "sellable_from_fresh_wallet")


@pytest.fixture(scope="module")
def market() -> Iterator[Market]:
    with running_market() as market:
        yield market


def analysed(market: Market, launch: Launch) -> Analysis:
    reader, listing, buyer = reader_of(market), listing_of(market, launch), market.buyer().address
    facts = reader.pair_facts(listing, buyer=buyer, probe_amount_raw=WEI_IN, previous_swaps_from=0)
    probes = reader.token_probes(listing, facts, buyer=buyer, probe_amount_raw=WEI_IN)
    return analyse(
        Subject(
            listing=listing,
            facts=replace(facts, probes=probes),
            history=None,
            wrapped_native_address=market.dex.wrapped,
            now_ms=facts.block.at_ms,
        )
    )


def held_against(analysis: Analysis) -> set[str]:
    values = {item.code: item.value for item in analysis.estimates}
    for code in (*BAD_WHEN_YES, *BAD_WHEN_NO):
        assert values[code] is not None, code
    return {code for code in BAD_WHEN_YES if values[code]} | {
        code for code in BAD_WHEN_NO if not values[code]
    }


@pytest.mark.parametrize(
    ("contract", "extra", "renounces", "expected"),
    [
        ("PausableToken", (), False, {"can_pause"}),  # paused later
        ("TradingSwitchToken", (True,), False, {"can_pause"}),  # switched later
        ("HiddenMintToken", (), False, {"can_mint"}),
        ("HiddenMintToken", (), True, {"can_mint", "hidden_owner"}),
        ("OwnerMoveToken", (), True, {"can_move_balances", "hidden_owner"}),
        ("MintableToken", (), False, {"can_mint"}),
        ("BlacklistToken", (False,), False, {"can_blacklist"}),
        ("SleeperToken", (3_000,), True, {"sellable_later"}),
    ],
)
def test_trap_for_later_then_what_it_can_do_is_known_before_and_shown(
    market: Market, contract: str, extra: tuple[Any, ...], renounces: bool, expected: set[str]
) -> None:
    launch = market.launch(contract, *extra)
    if renounces:
        market.call_as_deployer(launch, "renounceOwnership()")
    analysis = analysed(market, launch)
    assert held_against(analysis) == expected
    shown = {item.code: item for item in analysis.evidence}
    for code in expected:
        assert shown[code].calls
        assert shown[code].block == analysis.block


@pytest.mark.parametrize("contract", ["StandardToken", "TaxedToken", "PausableToken", "MintableToken"])
def test_power_was_given_up_then_nothing_is_held_against_it(market: Market, contract: str) -> None:
    extra = ((300, 300, 2_500, market.chain.accounts[3].address),) if contract == "TaxedToken" else ()
    launch = market.launch(contract, *extra)
    market.call_as_deployer(launch, "renounceOwnership()")
    analysis = analysed(market, launch)
    assert held_against(analysis) == set()
    assert analysis.evidence == ()
    reached = analysis.estimate("max_reachable_sell_tax_bps")
    assert reached is not None
    assert reached.value == (300 if extra else 0)
