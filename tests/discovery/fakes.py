"""A chain and a web feed that stand still, for tests of discovery."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from apps.chains.models import Chain, Endpoint, StableToken
from apps.domain.errors import NetworkError
from apps.domain.ids import ChainKey, PairKey, pair_key_of, trace_id_of
from apps.domain.market import (
    BlockRef,
    ChainEvent,
    ChainProfile,
    DexProfile,
    FeedItem,
    FeedLeftovers,
    PoolReserves,
    PoolSwap,
    PoolTokens,
    TokenMetadata,
)
from apps.domain.money import Token

RECORDINGS = Path(__file__).parent / "recordings"
CHAIN = ChainKey("eip155:31337001")
WRAPPED = "0x" + "e0" * 20
STABLE = "0x" + "d0" * 20
FACTORY = "0x" + "fa" * 20
CREATOR = "0x" + "c0" * 20
START_MS = 1_790_000_000_000


def address(number: int, *, kind: str = "a") -> str:
    """Return an address; tokens are of kind "a", pools of kind "b"."""
    return f"0x{kind}{number:039x}"


PROFILE = ChainProfile(
    chain_key=CHAIN,
    name="Local Base",
    family="evm",
    chain_id=31337001,
    native=Token(CHAIN, "native", "ETH", 18),
    wrapped_native=Token(CHAIN, WRAPPED, "WETH", 18),
    stables=(Token(CHAIN, STABLE, "USDC", 6),),
    block_time_ms=2_000,
    confirmation_depth=10,
    base_fee_min_wei=0,
    tip_min_wei=0,
    is_sandbox=True,
    genesis_hash="",
)
DEXES = {
    "uniswap_v2": DexProfile(
        chain_key=CHAIN,
        dex_key="uniswap_v2",
        kind="uniswap_v2",
        name="Uniswap V2",
        factory=FACTORY,
        router="0x" + "f0" * 20,
        fee_bps=30,
    )
}


def chain_row(**changes: Any) -> Chain:
    """Store the chain of PROFILE."""
    values: dict[str, Any] = {
        "key": CHAIN,
        "name": "Local Base",
        "chain_id": 31337001,
        "native_symbol": "ETH",
        "wrapped_native_address": WRAPPED,
        "wrapped_native_symbol": "WETH",
        "is_sandbox": True,
        "dexscreener_slug": "base",
        "geckoterminal_slug": "base",
    }
    chain = Chain.objects.create(**(values | changes))
    StableToken.objects.create(chain=chain, address=STABLE, symbol="USDC", decimals=6)
    Endpoint.objects.create(chain=chain, url_http="http://127.0.0.1:1")
    return chain


def block(number: int, *, fork: str = "") -> BlockRef:
    return BlockRef(number, f"0x{fork or '0'}{number:063x}", START_MS + number * 2_000)


def event(
    number: int, *, at: BlockRef | None = None, token0: str = "", token1: str = WRAPPED, **changes: Any
) -> ChainEvent:
    """Return the creation of pool ``number`` of token ``number`` against the wrapped coin."""
    values: dict[str, Any] = {
        "chain_key": CHAIN,
        "dex_key": "uniswap_v2",
        "kind": "pair_created",
        "pool_address": address(number, kind="b"),
        "token0": token0 or address(number),
        "token1": token1,
        "block": at or block(100),
        "tx_hash": f"0x{number:064x}",
        "log_index": number,
    }
    return ChainEvent(**(values | changes))


def reserves(number: int, *, base: int, quote: int, at: BlockRef) -> PoolReserves:
    return PoolReserves(pair_key=key_of(number), base_raw=base, quote_raw=quote, block=at)


def swap(number: int, *, at: BlockRef, log_index: int = 0, side: Any = "buy") -> PoolSwap:
    return PoolSwap(
        pair_key=key_of(number),
        side=side,
        base_raw=5,
        quote_raw=7,
        trader=CREATOR,
        tx_hash=f"0x{at.number:064x}",
        log_index=log_index,
        block=at,
    )


def key_of(number: int) -> PairKey:
    return pair_key_of(CHAIN, address(number, kind="b"))


def trace_of(number: int) -> str:
    return trace_id_of(key_of(number), 1)


@dataclass
class FakeReader:
    """The parts of ChainReader that discovery uses. Tokens answer sensibly unless told otherwise."""

    profile: ChainProfile = PROFILE
    metadata: dict[str, TokenMetadata] = field(default_factory=dict)
    silent: set[str] = field(default_factory=set)  # tokens that are absent from the answer
    pools: dict[str, PoolTokens] = field(default_factory=dict)
    creations: dict[str, ChainEvent] = field(default_factory=dict)
    fails: set[str] = field(default_factory=set)  # methods that raise NetworkError
    calls: list[tuple[str, int]] = field(default_factory=list)
    barrier: threading.Barrier | None = None

    def token_metadata(self, addresses: Sequence[str]) -> Mapping[str, TokenMetadata]:
        self._called("token_metadata", len(addresses))
        return {
            item: self.metadata.get(item, described(item)) for item in addresses if item not in self.silent
        }

    def senders(self, tx_hashes: Sequence[str]) -> Mapping[str, str]:
        self._called("senders", len(tx_hashes))
        return dict.fromkeys(tx_hashes, CREATOR)

    def pool_tokens(self, pool_addresses: Sequence[str]) -> Mapping[str, PoolTokens]:
        self._called("pool_tokens", len(pool_addresses))
        return {item: self.pools[item.lower()] for item in pool_addresses if item.lower() in self.pools}

    def pool_creations(self, pools: Sequence[PoolTokens]) -> Mapping[str, ChainEvent]:
        self._called("pool_creations", len(pools))
        wanted = {item.pool_address for item in pools}
        return {key: value for key, value in self.creations.items() if key in wanted}

    def holds(self, created: ChainEvent) -> None:
        """Let the pool of this event exist."""
        self.pools[created.pool_address.lower()] = PoolTokens(
            pool_address=created.pool_address, factory=FACTORY, token0=created.token0, token1=created.token1
        )
        self.creations[created.pool_address] = created

    def _called(self, method: str, count: int) -> None:
        self.calls.append((method, count))
        if self.barrier is not None and method == "senders":
            self.barrier.wait(timeout=5)
        if method in self.fails:
            raise NetworkError(f"{method} was not answered")


def described(token: str, **changes: Any) -> TokenMetadata:
    values: dict[str, Any] = {
        "address": token,
        "name": "Sample",
        "symbol": "SMPL",
        "decimals": 18,
        "total_supply_raw": 10**27,
    }
    return TokenMetadata(**(values | changes))


@dataclass
class FakePorts:
    reader: Any
    profile: ChainProfile = PROFILE
    dexes: Mapping[str, DexProfile] = field(default_factory=lambda: DEXES)


@dataclass
class FakeSource:
    name: str = "geckoterminal"
    shows: list[FeedItem] = field(default_factory=list)
    leftovers: FeedLeftovers = field(default_factory=FeedLeftovers)

    def items(self) -> tuple[FeedItem, ...]:
        return tuple(self.shows)


def feed_item(created: ChainEvent, **changes: Any) -> FeedItem:
    values: dict[str, Any] = {
        "source": "geckoterminal",
        "kind": "new",
        "chain_key": CHAIN,
        "pool_address": created.pool_address,
        "base_address": created.token0,
        "quote_address": created.token1,
        "dex_name": "uniswap_v2",
        "created_at_ms": None,
        "liquidity_usd_micros": None,
        "price_usd": None,
    }
    return FeedItem(**(values | changes))


# -- a feed over HTTP ---------------------------------------------------------------------
@dataclass
class FeedServer:
    """Answers paths with what it was told; remembers what it was asked."""

    url: str = ""
    answers: dict[str, tuple[int, bytes, dict[str, str]]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    queries: list[str] = field(default_factory=list)

    def tell(self, path: str, body: Any, *, status: int = 200, headers: dict[str, str] | None = None) -> None:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.answers[path] = (status, raw, headers or {})

    def play(self, path: str, recording: str) -> None:
        self.tell(path, (RECORDINGS / recording).read_bytes())


@contextmanager
def feed_server() -> Iterator[FeedServer]:
    state = FeedServer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            state.asked.append(path)
            state.queries.append(self.path.partition("?")[2])
            state.headers.append(dict(self.headers))
            status, body, headers = state.answers.get(path, (404, b'{"errors": [{"status": "404"}]}', {}))
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    state.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=5)
