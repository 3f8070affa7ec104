from __future__ import annotations

from collections.abc import Iterator

import pytest

from apps.discovery.sources.claims import SenselessError, price_text
from apps.discovery.sources.geckoterminal import GeckoTerminalSource
from apps.domain.errors import BadDataError
from apps.domain.ids import ChainKey
from apps.domain.market import FeedItem
from tests.discovery.fakes import CHAIN, WRAPPED, FeedServer, address, feed_server

NEW, TRENDING = "/networks/base/new_pools", "/networks/base/trending_pools"


class _Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def server() -> Iterator[FeedServer]:
    with feed_server() as state:
        state.play(NEW, "geckoterminal_new_pools.json")
        state.play(TRENDING, "geckoterminal_trending_pools.json")
        yield state


def _source(server: FeedServer, clock: _Clock | None = None, **chains: str) -> GeckoTerminalSource:
    names = {name: ChainKey(key) for name, key in (chains or {"base": CHAIN}).items()}
    return GeckoTerminalSource(base_url=server.url, chains=lambda: names, clock=clock or _Clock())


def test_items_when_recorded_then_new_pools(server: FeedServer) -> None:
    items = {item.pool_address: item for item in _source(server).items()}
    assert set(items) == {*[address(number, kind="b") for number in (1, 2, 8)], "0x" + "5" * 64}
    assert items[address(1, kind="b")] == FeedItem(
        source="geckoterminal",
        kind="new",
        chain_key=CHAIN,
        pool_address=address(1, kind="b"),
        base_address=address(1),
        quote_address=WRAPPED,
        dex_name="uniswap_v2_base",
        created_at_ms=1_790_002_697_000,
        liquidity_usd_micros=20_644_510_000,
        price_usd="0.0000462785114387554",
    )
    assert server.headers[0]["Accept"] == "application/json;version=20230302"


def test_items_when_fields_are_null_then_unknown_and_never_zero(server: FeedServer) -> None:
    items = {item.pool_address: item for item in _source(server).items()}
    bare = items[address(2, kind="b")]
    assert (bare.liquidity_usd_micros, bare.price_usd, bare.created_at_ms) == (None, None, None)
    assert (items[address(8, kind="b")].quote_address, items[address(8, kind="b")].dex_name) == ("", "")


def test_items_when_single_items_are_absurd_then_only_they_are_left_over(server: FeedServer) -> None:
    source = _source(server)
    source.items()
    assert sorted(reject.reason for reject in source.leftovers.rejected) == [
        "base token is of another network",
        "creation time is not readable",
        "liquidity is absurd",
        "not readable: attributes, relationships",
        "price is absurd",
    ]


def test_items_when_error_object_then_bad_data(server: FeedServer) -> None:
    server.play(NEW, "geckoterminal_errors.json")
    with pytest.raises(BadDataError, match="without a list"):
        _source(server).items()


def test_items_when_a_minute_has_passed_then_trending_too(server: FeedServer) -> None:
    clock = _Clock()
    source = _source(server, clock)
    source.items()
    clock.now += 61
    trending = [item for item in source.items() if item.kind == "trending"]
    assert server.asked == [NEW, NEW, TRENDING]
    assert [item.pool_address for item in trending] == [address(1, kind="b"), address(9, kind="b")]


def test_items_when_limit_is_reached_then_networks_take_turns(server: FeedServer) -> None:
    clock = _Clock()
    names = {name: ChainKey(f"eip155:{number}") for number, name in enumerate(("a", "b", "c"), start=1)}
    for name in names:
        server.tell(f"/networks/{name}/new_pools", {"data": []})
    source = GeckoTerminalSource(base_url=server.url, chains=lambda: names, requests_per_min=2, clock=clock)
    source.items()
    clock.now += 30
    source.items()
    assert [path.split("/")[2] for path in server.asked] == ["a", "b", "c"]
    source.items()  # nothing is left: it waits without a fault
    assert len(server.asked) == 3


def test_items_when_one_network_fails_then_the_others_are_read(server: FeedServer) -> None:
    source = _source(server, a="eip155:1", base=CHAIN)
    assert source.items()
    assert [fault.code for fault in source.leftovers.faults] == ["BAD_DATA"]


@pytest.mark.parametrize(
    ("text", "price"),
    [
        (None, None),
        ("0", None),
        ("0.0", None),
        ("1e-12", "0.000000000001"),
        ("1." + "3" * 200 + "e-5", "0.00001" + "3" * 39),
        ("19000000000000", "19000000000000"),
    ],
)
def test_price_when_given_in_any_form_then_plain_and_bounded(text: str | None, price: str | None) -> None:
    assert price_text(text) == price


@pytest.mark.parametrize("text", ["", "x", "-1", "NaN", "Infinity", "1e61", "1e-61"])
def test_price_when_absurd_then_refused(text: str) -> None:
    with pytest.raises(SenselessError):
        price_text(text)
