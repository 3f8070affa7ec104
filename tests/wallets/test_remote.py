"""A remote signer over real HTTP: the same bytes as a key of our own, the same fence, and nothing believed unseen."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account
from eth_keys.datatypes import PrivateKey
from eth_utils.crypto import keccak

from apps.domain.errors import ConfigurationError, EpochClosedError, KeystoreError
from apps.state.services.engine import engine_pause, engine_start, installation_prepare, killswitch_pull
from apps.wallets.models import Wallet
from apps.wallets.services.wallets import wallet_add_remote, wallet_lock
from apps.wallets.signing import KeystoreSigner
from dexsniper import env
from tests.wallets.test_signing import ORDER, chain_of, tx_of

CURVE_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


@dataclass
class RemoteServer:
    """Signs as Web3Signer's eth1 API does; ``manner`` makes it misbehave."""

    key: PrivateKey = field(default_factory=lambda: PrivateKey(keccak(text="remote")))
    manner: str = ""
    asked: list[str] = field(default_factory=list)
    url: str = ""

    @property
    def address(self) -> str:
        return str(self.key.public_key.to_checksum_address())

    def answer(self, path: str, body: bytes) -> tuple[int, str]:
        self.asked.append(path)
        if path == "/api/v1/eth1/publicKeys":
            return 200, json.dumps(["0x" + self.key.public_key.to_bytes().hex()])
        if self.manner == "refuses":
            return 404, "no such key"
        if self.manner == "hangs":
            time.sleep(2)
        if self.manner == "babbles":
            return 200, "hello"
        data = bytes.fromhex(json.loads(body)["data"].removeprefix("0x"))
        key = PrivateKey(keccak(text="another")) if self.manner == "wrong key" else self.key
        made = key.sign_msg_hash(keccak(data))
        r, s, v = made.r, made.s, made.v
        if self.manner == "high s":
            s, v = CURVE_ORDER - s, 1 - v
        return 200, "0x" + r.to_bytes(32, "big").hex() + s.to_bytes(32, "big").hex() + bytes([v + 27]).hex()


@pytest.fixture
def remote() -> Iterator[RemoteServer]:
    server = RemoteServer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._reply(b"")

        def do_POST(self) -> None:
            self._reply(self.rfile.read(int(self.headers["Content-Length"])))

        def _reply(self, body: bytes) -> None:
            status, text = server.answer(self.path, body)
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *args: object) -> None:
            """Say nothing."""

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.url = f"http://127.0.0.1:{http.server_address[1]}"
    threading.Thread(target=http.serve_forever, daemon=True).start()
    yield server
    http.shutdown()
    http.server_close()


@pytest.fixture
def signer(db: None, settings: Any, data_dir: Path, remote: RemoteServer) -> KeystoreSigner:
    settings.ENV = replace(settings.ENV, remote_signer_url=remote.url)
    installation_prepare(mode="sandbox")
    wallet_add_remote(key="trader", address=remote.address.lower(), by="test")
    made = KeystoreSigner.from_settings(settings.ENV)
    made.admit(chain_of())
    return made


@pytest.fixture
def epoch(signer: KeystoreSigner) -> int:
    return engine_start(by="test", reason="test").epoch


@pytest.mark.parametrize("manner", ["", "high s"])
def test_remote_signature_then_is_byte_for_byte_that_of_a_key_of_our_own(
    signer: KeystoreSigner, epoch: int, remote: RemoteServer, manner: str
):
    remote.manner = manner
    signed = signer.sign(tx_of(), client_order_id=ORDER, epoch=epoch)
    own = Account.sign_transaction(
        {
            "type": 2,
            "chainId": chain_of().profile.chain_id,
            "nonce": 7,
            "to": tx_of().to,
            "value": 10**17,
            "data": bytes(range(256)),
            "gas": 300_000,
            "maxFeePerGas": 3 * 10**9,
            "maxPriorityFeePerGas": 10**8,
            "accessList": [],
        },
        remote.key.to_bytes(),
    )
    assert signed.payload == bytes(own.raw_transaction)
    assert signed.tx_hash == "0x" + bytes(own.hash).hex()
    assert Account.recover_transaction(signed.payload) == remote.address == Wallet.objects.get().address


@pytest.mark.parametrize(
    ("manner", "words"),
    [
        ("wrong key", "not that of"),
        ("babbles", "no signature"),
        ("refuses", "HTTP 404"),
        ("hangs", "did not answer"),
    ],
)
def test_remote_signer_that_misbehaves_then_nothing_is_signed(
    signer: KeystoreSigner, epoch: int, remote: RemoteServer, manner: str, words: str
):
    remote.manner = manner
    started = time.monotonic()
    with pytest.raises(KeystoreError, match=words):
        signer.sign(tx_of(), client_order_id=ORDER, epoch=epoch)
    assert time.monotonic() - started < 1.5


def test_fence_when_shut_then_the_remote_signer_is_not_asked_to_sign(
    signer: KeystoreSigner, epoch: int, remote: RemoteServer
):
    engine_pause(by="test", reason="test")
    signer.sign(tx_of(value_raw=0), client_order_id=ORDER, epoch=epoch)
    with pytest.raises(EpochClosedError):
        signer.sign(tx_of(), client_order_id=ORDER, epoch=epoch)
    killswitch_pull(by="test", reason="test", close_positions=False)
    remote.asked.clear()
    with pytest.raises(EpochClosedError):
        signer.sign(tx_of(value_raw=0), client_order_id=ORDER, epoch=epoch)
    assert not any("sign/" in path for path in remote.asked)


def test_wallet_when_locked_then_the_remote_signer_is_not_asked_at_all(
    signer: KeystoreSigner, epoch: int, remote: RemoteServer
):
    wallet_lock(key="trader", by="test")
    remote.asked.clear()
    with pytest.raises(KeystoreError, match="locked"):
        signer.sign(tx_of(value_raw=0), client_order_id=ORDER, epoch=epoch)
    assert remote.asked == []


def test_wallet_of_a_key_that_the_signer_has_not_then_is_not_made(signer: KeystoreSigner):
    with pytest.raises(KeystoreError, match="has no key"):
        wallet_add_remote(key="other", address="0x" + "1" * 40, by="test")
    with pytest.raises(ConfigurationError):
        wallet_add_remote(key="Bad Name", address="0x" + "1" * 40, by="test")


def test_signer_that_is_gone_then_says_so(settings: Any, db: None, data_dir: Path):
    settings.ENV = replace(settings.ENV, remote_signer_url="http://127.0.0.1:1")
    with pytest.raises(KeystoreError, match="did not answer"):
        wallet_add_remote(key="trader", address="0x" + "1" * 40, by="test")
    settings.ENV = replace(settings.ENV, remote_signer_url="")
    with pytest.raises(KeystoreError, match="no remote signer"):
        wallet_add_remote(key="trader", address="0x" + "1" * 40, by="test")


@pytest.mark.parametrize(
    ("url", "is_fine"),
    [("https://signer.example", True), ("http://127.0.0.1:9000", True), ("http://signer.example", False)],
)
def test_address_of_the_signer_then_plain_http_is_for_this_machine_alone(url: str, is_fine: bool):
    if is_fine:
        assert env._signer_url(url) == url
    else:
        with pytest.raises(ValueError, match="signer"):
            env._signer_url(url)
