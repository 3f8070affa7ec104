"""Entities on a living chain against the truth about its actors."""

from __future__ import annotations

import pytest

from apps.chains.evm.client import EndpointConfig, EvmClient
from apps.chains.evm.reader import EvmReader
from apps.domain.ids import NATIVE_ADDRESS, ChainKey
from apps.domain.market import ChainProfile, DexProfile
from apps.domain.money import Token
from apps.sandbox.evaluation.clusters import measured
from apps.sandbox.life import ChainLife
from tests.sandbox.chains import BASE, living_chain

pytestmark = pytest.mark.chain

TICKS, PAIRS_PER_S = 110, 0.6


def reader_of(life: ChainLife) -> EvmReader:
    at, spec = life.at, life.at.spec
    key = ChainKey(spec.key)
    profile = ChainProfile(
        chain_key=key,
        name=spec.name,
        family="evm",
        chain_id=spec.chain_id,
        native=Token(key, NATIVE_ADDRESS, "ETH", 18),
        wrapped_native=Token(key, at.wrapped, "WETH", 18),
        stables=(),
        block_time_ms=spec.block_time_ms,
        confirmation_depth=3,
        base_fee_min_wei=0,
        tip_min_wei=10**9,
        is_sandbox=True,
        genesis_hash=at.genesis_hash,
    )
    dex = DexProfile(
        chain_key=key,
        dex_key=spec.dex_key,
        kind="uniswap_v2",
        name=spec.dex_name,
        factory=at.factory,
        router=at.router,
        fee_bps=30,
    )
    client = EvmClient([EndpointConfig(url_http=at.url)], chain_id=spec.chain_id)
    return EvmReader(client, profile, dexes=(dex,))


def test_entities_when_the_market_has_lived_then_those_merged_are_one_person() -> None:
    with living_chain(BASE, seed=11) as life:
        launches = {}
        for _ in range(TICKS):
            for running in life.tick(pairs_per_s=PAIRS_PER_S).launches:
                launches[running.plan.number] = running
        ordered = [launches[number] for number in sorted(launches)]
        found = measured(life, ordered, reader=reader_of(life), buyer="0x" + "5e" * 20)
    print(found, found.precision, found.recall, found.bundle_precision)
    assert found.pools > 30
    assert found.right > 30
    assert found.precision is not None
    assert found.precision >= 0.9
