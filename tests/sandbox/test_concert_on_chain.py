"""Wash trading and pumps on a living chain against the truth about its actors."""

from __future__ import annotations

import pytest

from apps.chains.evm.client import EndpointConfig, EvmClient
from apps.chains.evm.reader import EvmReader
from apps.domain.ids import NATIVE_ADDRESS, ChainKey
from apps.domain.market import ChainProfile, DexProfile
from apps.domain.money import Token
from apps.sandbox.evaluation.concert import concert_measured
from apps.sandbox.life import ChainLife
from tests.sandbox.chains import BSC, living_chain

pytestmark = pytest.mark.chain

TICKS, LAUNCHING_TICKS, PAIRS_PER_S = 260, 120, 0.8


def reader_of(life: ChainLife) -> EvmReader:
    at, spec = life.at, life.at.spec
    key = ChainKey(spec.key)
    profile = ChainProfile(
        chain_key=key,
        name=spec.name,
        family="evm",
        chain_id=spec.chain_id,
        native=Token(key, NATIVE_ADDRESS, spec.native_symbol, 18),
        wrapped_native=Token(key, at.wrapped, spec.wrapped_symbol, 18),
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
    return EvmReader(
        EvmClient([EndpointConfig(url_http=at.url)], chain_id=spec.chain_id), profile, dexes=(dex,)
    )


def test_rings_and_rushes_when_the_market_has_lived_then_most_are_told() -> None:
    with living_chain(BSC, seed=5) as life:
        launches = {}
        for tick in range(TICKS):
            pace = PAIRS_PER_S if tick < LAUNCHING_TICKS else 0.0
            for running in life.tick(pairs_per_s=pace).launches:
                launches[running.plan.number] = running
        ordered = [launches[number] for number in sorted(launches)]
        found = concert_measured(life, ordered, reader=reader_of(life))
    print(found, found.wash_recall, found.wash_precision, found.pump_recall, found.pump_precision)
    # What was measured on this seed, with room: 0.64 and 0.75 of the swaps, all rushes.
    assert found.ring_pools >= 5
    assert found.wash_recall is not None
    assert found.wash_precision is not None
    assert found.wash_recall >= 0.5
    assert found.wash_precision >= 0.6
    assert found.rushes >= 2
    assert found.pump_recall == 1.0
