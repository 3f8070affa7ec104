"""When trading must pause or shrink by itself: eight breakers, each a pure question about what happened lately.

Six count events since they were last reset or have rested (losses, daily loss, failures, their gas, slippage,
coordination); two look at the present alone (gas, endpoints) and stay tripped while their cause stands.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median_low

from apps.domain.config import Breakers, Effect
from apps.domain.money import BPS_ONE, USD_MICROS, usd_to_micros

#: Of so many transactions the failed ones are counted, and at least so many must have ended.
FAILURES_WINDOW, FAILURES_LEAST = 20, 10
#: So many bad fills of the last few trip the breaker.
SLIPPAGE_WINDOW, SLIPPAGE_BAD = 5, 3
#: A median of fewer samples says nothing.
FEE_SAMPLES_LEAST = 30
#: Breakers that look at the present.
PRESENT = frozenset({"gas_spike", "rpc_disagreement"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosedTrade:
    """A position's end. ``realised_usd_micros`` is negative for a loss; None: its price was unknown."""

    at_ms: int
    realised_usd_micros: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EndedOrder:
    """An order that reached the chain; failed: reverted, or dropped after it was sent."""

    at_ms: int
    is_failed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class BurntGas:
    """A transaction that failed within the last hour, and what its gas was worth in millionths of US dollars."""

    at_ms: int
    usd_micros: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FillQuality:
    """How a fill came out against its quote; ``shortfall_bps`` is negative when it was better."""

    at_ms: int
    shortfall_bps: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainFees:
    """A chain's base fee now and over the last day, wei."""

    chain_key: str
    now_wei: int
    samples_wei: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointHead:
    """What one endpoint says of its chain. ``common_hash`` is the hash at a height that all of them should have."""

    label: str
    number: int
    common_hash: str | None  # None: it did not answer for that height


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainHeads:
    """What all endpoints of one chain that answered say."""

    chain_key: str
    heads: tuple[EndpointHead, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainCoordination:
    """Pairs of one chain whose buyers were found to act in concert, with the moment of each, and all pairs found there."""

    chain_key: str
    detected_at_ms: tuple[int, ...]  # one a pair, within the last hour
    pairs_found: int  # in that hour


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerFacts:
    """What happened lately, each list oldest first. ``day_started_ms`` is midnight UTC."""

    day_started_ms: int
    closed: tuple[ClosedTrade, ...] = ()
    orders: tuple[EndedOrder, ...] = ()
    gas: tuple[BurntGas, ...] = ()
    fills: tuple[FillQuality, ...] = ()
    fees: tuple[ChainFees, ...] = ()
    heads: tuple[ChainHeads, ...] = ()
    coordination: tuple[ChainCoordination, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Breach:
    """A breaker's reason to trip. ``chain_key`` "": concerns all chains."""

    name: str
    chain_key: str
    effect: Effect
    explanation: str
    detail: str


def breaches(
    facts: BreakerFacts,
    config: Breakers,
    *,
    daily_loss_max_usd_micros: int,
    counted_from_ms: Mapping[tuple[str, str], int],
) -> tuple[Breach, ...]:
    """Return every breaker that must trip. ``counted_from_ms`` says from when on (name, chain key) counts anew."""

    def since(name: str) -> int:
        return counted_from_ms.get((name, ""), 0)

    found = (
        _losses(facts, config, since("losses")),
        _daily_loss(facts, config, since("daily_loss"), daily_loss_max_usd_micros),
        _failures(facts, config, since("failures")),
        _failed_gas(facts, config, since("failed_gas")),
        _slippage(facts, config, since("slippage")),
        *(_gas_spike(item, config) for item in facts.fees),
        *(_rpc_disagreement(item, config) for item in facts.heads),
        *(
            _coordination(item, config, counted_from_ms.get(("coordination", item.chain_key), 0))
            for item in facts.coordination
        ),
    )
    return tuple(item for item in found if item is not None and item.effect is not Effect.OFF)


def _losses(facts: BreakerFacts, config: Breakers, since_ms: int) -> Breach | None:
    results = [item.realised_usd_micros for item in facts.closed if item.at_ms > since_ms]
    row = 0
    for result in reversed(results):
        if result is None or result >= 0:  # an unknown result breaks the row: it may have been a gain
            break
        row += 1
    if row < config.losses_max:
        return None
    return Breach(
        name="losses",
        chain_key="",
        effect=config.losses,
        explanation=f"{row} positions in a row ended with a loss.",
        detail=f"losses={row} maximum={config.losses_max}",
    )


def _daily_loss(facts: BreakerFacts, config: Breakers, since_ms: int, maximum: int) -> Breach | None:
    start = max(since_ms, facts.day_started_ms - 1)
    result = sum(item.realised_usd_micros or 0 for item in facts.closed if item.at_ms > start)
    bound = maximum * config.daily_loss_bps // BPS_ONE
    if -result < max(bound, 1):
        return None
    return Breach(
        name="daily_loss",
        chain_key="",
        effect=config.daily_loss,
        explanation="Too large a share of the loss that one day may bring has come already.",
        detail=f"loss_usd={_usd(-result)} maximum_usd={_usd(bound)}",
    )


def _failures(facts: BreakerFacts, config: Breakers, since_ms: int) -> Breach | None:
    ended = [item for item in facts.orders if item.at_ms > since_ms][-FAILURES_WINDOW:]
    failed = sum(item.is_failed for item in ended)
    if len(ended) < FAILURES_LEAST or failed * BPS_ONE <= len(ended) * config.failures_max_bps:
        return None
    return Breach(
        name="failures",
        chain_key="",
        effect=config.failures,
        explanation=f"{failed} of the last {len(ended)} transactions failed.",
        detail=f"failed_bps={failed * BPS_ONE // len(ended)} maximum={config.failures_max_bps}",
    )


def _failed_gas(facts: BreakerFacts, config: Breakers, since_ms: int) -> Breach | None:
    burnt = [item.usd_micros for item in facts.gas if item.at_ms > since_ms]
    bound = usd_to_micros(config.failed_gas_max_usd)
    if sum(burnt) < bound:
        return None
    return Breach(
        name="failed_gas",
        chain_key="",
        effect=config.failed_gas,
        explanation=f"The gas of {len(burnt)} transactions that failed within the hour is worth too much.",
        detail=f"burnt_usd={_usd(sum(burnt))} maximum_usd={config.failed_gas_max_usd}",
    )


def _slippage(facts: BreakerFacts, config: Breakers, since_ms: int) -> Breach | None:
    newest = [item for item in facts.fills if item.at_ms > since_ms][-SLIPPAGE_WINDOW:]
    bad = [item.shortfall_bps for item in newest if item.shortfall_bps > config.slippage_max_bps]
    if len(bad) < SLIPPAGE_BAD:
        return None
    return Breach(
        name="slippage",
        chain_key="",
        effect=config.slippage,
        explanation=f"{len(bad)} of the last {len(newest)} fills came out worse than predicted.",
        detail=f"worst_bps={max(bad)} maximum={config.slippage_max_bps}",
    )


def _gas_spike(fees: ChainFees, config: Breakers) -> Breach | None:
    if len(fees.samples_wei) < FEE_SAMPLES_LEAST:
        return None
    usual = median_low(fees.samples_wei)
    if usual <= 0 or fees.now_wei * BPS_ONE <= usual * config.gas_spike_bps:
        return None
    return Breach(
        name="gas_spike",
        chain_key=fees.chain_key,
        effect=config.gas_spike,
        explanation="Gas is far dearer than it was over the last day.",
        detail=f"base_fee_wei={fees.now_wei} usual_wei={usual} limit_bps={config.gas_spike_bps}",
    )


def _rpc_disagreement(view: ChainHeads, config: Breakers) -> Breach | None:
    """Return a breach when endpoints name different blocks at one height, or one lags. One alone cannot disagree."""
    if len(view.heads) < 2:
        return None
    hashes = {item.common_hash for item in view.heads if item.common_hash is not None}
    highest = max(item.number for item in view.heads)
    late = [item for item in view.heads if highest - item.number > config.rpc_lag_max_blocks]
    if len(hashes) < 2 and not late:
        return None
    what = (
        "name different blocks at the same height"
        if len(hashes) > 1
        else f"differ by more than {config.rpc_lag_max_blocks} blocks"
    )
    heads = ", ".join(f"{item.label} at {item.number}" for item in view.heads)
    return Breach(
        name="rpc_disagreement",
        chain_key=view.chain_key,
        effect=config.rpc_disagreement,
        explanation=f"The chain's endpoints {what}, so it is unknown which of them is right.",
        detail=heads,
    )


def _coordination(chain: ChainCoordination, config: Breakers, since_ms: int) -> Breach | None:
    """Return a breach when so many of a chain's new pairs are traded in concert that the rest is not to be trusted."""
    detected = sum(at_ms > since_ms for at_ms in chain.detected_at_ms)
    found = max(chain.pairs_found, detected)
    if detected < config.coordination_max or detected * BPS_ONE <= found * config.coordination_share_bps:
        return None
    return Breach(
        name="coordination",
        chain_key=chain.chain_key,
        effect=config.coordination,
        explanation=f"In {detected} of the last hour's {found} new pairs buyers act in concert.",
        detail=f"detected={detected} found={found} maximum={config.coordination_max}"
        f" share_maximum_bps={config.coordination_share_bps}",
    )


def _usd(usd_micros: int) -> str:
    return f"{usd_micros // USD_MICROS}.{usd_micros % USD_MICROS // 10_000:02d}"
