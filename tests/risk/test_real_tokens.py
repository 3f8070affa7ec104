"""From a real pool on a real chain to the verdict: honest launches pass, traps are refused for what they are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest

from apps.domain.config import TradingConfig
from apps.domain.market import DeployerHistory
from apps.domain.verdict import Outcome, RiskVerdict
from apps.intelligence.logic.analyse import analyse
from apps.intelligence.logic.subject import Subject
from apps.risk.logic.judge import judge
from tests.chain_fixtures import ZERO_ADDRESS, Launch, Market, calldata, read, running_market, transact_ok
from tests.chains.evm.deployment import listing_of, reader_of

pytestmark = pytest.mark.chain

SUPPLY = 10**27
POOLED = SUPPLY * 95 // 100
DEAD = "0x000000000000000000000000000000000000dEaD"
TAXES = (300, 300, 2_500)


@pytest.fixture(scope="module")
def market() -> Iterator[Market]:
    with running_market() as market:
        yield market


def launched(
    market: Market, contract: str, *arguments: object, burns: bool = True, renounces: bool = True
) -> Launch:
    launch = market.launch(contract, *arguments, supply=SUPPLY, pooled_tokens=POOLED)
    if burns:
        held = read(market.rpc, launch.pair, "balanceOf(address)", launch.deployer.address, returns="uint256")
        data = calldata("transfer(address,uint256)", DEAD, held)
        transact_ok(market.rpc, launch.deployer, to=launch.pair, data=data)
    if renounces:
        market.call_as_deployer(launch, "renounceOwnership()")
    return launch


def judged(market: Market, launch: Launch) -> RiskVerdict:
    listing = listing_of(market, launch)
    facts = reader_of(market).pair_facts(
        listing, buyer=market.buyer().address, probe_amount_raw=10**17, previous_swaps_from=0
    )
    subject = Subject(
        listing=listing,
        facts=replace(facts, quote_price_usd_micros=2_500 * 10**6),  # there is no stable pool here
        history=DeployerHistory(tokens=0, dead=0, alive=0, unknown=0),
        wrapped_native_address=market.dex.wrapped,
        now_ms=facts.block.at_ms,
    )
    return judge(analysis=analyse(subject), config=TradingConfig(), config_revision=1)


def codes(verdict: RiskVerdict) -> list[str]:
    return [item.code for item in verdict.refusals]


def test_honest_launch_then_it_passes_with_a_score_to_buy(market: Market) -> None:
    verdict = judged(market, launched(market, "StandardToken"))
    assert codes(verdict) == []
    assert verdict.outcome is Outcome.PASS
    assert verdict.score_bps is not None
    assert verdict.score_bps > TradingConfig().entry.score_min_bps


def test_honest_taxed_launch_then_it_passes(market: Market) -> None:
    treasury = market.chain.accounts[3].address
    assert codes(judged(market, launched(market, "TaxedToken", (*TAXES, treasury)))) == []


def test_liquidity_is_kept_by_the_maker_then_refused(market: Market) -> None:
    assert codes(judged(market, launched(market, "StandardToken", burns=False))) == ["LIQUIDITY_REMOVABLE"]


@pytest.mark.parametrize(
    ("contract", "arguments", "families"),
    [
        ("TaxedToken", None, "tax"),
        ("MintableToken", (), "mint"),
        ("PausableToken", (), "pause"),
        ("BlacklistToken", (False,), "block"),
    ],
)
def test_owner_keeps_power_over_the_token_then_refused(
    market: Market, contract: str, arguments: Sequence[object] | None, families: str
) -> None:
    given = ((*TAXES, market.chain.accounts[3].address),) if arguments is None else arguments
    verdict = judged(market, launched(market, contract, *given, renounces=False))
    assert codes(verdict) == ["OWNER_CONTROLS"]
    assert families in verdict.refusals[0].detail


def test_tax_is_too_high_then_refused_for_both_taxes(market: Market) -> None:
    launch = launched(market, "TaxedToken", (900, 1_200, 2_500, market.chain.accounts[3].address))
    assert codes(judged(market, launch)) == ["BUY_TAX_ABOVE_MAXIMUM", "SELL_TAX_ABOVE_MAXIMUM"]


@pytest.mark.parametrize(
    ("contract", "arguments", "code"),
    [
        ("SellBlockedToken", (), "SELL_BLOCKED"),
        ("SellCapToken", (10**15, 10_000), "SELL_BLOCKED"),
        ("SellDelayToken", (50,), "SELL_BLOCKED"),
        ("CodeOnlySellToken", (), "PROBES_DISAGREE"),
        ("BlacklistToken", (True,), "SELL_BLOCKED"),
    ],
)
def test_token_cannot_be_sold_again_then_refused_as_a_trap(
    market: Market, contract: str, arguments: Sequence[object], code: str
) -> None:
    assert code in codes(judged(market, launched(market, contract, *arguments)))


def test_trading_is_switched_off_then_not_open_yet(market: Market) -> None:
    launch = launched(market, "PausableToken", renounces=False)
    market.call_as_deployer(launch, "pause()")
    assert "TRADING_NOT_OPEN" in codes(judged(market, launch))


def test_maker_keeps_much_of_the_supply_then_refused_for_what_its_sale_would_do(market: Market) -> None:
    launch = market.launch("StandardToken", supply=SUPPLY, pooled_tokens=SUPPLY // 2)
    found = codes(judged(market, launch))
    assert {"CREATOR_HOLDING_ABOVE_MAXIMUM", "CREATOR_DUMP_TOO_DEEP", "LIQUIDITY_REMOVABLE"} <= set(found)
    assert read(market.rpc, launch.token, "owner()", returns="address").lower() != ZERO_ADDRESS
