"""A web server on the loopback that answers like DEXScreener and GeckoTerminal, about the sandbox's own pairs, and like
Binance about a made-up tape of large coins (tape.py).

Everything it says is labelled as simulated. As in life it is late, it does not list everything, and sometimes it is wrong:
now and then it gives a pool address that the chain knows nothing of.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from django.utils import timezone
from eth_utils.address import to_checksum_address

from apps.sandbox import social, tape
from apps.sandbox.life import ChainLife, Running

logger = logging.getLogger(__name__)
LABEL = "SIMULATED"
_PER_PAGE = 20
_LIST_MAX = 30
_PROFILE_SHARE, _BOOST_SHARE, _WRONG_SHARE = 0.35, 0.12, 0.03
_LATE_S_MAX = 8.0
_DEX_IDS = {"uniswap": ("uniswap", "uniswap_v2"), "pancake": ("pancakeswap", "pancakeswap_v2")}

_RANGED_IDS = ("uniswap", "uniswap_v3")

Lives = Callable[[], Sequence[ChainLife]]


class FeedServer:
    """Serves in threads of its own until closed."""

    def __init__(self, *, port: int, lives: Lives, seed: int = 1) -> None:
        handler = type("_Bound", (_Handler,), {"lives": staticmethod(lives), "seed": seed})
        self._server = ThreadingHTTPServer(("127.0.0.1", port), handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, name="feeds", daemon=True)

    @property
    def port(self) -> int:
        """Return the port it listens on."""
        return int(self._server.server_address[1])

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def close(self) -> None:
        """Answer no more."""
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    lives: Lives
    seed: int
    protocol_version = "HTTP/1.1"
    timeout = 30

    def do_GET(self) -> None:
        asked = urlsplit(self.path)
        now_ms = int(timezone.now().timestamp() * 1_000)
        told = tape.answer_of(asked.path, asked.query, seed=self.seed, now_ms=now_ms)
        if told is None:
            told = social.answer_of(
                asked.path, asked.query, lives=self.lives(), seed=self.seed, now_ms=now_ms
            )
        status, answer = answer_of(asked.path, self.lives()) if told is None else told
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Simulated-Market", "true")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        logger.debug("feed was asked", extra={"request": args[0] if args else ""})


def answer_of(path: str, lives: Sequence[ChainLife]) -> tuple[int, Any]:
    """Return status and answer for a path of either service."""
    match path.strip("/").split("/"):
        case ["dexscreener", "token-profiles", "latest", "v1"]:
            return 200, [_profile(*item) for item in _newest(lives, _PROFILE_SHARE, "profile")]
        case ["dexscreener", "token-boosts", "latest", "v1"]:
            boosted = _newest(lives, _BOOST_SHARE, "boost")
            return 200, [_profile(*item) | {"amount": 10, "totalAmount": 10} for item in boosted]
        case ["dexscreener", "tokens", "v1", slug, addresses]:
            wanted = {address.lower() for address in addresses.split(",")[:_LIST_MAX]}
            listed = _newest(lives, 1.0, "profile", limit=None)
            return 200, [
                _pair(life, running)
                for life, running in listed
                if life.at.spec.slug == slug and running.token.lower() in wanted
            ]
        case ["geckoterminal", "networks", network, ("new_pools" | "trending_pools") as kind]:
            chosen = [life for life in lives if life.at.spec.geckoterminal_slug == network]
            if not chosen:
                return 404, {"errors": [{"status": "404", "title": "Not Found"}]}
            if kind == "trending_pools":
                return 200, {"data": [_pool(*item) for item in _trending(chosen)]}
            return 200, {"data": [_pool(*item) for item in _newest(chosen, 1.0, kind, limit=_PER_PAGE)]}
    return 404, {"errors": [{"status": "404", "title": "Not Found"}]}


def _newest(
    lives: Sequence[ChainLife], share: float, what: str, *, limit: int | None = _LIST_MAX
) -> list[tuple[ChainLife, Running]]:
    """Return what a service has noticed by now, newest first: each launch a while after its creation."""
    found: list[tuple[datetime, ChainLife, Running]] = []
    now = timezone.now()
    for life in lives:
        for running in life.listed:
            late_s = _LATE_S_MAX * _luck(running, "late")
            if _luck(running, what) < share and (now - running.created_at).total_seconds() >= late_s:
                found.append((running.created_at, life, running))
    found.sort(key=lambda item: item[0], reverse=True)
    return [(life, running) for _, life, running in found[:limit]]


def _trending(lives: Sequence[ChainLife]) -> list[tuple[ChainLife, Running]]:
    """Return pools that hold the most coins now, the deepest first: those into which people bought."""
    listed = [item for item in _newest(lives, 1.0, "profile", limit=None) if item[1].reserves[1] > 0]
    share = _BOOST_SHARE + _PROFILE_SHARE  # a service's list is no list of all
    listed = [item for item in listed if _luck(item[1], "trending") < share]
    return sorted(listed, key=lambda item: item[1].reserves[0], reverse=True)[:_PER_PAGE]


def _luck(running: Running, what: str) -> float:
    """Return a number from 0 to 1 that stays the same for this launch and question."""
    return int.from_bytes(sha256(f"{running.token}:{what}".encode()).digest()[:4], "big") / 2**32


def _pool_address(running: Running) -> str:
    if _luck(running, "wrong") >= _WRONG_SHARE:
        return running.pool
    return str(to_checksum_address(sha256(running.pool.encode()).digest()[:20]))


def _dex_ids(life: ChainLife, running: Running) -> tuple[str, str]:
    """Return how the two services call the exchange of a launch."""
    return _RANGED_IDS if running.plan.venue == "v3" else _DEX_IDS[life.at.spec.flavour]


def _profile(life: ChainLife, running: Running) -> dict[str, Any]:
    return {
        "url": f"https://dexscreener.example/{life.at.spec.slug}/{running.token.lower()}",
        "chainId": life.at.spec.slug,
        "tokenAddress": running.token,
        "description": f"{LABEL}: a launch of the sandbox",
        "links": [],
    }


def _prices(life: ChainLife, running: Running) -> tuple[str, str, float]:
    """Return the price in native coin and in dollars, and the pool's worth in dollars."""
    native, token = running.reserves
    usd = life.at.spec.native_price_usd
    if token == 0:
        return "0", "0", 0.0
    price = (native / 10**18) / (token / 10**running.plan.decimals)
    return f"{price:.24f}", f"{price * usd:.24f}", round(2 * native / 10**18 * usd, 2)


