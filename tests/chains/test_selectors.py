"""Rows about chains as domain types."""

from __future__ import annotations

from typing import Any

import pytest

from apps.chains import selectors
from apps.chains.models import Chain, DexDeployment, Endpoint, Locker, StableToken
from apps.domain.errors import ConfigurationError
from apps.domain.ids import NATIVE_ADDRESS

pytestmark = pytest.mark.django_db
WETH = "0x" + "11" * 20


def a_chain(**changes: Any) -> Chain:
    fields: dict[str, Any] = {
        "key": "eip155:7",
        "name": "Test",
        "chain_id": 7,
        "native_symbol": "ETH",
        "wrapped_native_address": WETH,
        "wrapped_native_symbol": "WETH",
        "base_fee_min_wei": 5,
        "tip_min_wei": 6,
        "is_sandbox": True,
        "genesis_hash": "0x" + "9e" * 32,
    }
    return Chain.objects.create(**fields | changes)


def test_profile_when_chain_stands_then_carries_its_rows() -> None:
    chain = a_chain()
    StableToken.objects.create(chain=chain, address="0x" + "22" * 20, symbol="USDC", decimals=6)
    profile = selectors.chain_profile("eip155:7")
    assert (profile.chain_id, profile.family, profile.is_sandbox) == (7, "evm", True)
    assert (profile.native.address, profile.native.is_native) == (NATIVE_ADDRESS, True)
    assert (profile.wrapped_native.address, profile.wrapped_native.symbol) == (WETH, "WETH")
    assert [(token.symbol, token.decimals) for token in profile.stables] == [("USDC", 6)]
    assert (profile.base_fee_min_wei, profile.tip_min_wei) == (5, 6)
    assert profile.genesis_hash == chain.genesis_hash


def test_profile_when_chain_is_unknown_then_configuration_error() -> None:
    with pytest.raises(ConfigurationError) as caught:
        selectors.chain_profile("eip155:1")
    assert caught.value.remedy


def test_profiles_when_one_is_switched_off_then_is_left_out() -> None:
    a_chain()
    a_chain(key="eip155:8", chain_id=8, enabled=False)
    assert [profile.chain_key for profile in selectors.chain_profiles()] == ["eip155:7"]
    assert selectors.chain_profile("eip155:8").chain_id == 8


def test_endpoints_when_several_then_enabled_ones_best_first() -> None:
    chain = a_chain()
    for number, (weight, enabled) in enumerate([(1, True), (50, True), (90, False)]):
        Endpoint.objects.create(
            chain=chain,
            url_http=f"http://127.0.0.1:{number + 1}",
            weight=weight,
            enabled=enabled,
            capabilities={"logs": True, "note": "text"},
        )
    configs = selectors.endpoint_configs("eip155:7")
    assert [config.weight for config in configs] == [50, 1]
    assert configs[0].capabilities == {"logs": True}


def test_dexes_and_lockers_when_rows_stand_then_are_returned() -> None:
    chain = a_chain()
    for key, enabled in (("uniswap_v2", True), ("other", False)):
        DexDeployment.objects.create(
            chain=chain,
            key=key,
            kind="uniswap_v2",
            name=key,
            factory_address="0x" + "33" * 20,
            router_address="0x" + "44" * 20,
            fee_bps=25,
            enabled=enabled,
        )
    proven = {"kind": "uncx_v2", "confirmed": True, "code_hash": "0x" + "cc" * 32}
    Locker.objects.create(chain=chain, address="0x" + "55" * 20, name="Locker", **proven)
    Locker.objects.create(chain=chain, address="0x" + "66" * 20, name="Unseen", code_hash="0x" + "dd" * 32)
    [dex] = selectors.dex_profiles("eip155:7")
    assert (dex.dex_key, dex.factory, dex.router, dex.fee_bps) == (
        "uniswap_v2",
        "0x" + "33" * 20,
        "0x" + "44" * 20,
        25,
    )
    assert selectors.locker_addresses("eip155:7") == ("0x" + "55" * 20,)
    assert [item.is_verified for item in selectors.locker_profiles("eip155:7")] == [True, False]
    assert selectors.dex_profiles("eip155:9") == ()
