"""Private ways to the makers of blocks, as senders: strangers do not see what goes there before it is mined.

A relay need not be proven to serve our chain: the signed bytes name it (EIP-155), and no other chain can mine them.
Every send passes the same fence as one to the public pool, and the same rules say what an answer means.
"""

from __future__ import annotations

import os
import secrets
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit, urlunsplit

from eth_account import Account
from eth_account.messages import encode_defunct
from eth_utils.crypto import keccak

from apps.chains.evm.client import EndpointConfig, EvmClient
from apps.chains.evm.endpoint import Endpoint
from apps.chains.evm.jsonrpc import Request, RpcFault, decode_answers, encode_requests
from apps.chains.evm.sender import SEND_MAX_S, EvmSender, Fence
from apps.chains.evm.transport import TransportFault
from apps.domain.errors import ConfigurationError, PlatformError
from apps.domain.market import ChainProfile
from apps.domain.order import SignedTx
from apps.domain.ports import PrivateRelay
from apps.state import fence

KINDS = ("generic", "mev_blocker", "flashbots_protect", "flashbots_relay")
#: Asking a relay to forget a transaction is outside the fence: nothing is sent.
WITHDRAW_MAX_S = 2.0
#: What a relay of Flashbots may tell searchers of a transaction: its hash, which is the least.
_HINTS = ("hash",)
_IDENTITY_FILE = "relay_identity"


@dataclass(frozen=True, slots=True, kw_only=True)
class RelayConfig:
    """One relay as configured. ``key`` is its name in the record of what was sent."""

    key: str
    kind: str
    url: str = field(repr=False)
    timeout_ms: int = 300


def relay_senders(configs: Sequence[RelayConfig], *, profile: ChainProfile) -> tuple[PrivateRelay, ...]:
    """Return senders to a chain's relays, best first. Raises ConfigurationError for one that cannot be used."""
    return tuple(relay_sender(config, profile=profile) for config in configs)


def relay_sender(
    config: RelayConfig,
    *,
    profile: ChainProfile,
    data_dir: Path | None = None,
    passage: Fence = fence.passage,
) -> PrivateRelay:
    """Return the sender to a relay. Raises ConfigurationError, PlatformError when its identity cannot be kept."""
    if config.kind not in KINDS:
        raise ConfigurationError(
            f"The relay {config.key} is of the kind {config.kind!r}, which is not known.",
            remedy=f"Use one of {', '.join(KINDS)}, or switch the relay off in the admin under Relays.",
        )
    if profile.chain_id is None:
        raise ConfigurationError(
            f"{profile.name} has no chain id.", remedy="Give the chain its id in the admin."
        )
    url = protect_url(config.url) if config.kind == "flashbots_protect" else config.url
    endpoint = EndpointConfig(url_http=url, capabilities={"batch": False})
    client = RelayClient([endpoint], chain_id=profile.chain_id)
    if profile.is_sandbox and not client.is_loopback:
        raise ConfigurationError(
            f"The relay {config.key} of sandbox chain {profile.name} is on another machine.",
            remedy="Switch it off in the admin under Relays: sandbox chains are served from 127.0.0.1 only.",
        )
    kind = SignedRelay if config.kind == "flashbots_relay" else RpcRelay
    return kind(config, client, data_dir=data_dir, passage=passage)


def protect_url(url: str) -> str:
    """Return the address of Flashbots Protect with the least hint, unless hints are chosen in it."""
    parts = urlsplit(url)
    if "hint" in parse_qs(parts.query):
        return url
    query = "&".join(filter(None, (parts.query, urlencode([("hint", hint) for hint in _HINTS]))))
    return urlunsplit((parts.scheme, parts.netloc, parts.path or "/", query, ""))


