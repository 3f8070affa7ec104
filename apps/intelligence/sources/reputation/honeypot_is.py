"""honeypot.is: simulates a purchase and a sale, and sales of real holders.

``GET /v2/IsHoneypot?address=0x…&chainID=1`` relative to ``https://api.honeypot.is``; Ethereum, BNB Chain and Base only. Of
the answer we read ``simulationSuccess``, ``simulationError``, ``honeypotResult.isHoneypot`` (absent when the simulation
failed), ``simulationResult.{buyTax, sellTax, transferTax}`` (percent numbers: 5 is 5 %), ``summary.{riskLevel 0..100,
flags}`` and, of older answers, ``flags`` at the root. A failed simulation comes with HTTP status 200 and proves nothing;
status 404 means that no pool was found. Pools of Aerodrome cannot be simulated there and always look like honeypots.
Source: https://docs.honeypot.is/ishoneypot
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from apps.discovery.logic.bucket import TokenBucket
from apps.discovery.sources.http import FeedHttp
from apps.domain.ids import ChainKey
from apps.domain.opinion import Danger, Opinion
from apps.intelligence.sources.reputation.units import entries, flag, mapping, percent_bps, plain_words

REQUESTS_PER_MIN = 60  # no figure is published: one a second is modest
_BURST = 2
_CHAINS = frozenset({"eip155:1", "eip155:56", "eip155:8453"})
_FLAGS_MAX = 50
_MISJUDGED_POOLS = frozenset({"aerodrome"})
_DANGERS: Mapping[str, Danger] = {
    "high_fail_rate": Danger.HOLDERS_FAIL_TO_SELL,
    "high_siphon_rate": Danger.BALANCES_CHANGEABLE,
    "transfer_blocked": Danger.NOT_TRANSFERABLE,
    "extremely_high_taxes": Danger.EXTREME_TAX,
    "all_snipers_honeypot": Danger.HONEYPOT,
    "effective_honeypot_low_sell_limit": Danger.CANNOT_SELL,
    "extremely_low_sell_limit": Danger.CANNOT_SELL,
}


class HoneypotIsSource:
    """Reads honeypot.is. Build one a process: it keeps the rate limit."""

    name: str = "honeypot.is"
    families: frozenset[str] = frozenset({"evm"})

    def __init__(
        self, *, base_url: str, api_key: str = "", clock: Callable[[], float] = time.monotonic
    ) -> None:
        headers = {"X-API-KEY": api_key} if api_key else {}
        self._http = FeedHttp(name=self.name, base_url=base_url, headers=headers, clock=clock)
        self._bucket = TokenBucket(per_min=REQUESTS_PER_MIN, burst=_BURST)

    def covers(self, chain_key: str) -> bool:
        """Tell whether honeypot.is knows this chain."""
        return chain_key in _CHAINS

    def opinion(self, chain_key: ChainKey, token: str) -> Opinion | None:
        """Return what honeypot.is says of a token, None when our own rate limit says: not now."""
        answer = self._http.get(
            "/v2/IsHoneypot",
            bucket=self._bucket,
            params={"address": token, "chainID": chain_key.partition(":")[2]},
        )
        return None if answer is None else _opinion(mapping(answer), chain_key, token)


def _opinion(said: Mapping[str, Any], chain_key: ChainKey, token: str) -> Opinion:
    summary, simulated = mapping(said.get("summary")), mapping(said.get("simulationResult"))
    pool_kind = mapping(mapping(said.get("pair")).get("pair")).get("type")
    dangers = {_DANGERS[name] for name in _flags(said, summary) if name in _DANGERS}
    is_honeypot = mapping(said.get("honeypotResult")).get("isHoneypot")
    has_simulated = flag(said.get("simulationSuccess")) is True and isinstance(is_honeypot, bool)
    if isinstance(pool_kind, str) and pool_kind.lower() in _MISJUDGED_POOLS:
        return Opinion(
            source=HoneypotIsSource.name,
            chain_key=chain_key,
            token=token,
            dangers=frozenset(dangers),
            failure=f"it cannot simulate pools of the kind {plain_words(pool_kind)}",
        )
    if has_simulated and is_honeypot:
        dangers.add(Danger.HONEYPOT)
    why = plain_words(said.get("simulationError")) or "it gives no reason"
    return Opinion(
        source=HoneypotIsSource.name,
        chain_key=chain_key,
        token=token,
        is_sellable=not is_honeypot if has_simulated else None,
        buy_tax_bps=percent_bps(simulated.get("buyTax")),
        sell_tax_bps=percent_bps(simulated.get("sellTax")),
        transfer_tax_bps=percent_bps(simulated.get("transferTax")),
        risk_bps=percent_bps(summary.get("riskLevel")),
        dangers=frozenset(dangers),
        failure="" if has_simulated else f"its simulation failed: {why}",
    )


def _flags(said: Mapping[str, Any], summary: Mapping[str, Any]) -> Iterator[str]:
    for entry in entries(summary.get("flags"), maximum=_FLAGS_MAX):
        name = mapping(entry).get("flag")
        if isinstance(name, str):
            yield name.lower()
    for name in entries(said.get("flags"), maximum=_FLAGS_MAX):
        if isinstance(name, str):
            yield name.lower()
