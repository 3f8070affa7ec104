from __future__ import annotations

from collections.abc import Iterator

import pytest

from apps.discovery.sources.dexscreener import DexScreenerSource
from apps.domain.errors import BadDataError, NetworkError
from apps.domain.market import FeedItem
from tests.discovery.fakes import CHAIN, WRAPPED, FeedServer, address, feed_server

PROFILES, BOOSTS = "/token-profiles/latest/v1", "/token-boosts/latest/v1"
TOKENS = f"/tokens/v1/base/{address(1)},{address(2)},{address(3)}"


@pytest.fixture
def server() -> Iterator[FeedServer]:
    with feed_server() as state:
        state.play(PROFILES, "dexscreener_profiles.json")
        state.play(BOOSTS, "dexscreener_boosts.json")
        state.play(TOKENS, "dexscreener_tokens.json")
        yield state


def _source(server: FeedServer) -> DexScreenerSource:
    return DexScreenerSource(base_url=server.url, chains=lambda: {"base": CHAIN})


def _by_pool(items: tuple[FeedItem, ...]) -> dict[str, FeedItem]:
    return {item.pool_address: item for item in items}


def test_items_when_recorded_then_pools_of_new_and_boosted_tokens(server: FeedServer) -> None:
    items = _by_pool(_source(server).items())
    assert server.asked == [PROFILES, BOOSTS, TOKENS]
    assert set(items) == {*[address(number, kind="b") for number in (1, 2, 3, 4)], "0x" + "6" * 64}
    assert items[address(1, kind="b")] == FeedItem(
        source="dexscreener",
        kind="new",
        chain_key=CHAIN,
        pool_address=address(1, kind="b"),
        base_address=address(1),
        quote_address=WRAPPED,
        dex_name="uniswap",
        created_at_ms=1_790_000_000_000,
        liquidity_usd_micros=20_644_500_000,
        price_usd="0.00004021",
    )
    assert items[address(3, kind="b")].kind == "boosted"
    assert items[address(4, kind="b")].kind == "new"  # the token asked for is the paying side


def test_items_when_fields_are_missing_then_unknown_and_never_zero(server: FeedServer) -> None:
    items = _by_pool(_source(server).items())
    bare = items[address(2, kind="b")]
    assert (bare.liquidity_usd_micros, bare.price_usd, bare.created_at_ms) == (None, None, None)
    no_quote = items[address(3, kind="b")]
    assert (no_quote.quote_address, no_quote.liquidity_usd_micros) == ("", None)


def test_items_when_single_items_are_absurd_then_only_they_are_left_over(server: FeedServer) -> None:
    source = _source(server)
    source.items()
    assert sorted(reject.reason for reject in source.leftovers.rejected) == [
        "base token is not an address",
        "creation time is absurd",
        "liquidity is absurd",
        "not readable: item",
        "not readable: pairCreatedAt",
        "not readable: tokenAddress",
        "pool is not an address",
        "price is absurd",
    ]
    assert all(reject.sample.isprintable() for reject in source.leftovers.rejected)


def test_items_when_chain_is_unknown_then_counted_and_skipped(server: FeedServer) -> None:
    source = _source(server)
    source.items()
    assert source.leftovers.unknown_chains == {"solana": 2, "injective": 1}


def test_items_when_old_shape_then_understood(server: FeedServer) -> None:
    server.play(TOKENS, "dexscreener_tokens_old_shape.json")
    (item,) = _source(server).items()
    assert (item.base_address, item.quote_address) == (address(1), "")


@pytest.mark.parametrize("nothing", [[], {"schemaVersion": "1.0.0", "pairs": None}])
def test_items_when_tokens_are_unknown_there_then_nothing(server: FeedServer, nothing: object) -> None:
    server.tell(TOKENS, nothing)
    source = _source(server)
    assert source.items() == ()
    assert source.leftovers.faults == ()


@pytest.mark.parametrize("garbage", [b"<html>", b'{"a": 1}', b"[" * 100_000, b"[NaN]", b'"text"', b"null"])
def test_items_when_every_answer_is_garbage_then_bad_data(server: FeedServer, garbage: bytes) -> None:
    server.tell(PROFILES, garbage)
    server.tell(BOOSTS, garbage)
    with pytest.raises(BadDataError):
        _source(server).items()


def test_items_when_one_answer_is_garbage_then_the_other_is_used(server: FeedServer) -> None:
    server.tell(BOOSTS, b"<html>")
    server.play(f"/tokens/v1/base/{address(1)},{address(2)}", "dexscreener_tokens.json")
    source = _source(server)
    assert source.items()
    assert [fault.code for fault in source.leftovers.faults] == ["BAD_DATA"]


def test_items_when_feed_is_away_then_network_error() -> None:
    with feed_server() as state:
        url = state.url
    with pytest.raises(NetworkError, match="did not answer"):
        DexScreenerSource(base_url=url, chains=lambda: {"base": CHAIN}).items()


def test_items_when_no_chain_has_a_name_there_then_nothing_is_asked(server: FeedServer) -> None:
    assert DexScreenerSource(base_url=server.url, chains=dict).items() == ()
    assert server.asked == []
