"""Signing: the only holder of decrypted keys."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from django.utils import timezone
from eth_account import Account
from eth_utils.crypto import keccak

from apps.domain.engine import Mode
from apps.domain.errors import ConfigurationError, KeystoreError
from apps.domain.events import EventKind
from apps.domain.ids import ChainKey
from apps.domain.market import ChainProfile
from apps.domain.order import Side, SignedTx, UnsignedTx
from apps.state.fence import passage
from apps.state.services.events import event_record
from apps.wallets.keystore import (
    FOLDER_NAME,
    SCRYPT_N_LIVE,
    SCRYPT_N_SANDBOX,
    Key,
    KeyFile,
    key_create,
    key_load,
)
from apps.wallets.logic.permission import WalletView, refusal_of_lock, refusal_to_sign
from apps.wallets.loopback import are_loopback
from apps.wallets.remote import RemoteKeys
from apps.wallets.selectors import wallet_view

DATA_MAX_BYTES = 128 * 1024  # the largest transaction that nodes accept


class SigningEnvironment(Protocol):
    """What of the environment concerns signing; ``settings.ENV`` has it all."""

    @property
    def mode(self) -> str:
        """Return sandbox, paper or live."""

    @property
    def live_trading(self) -> bool:
        """Tell whether the second switch of live trading is on."""

    @property
    def data_dir(self) -> Path:
        """Return the folder that holds keystore, latch and locks."""

    @property
    def keystore_password(self) -> str:
        """Return the password of the key files."""

    @property
    def remote_signer_url(self) -> str:
        """Return where the remote signer answers, "" when there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningChain:
    """A chain to sign for. ``genesis_read`` asks its endpoint for the hash of block 0 (sandbox chains only)."""

    profile: ChainProfile
    endpoint_urls: tuple[str, ...]
    genesis_read: Callable[[], str]


