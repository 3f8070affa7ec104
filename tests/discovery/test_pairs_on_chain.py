"""Discovery against a real local chain: real factory logs, real hostile tokens."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from eth_abi.abi import encode

from apps.chains.evm.dex.uniswap_v2 import UniswapV2PairSource
from apps.discovery.models import FeedSighting, Pair
from apps.discovery.services.feeds import feed_scan
from apps.discovery.services.listings import listings_register
from apps.domain.market import ChainEvent, FeedItem
from tests.chain_fixtures import Market, calldata, deploy, running_market, transact_ok
from tests.chains.evm.deployment import DEX_KEY, chain_key, client_of, dex_of, profile_of, reader_of
from tests.discovery.fakes import FakePorts, FakeSource

pytestmark = [pytest.mark.chain, pytest.mark.django_db]

AS_IS, REVERTS, BURNS_GAS = 0, 1, 2
PAIRS = 30


@pytest.fixture(scope="module")
def market() -> Iterator[Market]:
    with running_market() as market:
        yield market


def _text(value: str) -> tuple[int, bytes]:
    return AS_IS, encode(["string"], [value])


def _number(value: int) -> tuple[int, bytes]:
    return AS_IS, encode(["uint256"], [value])


def _created(market: Market, token: str) -> ChainEvent:
    """Create the pool of this token and return its event as the factory's log tells it."""
    data = calldata("createPair(address,address)", token, market.dex.wrapped)
    transact_ok(market.rpc, market.chain.accounts[0], to=market.dex.factory, data=data)
    return _newest_event(market)


def _launched(market: Market) -> ChainEvent:
    """Deploy a token that creates its pool by itself, and return the pool's event."""
    deploy(
        market.rpc, market.chain.accounts[0], "StandardToken", "Sample", "SMPL", 18, 10**27, market.dex.router
    )
    return _newest_event(market)


def _newest_event(market: Market) -> ChainEvent:
    head = int(market.rpc("eth_blockNumber"), 16)
    (event,) = UniswapV2PairSource(client_of(market), dex_of(market)).events(head, head)
    return event


def _odd_token(market: Market, *answers: tuple[int, bytes]) -> str:
    return deploy(market.rpc, market.chain.accounts[0], "OddMetadataToken", 10**27, *answers)


def _register(market: Market, *events: ChainEvent) -> list[str]:
    registered = listings_register(
        events=events, reader=reader_of(market), chain=profile_of(market), dexes={DEX_KEY: dex_of(market)}
    )
    return [item.listing.base.symbol for item in registered]


def test_register_when_tokens_are_hostile_then_each_is_cleaned_or_set_aside(market: Market) -> None:
    supply, eighteen = _number(10**27), _number(18)
    bytes32 = AS_IS, b"MKR".ljust(32, b"\0")
    tokens = {
        "bytes32": _odd_token(market, bytes32, bytes32, eighteen, supply),
        "right to left": _odd_token(
            market, _text("evil\u202egnp.exe"), _text("U\u200bS\x00DT"), eighteen, supply
        ),
        "9 kB": _odd_token(market, _text("n" * 9_000), _text("LONG"), eighteen, supply),
        "reverts": _odd_token(market, (REVERTS, b""), (REVERTS, b"x" * 500), (REVERTS, b""), (REVERTS, b"")),
        "burns gas": _odd_token(market, *[(BURNS_GAS, b"")] * 4),
        "absurd decimals": _odd_token(market, _text("Odd"), _text("ODD"), _number(2**255), supply),
    }
    events = {name: _created(market, token) for name, token in tokens.items()}
    symbols = _register(market, *events.values())
    assert len(symbols) == 3
    assert symbols[0] == "MKR"
    pairs = {pair.base.address: pair for pair in Pair.objects.select_related("base")}
    aside = {name for name, token in tokens.items() if pairs[token].quarantine_code}
    assert aside == {"reverts", "burns gas", "absurd decimals"}
    assert {pairs[tokens[name]].quarantine_code for name in aside} == {"DECIMALS_UNKNOWN"}
    for pair in pairs.values():
        assert pair.base.symbol.isprintable()
        assert pair.base.name.isprintable()
        assert pair.creator == market.chain.accounts[0].address
    assert all(pairs[token].base.faults for token in tokens.values())


def test_register_when_block_creates_many_then_quick(market: Market) -> None:
    events = [_launched(market) for _ in range(PAIRS)]
    started = time.perf_counter()
    assert len(_register(market, *events)) == PAIRS
    print(f"{PAIRS} pairs were read and registered in {(time.perf_counter() - started) * 1000:.0f} ms")
    assert _register(market, *events) == []


def test_scan_when_feed_names_a_real_and_a_false_pool_then_only_the_real_one_is_registered(
    market: Market,
) -> None:
    event = _launched(market)
    token = event.token1 if event.token0 == market.dex.wrapped else event.token0

    def item(pool: str) -> FeedItem:
        return FeedItem(
            source="dexscreener",
            kind="new",
            chain_key=chain_key(market),
            pool_address=pool.lower(),
            base_address=token.lower(),
            quote_address=market.dex.wrapped.lower(),
            dex_name="uniswap",
            created_at_ms=None,
            liquidity_usd_micros=None,
            price_usd=None,
        )

    source = FakeSource(name="dexscreener", shows=[item(event.pool_address), item(token)])
    ports = FakePorts(reader_of(market), profile=profile_of(market), dexes={DEX_KEY: dex_of(market)})
    (new,) = feed_scan(source=source, ports=lambda _: ports)
    assert new.listing.pool_address == event.pool_address
    assert Pair.objects.get().created_block_hash == event.block.hash
    outcomes = dict(FeedSighting.objects.values_list("pair_key", "outcome"))
    assert sorted(outcomes.values()) == ["registered", "unconfirmed"]
