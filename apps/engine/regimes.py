"""The market's tape beside the road: reads candles that have ended and judges each market after its day."""

from __future__ import annotations

from functools import lru_cache

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from apps.chains.selectors import chain_profiles
from apps.engine import housekeeping
from apps.engine.road import guarded
from apps.intelligence.services.candles import candles_refresh
from apps.intelligence.services.regimes import regimes_update
from apps.intelligence.sources.prices.coingecko import CoinGeckoSource
from apps.intelligence.sources.prices.klines import KlineSource
from apps.intelligence.sources.prices.port import ALWAYS, CandleSource, market_of
from apps.state.services.incidents import incident_from_error, incident_resolve


@shared_task(name="engine.regime")
def regime() -> None:
    """Read candles that have ended and judge the markets; repeatable at will, mostly there is nothing to do."""
    with guarded("regime"):
        now, markets = timezone.now(), followed_markets()
        report = candles_refresh(sources=candle_sources(), markets=markets, now=now)
        for fault in report.faults:
            incident_from_error(fault, dedup_key=f"candles/{fault.code}")
        if report.stored and not report.faults:
            for code in ("NETWORK", "RATE_LIMITED", "BAD_DATA"):
                incident_resolve(dedup_key=f"candles/{code}")
        regimes_update(markets=markets, now=now)


def followed_markets() -> tuple[str, ...]:
    """Return the markets that are read: the large ones, and the coin of every chain that is followed."""
    followed = set(housekeeping.followed_chain_keys())
    coins = (
        market_of(profile.native.symbol) for profile in chain_profiles() if profile.chain_key in followed
    )
    return tuple(dict.fromkeys((*ALWAYS, *filter(None, coins))))


@lru_cache(maxsize=1)
def candle_sources() -> tuple[CandleSource, ...]:
    """Return the sources of candles in the order in which they are asked; a sandbox has its own tape."""
    env = settings.ENV
    sources: list[CandleSource] = []
    if env.klines_url:
        name = "sandbox" if env.is_sandbox else "binance"
        sources.append(KlineSource(base_url=env.klines_url, name=name, is_simulated=env.is_sandbox))
    if env.coingecko_url:
        sources.append(CoinGeckoSource(base_url=env.coingecko_url, key=env.coingecko_key))
    return tuple(sources)