class RpcRelay(EvmSender):
    """A relay that takes eth_sendRawTransaction: Flashbots Protect, MEV Blocker, those of BSC."""

    def __init__(
        self,
        config: RelayConfig,
        client: RelayClient,
        *,
        data_dir: Path | None = None,
        passage: Fence = fence.passage,
    ) -> None:
        super().__init__(
            client, data_dir=data_dir, passage=passage, send_max_s=min(config.timeout_ms / 1_000, SEND_MAX_S)
        )
        self._key = config.key

    @property
    def key(self) -> str:
        """Return the relay's name in the record."""
        return self._key

    def withdraw(self, tx_hash: str) -> bool:
        """Return False: these relays forget a transaction when another of its nonce is mined."""
        return False


class SignedRelay(RpcRelay):
    """A relay that takes eth_sendPrivateTransaction from whoever signs the request: relay.flashbots.net.

    The signature is of an identity that we make once and that owns nothing; a withdrawal needs the same one. Source:
    https://docs.flashbots.net/flashbots-auction/advanced/rpc-endpoint
    """

    def request_of(self, tx: SignedTx) -> Request:
        """Return the request that hands a transaction over, sharing the least with searchers."""
        preferences = {"fast": True, "privacy": {"hints": list(_HINTS)}}
        return "eth_sendPrivateTransaction", ({"tx": "0x" + tx.payload.hex(), "preferences": preferences},)

    def headers_of(self, body: bytes) -> bytes:
        """Return the header with our signature of the body."""
        account = Account.from_key(identity_key(self._data_dir))
        signed = account.sign_message(encode_defunct(text="0x" + keccak(body).hex()))
        return f"X-Flashbots-Signature: {account.address}:0x{bytes(signed.signature).hex()}\r\n".encode(
            "ascii"
        )

    def withdraw(self, tx_hash: str) -> bool:
        """Ask the relay to forget a transaction; False when it did not say that it will."""
        body = encode_requests([("eth_cancelPrivateTransaction", ({"txHash": tx_hash},))], first_id=1)
        deadline = time.monotonic() + WITHDRAW_MAX_S
        pool = self._client.endpoints[0].pool
        try:
            connection, _ = pool.checkout(deadline=deadline)
            try:
                http = connection.post(body, deadline=deadline, headers=self.headers_of(body))
            finally:
                pool.give_back(connection)
            [answer] = decode_answers(http.body, first_id=1, count=1)
        except (TransportFault, ValueError):
            return False
        return not isinstance(answer, RpcFault) and answer is not False


class RelayClient(EvmClient):
    """Connections to a relay, with breaker and rests but without questions about its chain."""

    def verify(self, endpoint: Endpoint, *, deadline: float) -> None:
        """Take the relay as it is: it may answer no question at all."""
        endpoint.verified_at = time.monotonic()

    @property
    def is_loopback(self) -> bool:
        """Tell whether the relay is on this machine."""
        return all(endpoint.pool.address.is_loopback for endpoint in self._endpoints)


def identity_key(data_dir: Path) -> bytes:
    """Return the key that we are known by at relays, made at its first use. It owns nothing and signs no transaction.

    Raises PlatformError when it can neither be read nor made.
    """
    path = data_dir / _IDENTITY_FILE
    try:
        if not path.exists():
            _identity_make(path)
        key = bytes.fromhex(path.read_text(encoding="ascii").strip())
    except (OSError, ValueError) as error:
        raise PlatformError(
            "Our identity at private relays cannot be read or made.",
            remedy=f"Make {path} readable and its folder writable, or delete the file: a new identity is made then.",
        ) from error
    if len(key) != 32:  # a private key's length
        raise PlatformError(
            "Our identity at private relays is damaged.",
            remedy=f"Delete {path}: a new identity is made then.",
        )
    return key


def _identity_make(path: Path) -> None:
    """Make the file whole or not at all; whoever comes second takes the first one's."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".relay_identity")  # readable by us alone
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(secrets.token_bytes(32).hex())
        with suppress(FileExistsError):
            os.link(name, path)
    finally:
        Path(name).unlink(missing_ok=True)
