"""Asks outside services about tokens, beside the road and never on it.

``opinions_ask`` nudges a worker; what it finds waits in a row for the next look at the pair. A lost nudge costs time: the
next look nudges again.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from apps.domain.errors import ConfigurationError, NetworkError, SniperError
from apps.domain.estimate import Estimate
from apps.domain.ids import ChainKey
from apps.domain.market import Listing, PairFacts
from apps.domain.opinion import OpinionSource
from apps.domain.verdict import RiskVerdict
from apps.engine import housekeeping
from apps.engine.nudges import nudge
from apps.intelligence.services import opinions
from apps.intelligence.sources.reputation.registry import OpinionSettings, opinion_sources

logger = logging.getLogger(__name__)
TASK = "engine.opinions"
_OWN_RULES = "outside_"
_lock = threading.Lock()
_kept: tuple[OpinionSettings, Mapping[str, OpinionSource]] | None = None


def opinions_ask(listing: Listing) -> None:
    """Have the configured services asked about a listing's token, unless what they said still holds. Waits for nothing."""
    chain_key, token = listing.base.chain_key, listing.base.address
    if opinions.opinions_due(sources=_sources(), chain_key=chain_key, token=token, now=timezone.now()):
        nudge(TASK, chain_key, token)


def opinions_of(*, listing: Listing, facts: PairFacts) -> tuple[Estimate, ...]:
    """Return as estimates what the services were last known to say of a listing's token; nothing when none is asked."""
    return opinions.opinions_estimates(
        sources=_sources(), listing=listing, facts=facts, now_ms=housekeeping.now_ms()
    )


def opinions_ask_of(listing: Listing, verdict: RiskVerdict) -> None:
    """As ``opinions_ask``, and only where nothing but the services themselves stands against the pair.

    Services allow some 30 questions a minute; a pair that our own rules refuse is worth none.
    """
    if all(item.rule.startswith(_OWN_RULES) for item in verdict.refusals):
        opinions_ask(listing)


@shared_task(name=TASK)
def opinions_fetch(chain_key: str, token: str) -> None:
    """Ask each service that is due about one token, at most once at a time."""
    sources, now = _sources(), timezone.now()
    for name in opinions.opinions_due(sources=sources, chain_key=chain_key, token=token, now=now):
        if opinions.opinion_claim(source=name, chain_key=chain_key, token=token, now=now):
            _fetch(name, sources[name], chain_key, token)


def opinions_fetch_now(chain_key: str, token: str) -> tuple[str, ...]:
    """Ask every configured service that knows the chain at once, whatever was said before; return their names.

    Raises ConfigurationError when there is none.
    """
    covering = {name: source for name, source in _sources().items() if source.covers(chain_key)}
    if not covering:
        configured = ", ".join(source.name for source in _sources().values())
        raise ConfigurationError(
            f"None of the configured services ({configured}) knows {chain_key}."
            if configured
            else "No outside service is configured.",
            remedy="Name some in DEXSNIPER_OPINION_SOURCES, for instance goplus,honeypot_is.",
        )
    for name, source in covering.items():
        _fetch(name, source, chain_key, token)
    return tuple(source.name for source in covering.values())


def _fetch(name: str, source: OpinionSource, chain_key: str, token: str) -> None:
    """Ask one service and keep its answer, or why there is none. A service that is away is no incident of ours."""
    try:
        opinion = source.opinion(ChainKey(chain_key), token)
        if opinion is None:
            raise NetworkError(f"{source.name} is asked no more often than it allows")
    except SniperError as error:
        logger.info("opinion was not available", extra={"service": name, "error": str(error)})
        opinions.opinion_failed(
            source=name, chain_key=chain_key, token=token, error=error, now=timezone.now()
        )
        return
    opinions.opinion_store(source=name, opinion=opinion, now=timezone.now())


def _sources() -> Mapping[str, OpinionSource]:
    """Return the configured services, built once a process and environment: they keep the rate limits."""
    global _kept
    with _lock:
        if _kept is None or _kept[0] is not settings.ENV:
            _kept = settings.ENV, opinion_sources(settings.ENV)
        return _kept[1]