class KeystoreSigner:
    """Signs EIP-1559 transactions with keys from the keystore folder. Thread-safe.

    A key is decrypted at its wallet's first use and kept in memory, nowhere else. Each signature passes the fence.
    """

    def __init__(
        self, *, data_dir: Path, password: str, mode: Mode, live_trading: bool, remote_url: str = ""
    ) -> None:
        self._remote = RemoteKeys(remote_url) if remote_url else None
        self._data_dir = data_dir
        self._password = password
        self._mode = mode
        self._live_trading = live_trading
        self._lock = threading.Lock()
        self._keys: dict[str, Key] = {}
        self._chains: dict[ChainKey, SigningChain] = {}
        self._genesis_seen: set[ChainKey] = set()

    @classmethod
    def from_settings(cls, environment: SigningEnvironment) -> KeystoreSigner:
        """Return a signer for this process's environment."""
        return cls(
            data_dir=environment.data_dir,
            password=environment.keystore_password,
            mode=environment.mode,  # type: ignore[arg-type]  # checked where the environment is read
            live_trading=environment.live_trading,
            remote_url=environment.remote_signer_url,
        )

    def __repr__(self) -> str:
        return f"<KeystoreSigner {self._mode}, {len(self._keys)} keys>"

    def __reduce__(self) -> str:
        raise TypeError("a signer is not to be copied out of its process")

    def admit(self, chain: SigningChain) -> None:
        """Make a chain known; for any other nothing is signed."""
        with self._lock:
            self._chains[chain.profile.chain_key] = chain
            self._genesis_seen.discard(chain.profile.chain_key)

    def address(self, wallet_key: str) -> str:
        """Return the wallet's public address. Raises ConfigurationError when there is no such wallet."""
        return wallet_view(wallet_key).address

    def unlock(self, wallet_key: str) -> None:
        """Decrypt the wallet's key ahead of its first use: it takes half a second in live. Raises KeystoreError.

        Of a remote signer's wallet: make sure that the signer has the key.
        """
        wallet = wallet_view(wallet_key)
        if wallet.signer == "remote":
            self._remote_keys(wallet).public_key_of(wallet.address)
        else:
            self._key_of(wallet)

    def sign(self, tx: UnsignedTx, *, client_order_id: str, epoch: int) -> SignedTx:
        """Return the signed transaction. Raises EpochClosedError, KeystoreError or ConfigurationError; then nothing
        was signed.
        """
        chain = self._chains.get(tx.chain_key)
        if chain is None:
            raise ConfigurationError(
                f"Nothing is signed for {tx.chain_key}: the chain is not admitted.",
                remedy="Enable the chain in the admin under Chains and restart.",
            )
        wallet, side = wallet_view(tx.wallet_key), _side_of(tx)
        self._check(wallet, chain)
        self._check_lock(wallet, chain, is_entry=side == "buy")
        fields = _fields_of(tx, chain_id=chain.profile.chain_id)
        make = self._maker(wallet)
        with passage(epoch=epoch, side=side, data_dir=self._data_dir):
            payload = make(fields)
        return SignedTx(
            client_order_id=client_order_id,  # type: ignore[arg-type]  # the port passes it as plain text
            chain_key=tx.chain_key,
            purpose=tx.purpose,
            tx_hash="0x" + keccak(payload).hex(),
            nonce=tx.nonce,
            epoch=epoch,
            max_cost_raw=tx.gas_limit * tx.max_fee_wei,
            payload=payload,
        )

    def _maker(self, wallet: WalletView) -> Callable[[dict[str, object]], bytes]:
        """Return what signs with this wallet's key, wherever that lies; opened before the fence is passed."""
        if wallet.signer == "remote":
            remote = self._remote_keys(wallet)
            remote.public_key_of(wallet.address)
            return lambda fields: remote.sign(fields, address=wallet.address)
        key = self._key_of(wallet)
        return lambda fields: bytes(Account.sign_transaction(fields, key.reveal()).raw_transaction)

    def _remote_keys(self, wallet: WalletView) -> RemoteKeys:
        if self._remote is None:
            raise KeystoreError(
                f"Wallet {wallet.key} is a remote signer's, and there is none.",
                remedy="Set DEXSNIPER_REMOTE_SIGNER_URL.",
                wallet=wallet.key,
            )
        return self._remote

    def _check_lock(self, wallet: WalletView, chain: SigningChain, *, is_entry: bool) -> None:
        """Heed the wallet's lock; a locked wallet's key is forgotten at once."""
        refusal = refusal_of_lock(
            wallet=wallet,
            chain_key=chain.profile.chain_key,
            is_entry=is_entry,
            now_ms=int(timezone.now().timestamp() * 1000),
        )
        if refusal is None:
            return
        if wallet.is_locked:
            with self._lock:
                self._keys.pop(wallet.key, None)
        raise KeystoreError(refusal.message, remedy=refusal.remedy, wallet=wallet.key)

    def _check(self, wallet: WalletView, chain: SigningChain) -> None:
        refusal = refusal_to_sign(
            wallet=wallet,
            profile=chain.profile,
            endpoints_are_local=are_loopback(chain.endpoint_urls),
            mode=self._mode,
            live_trading=self._live_trading,
        )
        if refusal is not None:
            raise KeystoreError(refusal.message, remedy=refusal.remedy, wallet=wallet.key)
        if chain.profile.is_sandbox and chain.profile.chain_key not in self._genesis_seen:
            if chain.genesis_read() != chain.profile.genesis_hash:
                raise KeystoreError(
                    f"The endpoint of {chain.profile.name} is not the chain that this sandbox made.",
                    remedy="Stop what else listens on its port, then start with `manage.py up`.",
                )
            self._genesis_seen.add(chain.profile.chain_key)

    def _key_of(self, wallet: WalletView) -> Key:
        with self._lock:
            key = self._keys.get(wallet.key)
            if key is not None and key.address == wallet.address:
                return key
            key = key_load(path=self._data_dir / FOLDER_NAME / wallet.keystore_file, password=self._password)
            if key.address != wallet.address:
                raise KeystoreError(
                    f"The key file of {wallet.key} holds the key of {key.address}, not of {wallet.address}.",
                    remedy="Bring the wallet's own file back from your backup of the keystore folder.",
                )
            self._keys[wallet.key] = key
        event_record(
            kind=EventKind.KEY_USED,
            summary=f"Key of {wallet.key} was unlocked",
            subject=f"wallet:{wallet.key}",
        )
        return key


def wallet_key_make(*, data_dir: Path, wallet_key: str, password: str, is_sandbox: bool) -> KeyFile:
    """Make a new key in the keystore folder. Return its file and address. Raises KeystoreError."""
    return key_create(
        folder=data_dir / FOLDER_NAME,
        wallet_key=wallet_key,
        password=password,
        scrypt_n=SCRYPT_N_SANDBOX if is_sandbox else SCRYPT_N_LIVE,
    )


def _side_of(tx: UnsignedTx) -> Side:
    """Return what the fence is asked for: what spends the chain's own coin is an entry, all else helps an exit."""
    return "buy" if tx.purpose in ("swap", "wrap") and tx.value_raw > 0 else "sell"


def _fields_of(tx: UnsignedTx, *, chain_id: int | None) -> dict[str, object]:
    assert tx.nonce is not None, "an EVM transaction has a nonce"
    assert tx.nonce >= 0, tx.nonce
    assert tx.value_raw >= 0, tx.value_raw
    assert tx.gas_limit > 0, tx.gas_limit
    assert 0 <= tx.tip_wei <= tx.max_fee_wei, (tx.tip_wei, tx.max_fee_wei)
    assert len(tx.data) <= DATA_MAX_BYTES, len(tx.data)
    return {
        "type": 2,
        "chainId": chain_id,
        "nonce": tx.nonce,
        "to": tx.to,
        "value": tx.value_raw,
        "data": tx.data,
        "gas": tx.gas_limit,
        "maxFeePerGas": tx.max_fee_wei,
        "maxPriorityFeePerGas": tx.tip_wei,
        "accessList": [],
    }
