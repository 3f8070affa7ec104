"""Which wallet enters: by chain, by turns, and none that is locked, expired or rotated out."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from apps.domain.errors import ConfigurationError, KeystoreError
from apps.state.models import Event
from apps.state.services.engine import engine_start, installation_prepare
from apps.wallets.logic.permission import WalletView, refusal_of_lock
from apps.wallets.models import AddressLabel, Wallet
from apps.wallets.selectors import address_labels
from apps.wallets.services.wallets import (
    address_label,
    wallet_create,
    wallet_default,
    wallet_for_entry,
    wallet_limit,
    wallet_lock,
    wallet_rotate,
    wallet_unlock,
)
from apps.wallets.signing import KeystoreSigner
from tests.wallets.test_permission import SANDBOX_KEY
from tests.wallets.test_signing import ORDER, _password, chain_of, tx_of

CHAIN = SANDBOX_KEY


@pytest.fixture
def three(db: None, data_dir: Path) -> None:
    installation_prepare(mode="sandbox")
    for key in ("one", "two", "three"):
        wallet_create(key=key, mode="sandbox")


def chosen(number: int = 0, *, takes_turns: bool = True, chain_key: str = CHAIN) -> str:
    return wallet_for_entry(family="evm", chain_key=chain_key, number=number, takes_turns=takes_turns).key


def test_turns_then_every_wallet_has_its_own_and_the_same_number_the_same(three: None):
    assert [chosen(number) for number in range(4)] == ["one", "two", "three", "one"]
    assert {chosen(7), chosen(7)} == {"two"}
    assert {chosen(number, takes_turns=False) for number in range(4)} == {"one"}


def test_wallet_that_names_the_chain_then_it_alone_enters_there_and_nowhere_else(three: None):
    wallet_limit(key="three", daily_spend_max_usd_micros=5, chain_key=CHAIN, by="test")
    assert {chosen(number) for number in range(4)} == {"three"}
    assert [chosen(number, chain_key="eip155:1") for number in range(2)] == ["one", "two"]


def test_wallets_that_may_not_enter_then_are_passed_over_and_none_left_says_so(three: None):
    wallet_lock(key="one", by="test")
    Wallet.objects.filter(key="two").update(unlocked_until=timezone.now() - timedelta(seconds=1))
    assert {chosen(number) for number in range(3)} == {"three"}
    Wallet.objects.filter(key="three").update(may_enter=False)
    with pytest.raises(ConfigurationError, match="may enter"):
        wallet_default(family="evm", chain_key=CHAIN)


def test_rotation_then_the_new_one_enters_and_the_old_one_only_exits(three: None, data_dir: Path):
    wallet_limit(key="one", daily_spend_max_usd_micros=7, chain_key=None, by="test")
    new = wallet_rotate(key="one", successor="four", by="test")
    assert (new.daily_spend_max_usd_micros, new.may_enter) == (7, True)
    epoch = engine_start(by="test", reason="test").epoch
    signer = KeystoreSigner(data_dir=data_dir, password=_password(), mode="sandbox", live_trading=False)
    signer.admit(chain_of())
    with pytest.raises(KeystoreError, match="rotated out"):
        signer.sign(tx_of(wallet_key="one"), client_order_id=ORDER, epoch=epoch)
    signer.sign(tx_of(wallet_key="one", value_raw=0), client_order_id=ORDER, epoch=epoch)
    signer.sign(tx_of(wallet_key="four"), client_order_id=ORDER, epoch=epoch)
    with pytest.raises(ConfigurationError):
        wallet_rotate(key="two", successor="two", by="test")


def test_lock_then_nothing_is_signed_and_the_key_is_forgotten_until_unlocked(three: None, data_dir: Path):
    epoch = engine_start(by="test", reason="test").epoch
    signer = KeystoreSigner(data_dir=data_dir, password=_password(), mode="sandbox", live_trading=False)
    signer.admit(chain_of())
    sale: Any = tx_of(wallet_key="one", value_raw=0)
    signer.sign(sale, client_order_id=ORDER, epoch=epoch)
    assert "1 keys" in repr(signer)
    wallet_lock(key="one", by="test")
    with pytest.raises(KeystoreError, match="locked"):
        signer.sign(sale, client_order_id=ORDER, epoch=epoch)
    assert "0 keys" in repr(signer)
    wallet_unlock(key="one", hours=1, by="test")
    signer.sign(sale, client_order_id=ORDER, epoch=epoch)
    assert Event.objects.filter(summary="Wallet one was locked").exists()


def test_time_of_an_unlocking_when_over_then_entries_end_and_exits_go_on():
    view = WalletView(
        key="w",
        family="evm",
        address="",
        keystore_file="",
        is_sandbox=True,
        is_live=False,
        enabled=True,
        unlocked_until_ms=1_000,
    )
    given = {"wallet": view, "chain_key": CHAIN}
    assert refusal_of_lock(**given, is_entry=True, now_ms=999) is None  # type: ignore[arg-type]
    assert refusal_of_lock(**given, is_entry=True, now_ms=1_000) is not None  # type: ignore[arg-type]
    assert refusal_of_lock(**given, is_entry=False, now_ms=1_000) is None  # type: ignore[arg-type]


def test_address_book_then_names_an_address_once_in_any_spelling(three: None):
    address_label(address="0x" + "aB" * 20, label="exchange", by="test")
    address_label(address="0x" + "Ab" * 20, label="my exchange", by="test")
    assert address_labels() == {"0x" + "ab" * 20: "my exchange"}
    with pytest.raises(ConfigurationError):
        address_label(address="0x12", label="x", by="test")
    assert AddressLabel.objects.count() == 1
