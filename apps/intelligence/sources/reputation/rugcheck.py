"""RugCheck: risks of Solana tokens.

``GET /tokens/{mint}/report/summary`` relative to ``https://api.rugcheck.xyz/v1``: ``{score, score_normalised, risks: [{name,
level}] | null, lpLockedPct}``. ``score_normalised`` is 0..100, higher is riskier. The full report can be megabytes long and
is not asked for. It measures no taxes and tries no sale. Source: https://api.rugcheck.xyz/swagger/index.html
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

from apps.discovery.logic.bucket import TokenBucket
from apps.discovery.sources.http import FeedHttp
from apps.domain.ids import ChainKey
from apps.domain.opinion import Danger, Opinion
from apps.intelligence.sources.reputation.units import entries, mapping, percent_bps

REQUESTS_PER_MIN = 60  # no figure is published: one a second is modest
_BURST = 2
_RISKS_MAX = 50
_LEVEL_OF_DANGER = "danger"
#: Words in a risk's name that tell which danger it is; the first that fits counts.
_DANGERS: tuple[tuple[str, Danger], ...] = (
    ("freeze", Danger.FREEZABLE),
    ("rugged", Danger.RUGGED),
    ("transfer fee", Danger.EXTREME_TAX),
    ("permanent control", Danger.BALANCES_CHANGEABLE),
    ("copycat", Danger.IMITATION),
    ("creator history", Danger.CREATOR_MADE_HONEYPOTS),
)


class RugCheckSource:
    """Reads RugCheck. Build one a process: it keeps the rate limit."""

    name: str = "RugCheck"
    families: frozenset[str] = frozenset({"solana"})

    def __init__(
        self, *, base_url: str, api_key: str = "", clock: Callable[[], float] = time.monotonic
    ) -> None:
        headers = {"X-API-KEY": api_key} if api_key else {}
        self._http = FeedHttp(name=self.name, base_url=base_url, headers=headers, clock=clock)
        self._bucket = TokenBucket(per_min=REQUESTS_PER_MIN, burst=_BURST)

    def covers(self, chain_key: str) -> bool:
        """Tell whether RugCheck knows this chain."""
        return chain_key.startswith("solana:")

    def opinion(self, chain_key: ChainKey, token: str) -> Opinion | None:
        """Return what RugCheck says of a token, None when our own rate limit says: not now."""
        answer = self._http.get(f"/tokens/{quote(token, safe='')}/report/summary", bucket=self._bucket)
        return None if answer is None else _opinion(mapping(answer), chain_key, token)


def _opinion(said: Mapping[str, Any], chain_key: ChainKey, token: str) -> Opinion:
    risk_bps = percent_bps(said.get("score_normalised"))
    has_risks = isinstance(said.get("risks"), list) or ("risks" in said and said["risks"] is None)
    dangers = {_danger(risk) for risk in entries(said.get("risks"), maximum=_RISKS_MAX) if _is_danger(risk)}
    return Opinion(
        source=RugCheckSource.name,
        chain_key=chain_key,
        token=token,
        risk_bps=risk_bps,
        dangers=frozenset(dangers),
        failure="" if has_risks and risk_bps is not None else "it gives neither risks nor a score",
    )


def _is_danger(risk: Any) -> bool:
    return mapping(risk).get("level") == _LEVEL_OF_DANGER


def _danger(risk: Any) -> Danger:
    name = mapping(risk).get("name")
    words = name.lower() if isinstance(name, str) else ""
    return next((danger for part, danger in _DANGERS if part in words), Danger.REPORTED)
