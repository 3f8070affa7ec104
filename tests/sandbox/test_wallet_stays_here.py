"""The sandbox's wallet signs for the sandbox's own chains and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from apps.chains import selectors as chains
from apps.domain.errors import KeystoreError
from apps.domain.ids import ChainKey, WalletKey
from apps.domain.market import ChainProfile
from apps.domain.order import UnsignedTx
from apps.sandbox.driver import fund_trader
from apps.sandbox.life import ChainLife
from apps.sandbox.rows import rows_write
from apps.state.services.engine import engine_start, installation_prepare
from apps.wallets.services.wallets import wallet_default
from apps.wallets.signing import KeystoreSigner, SigningChain
from tests.sandbox.chains import BASE, living_chain

pytestmark = [pytest.mark.chain, pytest.mark.django_db]


@pytest.fixture(autouse=True)
def data_dir(settings, tmp_path: Path) -> Path:
    settings.DATA_DIR = tmp_path
    settings.ENV = replace(settings.ENV, data_dir=tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def life() -> Iterator[ChainLife]:
    with living_chain(BASE, seed=1) as life:
        yield life


def genesis_of(life: ChainLife) -> str:
    [block] = life.rpc.batch([("eth_getBlockByNumber", ("0x0", False))])
    return str(block["hash"])


def sign(signer: KeystoreSigner, chain_key: str, *, epoch: int) -> bytes:
    tx = UnsignedTx(
        chain_key=ChainKey(chain_key),
        wallet_key=WalletKey("trader"),
        purpose="swap",
        nonce=0,
        to="0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
        value_raw=1,
        data=b"",
        gas_limit=21_000,
        max_fee_wei=10**10,
        tip_wei=10**9,
    )
    return signer.sign(tx, client_order_id="a:1:entry", epoch=epoch).payload


def test_wallet_when_elsewhere_than_on_its_own_chain_then_nothing_is_signed(
    settings, life: ChainLife
) -> None:
    installation_prepare(mode="sandbox")
    epoch = engine_start(by="test", reason="test").epoch
    fund_trader(BASE, life.rpc)
    rows_write(life.at, seed=1)
    signer = KeystoreSigner.from_settings(settings.ENV)
    here = chains.chain_profile(BASE.key)

    def admit(profile: ChainProfile, url: str, genesis: str) -> None:
        signer.admit(SigningChain(profile=profile, endpoint_urls=(url,), genesis_read=lambda: genesis))

    own = genesis_of(life)
    real = replace(here, chain_key=ChainKey("eip155:8453"), chain_id=8453, is_sandbox=False, genesis_hash="")
    for profile, url, genesis in (
        (real, life.at.url, own),
        (real, "https://mainnet.base.org", own),
        (here, "https://mainnet.base.org", own),
        (here, life.at.url, "0x" + "12" * 32),
    ):
        admit(profile, url, genesis)
        with pytest.raises(KeystoreError):
            sign(signer, profile.chain_key, epoch=epoch)
    admit(here, life.at.url, own)
    raw = sign(signer, here.chain_key, epoch=epoch)
    assert life.rpc.call("eth_sendRawTransaction", "0x" + raw.hex())


def test_wallet_when_funded_again_then_the_books_coins_are_left_alone(life: ChainLife) -> None:
    fund_trader(BASE, life.rpc)
    address = wallet_default(family="evm").address
    funded = BASE.trader_balance_units * 10**18
    assert int(life.rpc.call("eth_getBalance", address, "latest"), 16) == funded
    life.rpc.call("anvil_setBalance", address, hex(7))
    fund_trader(BASE, life.rpc)
    assert int(life.rpc.call("eth_getBalance", address, "latest"), 16) == 7
