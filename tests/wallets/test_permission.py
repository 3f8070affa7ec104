"""The wall between sandbox keys and real chains, and the three switches of live trading."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from apps.domain.ids import ChainKey
from apps.domain.market import ChainProfile
from apps.domain.money import Token
from apps.wallets.logic.permission import WalletView, refusal_to_sign

SANDBOX_KEY = ChainKey("eip155:31337001")
BASE_KEY = ChainKey("eip155:8453")


def profile_of(chain_key: ChainKey, **changes: Any) -> ChainProfile:
    is_sandbox = chain_key == SANDBOX_KEY
    fields: dict[str, Any] = {
        "chain_key": chain_key,
        "name": "a chain",
        "family": "evm",
        "chain_id": int(chain_key.removeprefix("eip155:")),
        "native": Token(chain_key, "native", "ETH", 18),
        "wrapped_native": Token(chain_key, "0x" + "11" * 20, "WETH", 18),
        "stables": (),
        "block_time_ms": 2_000,
        "confirmation_depth": 3,
        "base_fee_min_wei": 0,
        "tip_min_wei": 0,
        "is_sandbox": is_sandbox,
        "genesis_hash": "0xabc" if is_sandbox else "",
    }
    return ChainProfile(**fields | changes)


SANDBOX = WalletView(
    key="trader",
    family="evm",
    address="0x" + "22" * 20,
    keystore_file="trader.json",
    is_sandbox=True,
    is_live=False,
    enabled=True,
)
LIVE = replace(SANDBOX, is_sandbox=False, is_live=True)


def refusal(wallet: WalletView, profile: ChainProfile, **changes: Any) -> str:
    fields: dict[str, Any] = (
        {"endpoints_are_local": True, "mode": "sandbox", "live_trading": False}
        if wallet.is_sandbox
        else {"endpoints_are_local": False, "mode": "live", "live_trading": True}
    )
    found = refusal_to_sign(wallet=wallet, profile=profile, **fields | changes)
    assert found is None or found.remedy
    return "" if found is None else found.message


def test_permission_when_everything_agrees_then_given() -> None:
    assert refusal(SANDBOX, profile_of(SANDBOX_KEY)) == ""
    assert refusal(LIVE, profile_of(BASE_KEY)) == ""


@pytest.mark.parametrize(
    ("profile", "changes", "words"),
    [
        (profile_of(BASE_KEY), {}, "sandbox keys sign for the sandbox alone"),
        (profile_of(BASE_KEY, is_sandbox=True, genesis_hash="0xabc"), {}, "id of a real chain"),
        (profile_of(SANDBOX_KEY, genesis_hash=""), {}, "no pinned genesis"),
        (profile_of(SANDBOX_KEY), {"endpoints_are_local": False}, "not on this machine"),
        (profile_of(SANDBOX_KEY), {"mode": "live", "live_trading": True}, "does not sign in mode live"),
        (profile_of(SANDBOX_KEY, chain_id=1), {}, "contradicts its key"),
        (profile_of(SANDBOX_KEY, family="solana"), {}, "is of family evm"),
    ],
)
def test_permission_when_sandbox_wallet_leaves_the_sandbox_then_refused(
    profile: ChainProfile, changes: dict[str, Any], words: str
) -> None:
    assert words in refusal(SANDBOX, profile, **changes)


@pytest.mark.parametrize(
    ("wallet", "profile", "changes", "words"),
    [
        (LIVE, profile_of(SANDBOX_KEY), {}, "real keys never for it"),
        (replace(LIVE, is_live=False), profile_of(BASE_KEY), {}, "not marked live"),
        (LIVE, profile_of(BASE_KEY), {"live_trading": False}, "live trading off"),
        (LIVE, profile_of(BASE_KEY), {"mode": "paper"}, "in mode paper"),
        (LIVE, profile_of(BASE_KEY), {"mode": "sandbox"}, "in mode sandbox"),
        (replace(LIVE, enabled=False), profile_of(BASE_KEY), {}, "switched off"),
    ],
)
def test_permission_when_a_switch_of_live_trading_is_off_then_refused(
    wallet: WalletView, profile: ChainProfile, changes: dict[str, Any], words: str
) -> None:
    assert words in refusal(wallet, profile, **changes)
