"""Five chains with the gas rules of those they stand for: what we are told of the next block is what it charges."""

from __future__ import annotations

from typing import Any

import pytest

from apps.chains.defaults import CHAINS as REAL_CHAINS
from apps.chains.evm.client import EndpointConfig, EvmClient
from apps.chains.evm.fees import read_fees
from apps.chains.models import Chain, Endpoint
from apps.chains.selectors import chain_profile
from apps.sandbox.chainspec import CHAIN_NAMES_DEFAULT, CHAINS, ChainSpec, chains_named
from apps.sandbox.market.draw import Market, draw
from apps.sandbox.rows import rows_rest, rows_write
from apps.wallets.logic.permission import REAL_CHAIN_IDS
from tests import factories
from tests.sandbox.chains import ARBITRUM, BASE, BSC, ETHEREUM, POLYGON, living_chain

BLOCKS = 4


@pytest.mark.parametrize("spec", CHAINS, ids=lambda spec: spec.slug)
def test_spec_then_has_the_rules_of_the_chain_that_it_stands_for(spec: ChainSpec) -> None:
    [real] = [fact for fact in REAL_CHAINS if fact.key == spec.profile_of]
    assert spec.chain_id not in REAL_CHAIN_IDS
    assert (spec.native_symbol, spec.wrapped_symbol) == (real.native_symbol, real.wrapped_symbol)
    assert (spec.base_fee_rule, spec.data_fee_rule) == (real.base_fee_rule, real.data_fee_rule)
    assert (spec.ignores_tips, spec.has_public_mempool) == (real.ignores_tips, real.has_public_mempool)
    assert spec.tip_min_wei >= real.tip_min_wei
    assert (spec.slug, spec.geckoterminal_slug) == (real.dexscreener_slug, real.geckoterminal_slug)
    assert spec.block_time_ms == max(real.block_time_ms, 1_000)
    assert (spec.stable_symbol, spec.stable_decimals) in {
        (item.symbol, item.decimals) for item in real.stables
    }
    assert spec.dex_key in {dex.key for dex in real.dexes}


def test_specs_then_no_two_share_anything_that_tells_them_apart() -> None:
    for part in ("chain_id", "port_offset", "process_name", "slug", "name"):
        assert len({getattr(spec, part) for spec in CHAINS}) == len(CHAINS) == 5
    assert chains_named(CHAIN_NAMES_DEFAULT) == (BASE, BSC)
    assert chains_named(["arbitrum", "base"]) == (BASE, ARBITRUM)


@pytest.mark.django_db
def test_rows_when_a_chain_does_not_run_then_it_is_not_followed() -> None:
    for spec in (BASE, POLYGON):
        factories.EndpointFactory(chain=factories.ChainFactory(key=spec.key, chain_id=spec.chain_id))
    real: Chain = factories.ChainFactory(key="eip155:1", chain_id=1, is_sandbox=False)
    factories.EndpointFactory(chain=real)
    rows_rest(chosen=[BASE])
    assert set(Endpoint.objects.values_list("chain__key", flat=True)) == {BASE.key, real.key}
    assert Chain.objects.count() == 3


def test_trap_that_asks_for_the_base_fee_where_there_is_none_then_asks_for_the_price_alone() -> None:
    def strict(*, is_zero: bool) -> set[tuple[Any, ...]]:
        market = Market(
            seed=1, chain_key=BSC.key, block_s=1.0, native_price_usd=600, is_base_fee_zero=is_zero
        )
        plans = [draw(market, number) for number in range(600)]
        return {plan.arguments for plan in plans if plan.kind == "honeypot_free_gas_strict"}

    assert strict(is_zero=False) == {(True,)}
    assert strict(is_zero=True) == {(False,)}


@pytest.mark.chain
@pytest.mark.django_db
@pytest.mark.parametrize("spec", [BSC, ETHEREUM, POLYGON, ARBITRUM], ids=lambda spec: spec.slug)
def test_fees_on_each_chain_then_are_those_that_the_next_block_takes(spec: ChainSpec) -> None:
    with living_chain(spec, seed=3) as life:
        rows_write(life.at, seed=3)
        profile = chain_profile(spec.key)
        client = EvmClient([EndpointConfig(url_http=life.at.url)], chain_id=spec.chain_id)
        for _ in range(BLOCKS):
            life.tick(pairs_per_s=1.0)
        # The node learns of a base fee that is not EIP-1559's only from the block that has it.
        quote = read_fees(client, profile)
        life.tick(pairs_per_s=1.0)
        block = life.rpc.call("eth_getBlockByNumber", hex(quote.block_number + 1), False)
        client.close()
    charged = int(block["baseFeePerGas"], 16)
    assert quote.max_fee_wei >= charged
    assert quote.is_data_fee_known
    assert quote.data_fee_raw == 0
    if spec.base_fee_wei is None:
        assert quote.base_fee_wei == charged
        assert quote.tip_wei >= spec.tip_min_wei
    else:
        assert charged == spec.base_fee_wei
        assert quote.base_fee_wei == charged
    if spec.ignores_tips:
        assert (quote.tip_wei, quote.tip_front_wei) == (0, 0)
    assert (quote.data_gas > 0) is (spec.data_fee_rule == "arbitrum")
