"""The local feeds, read by the system's own sources over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
import requests

from apps.discovery.sources.dexscreener import DexScreenerSource
from apps.discovery.sources.geckoterminal import GeckoTerminalSource
from apps.domain.ids import ChainKey
from apps.sandbox.feeds import LABEL, FeedServer, answer_of
from apps.sandbox.life import ChainLife
from tests.sandbox.chains import BASE, living_chain

pytestmark = pytest.mark.chain


@pytest.fixture(scope="module")
def life() -> Iterator[ChainLife]:
    with living_chain(BASE, seed=2) as life:
        for _ in range(40):
            life.tick(pairs_per_s=1.0)
        for running in life.listed:  # an hour ago: every service has noticed them all
            running.created_at -= timedelta(hours=1)
        yield life


@pytest.fixture
def server(life: ChainLife) -> Iterator[FeedServer]:
    server = FeedServer(port=0, lives=lambda: (life,))
    server.start()
    yield server
    server.close()


def test_geckoterminal_when_read_then_newest_pools_of_the_chain(server: FeedServer, life: ChainLife) -> None:
    source = GeckoTerminalSource(
        base_url=f"http://127.0.0.1:{server.port}/geckoterminal",
        chains=lambda: {BASE.geckoterminal_slug: ChainKey(BASE.key)},
    )
    items = source.items()
    assert len(items) == 20
    assert not source.leftovers.rejected
    by_age = sorted(life.listed, key=lambda running: running.created_at)
    newest = {running.token.lower() for running in by_age[-20:]}
    assert {item.base_address.lower() for item in items} == newest
    assert {item.chain_key for item in items} == {BASE.key}


def test_dexscreener_when_read_then_new_and_boosted_tokens(server: FeedServer, life: ChainLife) -> None:
    source = DexScreenerSource(
        base_url=f"http://127.0.0.1:{server.port}/dexscreener", chains=lambda: {BASE.slug: ChainKey(BASE.key)}
    )
    items = source.items()
    assert {item.kind for item in items} == {"new", "boosted"}
    assert not source.leftovers.rejected
    tokens = {running.token.lower() for running in life.listed}
    assert {item.base_address.lower() for item in items} <= tokens


def test_feeds_when_many_listed_then_a_few_name_a_pool_that_does_not_exist(life: ChainLife) -> None:
    pools = {running.pool.lower() for running in life.listed}
    addresses = ",".join(running.token for running in life.listed)
    wrong = 0
    for start in range(0, len(life.listed), 30):
        part = ",".join(addresses.split(",")[start : start + 30])
        _, pairs = answer_of(f"/dexscreener/tokens/v1/base/{part}", (life,))
        wrong += sum(pair["pairAddress"].lower() not in pools for pair in pairs)
    assert 0 < wrong < len(life.listed) * 0.15


def test_feeds_when_answering_then_everything_is_labelled_as_simulated(
    server: FeedServer, life: ChainLife
) -> None:
    answer = requests.get(f"http://127.0.0.1:{server.port}/geckoterminal/networks/base/new_pools", timeout=5)
    assert answer.headers["X-Simulated-Market"] == "true"
    assert all(LABEL in pool["attributes"]["name"] for pool in answer.json()["data"])
    token = life.listed[0].token
    _, pairs = answer_of(f"/dexscreener/tokens/v1/base/{token}", (life,))
    assert all(LABEL in pair["labels"] for pair in pairs)


def test_feeds_when_launch_is_a_moment_old_then_not_listed_yet(life: ChainLife) -> None:
    life.tick(pairs_per_s=4.0)
    life.tick(pairs_per_s=4.0)
    newest = life.listed[-1]
    _, answer = answer_of("/geckoterminal/networks/base/new_pools", (life,))
    assert newest.token.lower() not in str(answer)


@pytest.mark.parametrize(
    "path", ["/", "/dexscreener", "/geckoterminal/networks/eth/new_pools", "/dexscreener/orders/v1/base/0x"]
)
def test_feeds_when_path_is_unknown_then_not_found(path: str, life: ChainLife) -> None:
    assert answer_of(path, (life,))[0] == 404