def _pair(life: ChainLife, running: Running) -> dict[str, Any]:
    spec, plan = life.at.spec, running.plan
    price_native, price_usd, liquidity_usd = _prices(life, running)
    return {
        "chainId": spec.slug,
        "dexId": _dex_ids(life, running)[0],
        "url": f"https://dexscreener.example/{spec.slug}/{running.pool.lower()}",
        "pairAddress": _pool_address(running),
        "labels": [plan.venue, LABEL],
        "baseToken": {"address": running.token, "name": plan.name, "symbol": plan.symbol},
        "quoteToken": {
            "address": life.at.wrapped,
            "name": spec.wrapped_symbol,
            "symbol": spec.wrapped_symbol,
        },
        "priceNative": price_native,
        "priceUsd": price_usd,
        "priceChange": {},
        "liquidity": {
            "usd": liquidity_usd,
            "base": running.reserves[1] / 10**plan.decimals,
            "quote": running.reserves[0] / 10**18,
        },
        "pairCreatedAt": int(running.created_at.timestamp() * 1_000),
    }


def _pool(life: ChainLife, running: Running) -> dict[str, Any]:
    spec, address = life.at.spec, _pool_address(running)
    price_native, price_usd, liquidity_usd = _prices(life, running)
    network = spec.geckoterminal_slug

    def reference(kind: str, name: str) -> dict[str, Any]:
        return {"data": {"id": name, "type": kind}}

    return {
        "id": f"{network}_{address.lower()}",
        "type": "pool",
        "attributes": {
            "address": address.lower(),
            "name": f"{running.plan.symbol} / {spec.wrapped_symbol} ({LABEL})",
            "pool_created_at": running.created_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "base_token_price_usd": price_usd,
            "base_token_price_native_currency": price_native,
            "quote_token_price_usd": str(spec.native_price_usd),
            "reserve_in_usd": f"{liquidity_usd:.2f}",
            "locked_liquidity_percentage": None,
        },
        "relationships": {
            "base_token": reference("token", f"{network}_{running.token.lower()}"),
            "quote_token": reference("token", f"{network}_{life.at.wrapped.lower()}"),
            "dex": reference("dex", _dex_ids(life, running)[1]),
        },
    }
