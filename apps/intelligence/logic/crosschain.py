"""One market over all chains: the same maker and the same token elsewhere, where money moves to, and what is best of all.

What is not known of another chain stays unknown: that a maker was never seen elsewhere says nothing about him, because we
see only the chains that we follow.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal, localcontext
from typing import Final

from apps.domain.estimate import Estimate, known, unknown
from apps.domain.market import DeployerHistory
from apps.domain.money import BPS_ONE, RATIO_CONTEXT
from apps.intelligence.logic.deployer import PRIOR_DEAD_SHARE, PRIOR_TOKENS, dead_share

_SOURCE: Final = "history"
#: Net inflow is told of a chain with so many trades in the hour.
FLOW_TRADES_MIN: Final = 50
HOUR_MS: Final = 3_600_000
#: How much a chain's inflow may move a pair in the ranking, either way: money follows money for a while, no more.
FLOW_WEIGHT_BPS: Final = 1_000
#: What is taken for what is not known, when pairs are compared: the adverse side, never the good one.
UNKNOWN_LOSS: Final = PRIOR_DEAD_SHARE
UNKNOWN_CONCERT: Final = Decimal("0.5")


# -- the same maker, the same token -------------------------------------------------------
def elsewhere(
    code: str, history: DeployerHistory | None, *, whose: str, reason: str, as_of_ms: int
) -> tuple[Estimate, Estimate]:
    """Return how many tokens there are on other chains and which share is dead: ``<code>_tokens``, ``<code>_dead_bps``.

    The share is drawn towards the base rate, with a 90 % interval. ``history`` None: unknown for this ``reason``.
    """
    count, share = f"{code}_tokens", f"{code}_dead_bps"
    if history is None:
        return (
            unknown(count, reason, unit="count", source=_SOURCE, as_of_ms=as_of_ms),
            unknown(share, reason, unit="bps", source=_SOURCE, as_of_ms=as_of_ms),
        )
    tokens = known(count, history.tokens, unit="count", source=_SOURCE, as_of_ms=as_of_ms)
    seen = history.dead + history.alive
    if seen == 0:
        words = (
            f"{whose} was not seen on any other chain that is followed"
            if history.tokens == 0
            else f"what became of the {history.tokens} tokens of {whose} on other chains was never seen"
        )
        return tokens, unknown(share, words, unit="bps", source=_SOURCE, as_of_ms=as_of_ms)
    mean, low, high = dead_share(dead=history.dead, alive=history.alive)
    with localcontext(RATIO_CONTEXT):
        confidence = (Decimal(seen) / (Decimal(seen) + PRIOR_TOKENS)).quantize(
            Decimal("0.0001"), rounding=ROUND_FLOOR
        )
    return tokens, known(
        share,
        mean,
        unit="bps",
        source=_SOURCE,
        as_of_ms=as_of_ms,
        confidence=confidence,
        n=seen,
        low=low,
        high=high,
    )


# -- where money moves to -----------------------------------------------------------------
@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """One trade as money: positive into the chain's new tokens, negative out of them."""

    chain_key: str
    at_ms: int
    usd_micros: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainFlow:
    """One chain's hour. ``reason_unknown`` says why nothing is told of it, empty when something is.

    ``rotation_bps`` is its share of all money that moved in, less its share of all that was traded, -10000..10000:
    above zero money comes from the other chains. None when fewer than two chains are known.
    """

    chain_key: str
    hour_ms: int  # its beginning
    trades: int
    volume_usd_micros: int
    net_usd_micros: int
    rotation_bps: int | None = None
    reason_unknown: str = ""

    @property
    def pressure_bps(self) -> int | None:
        """Return what moved in, as a share of what was traded, -10000..10000; None when unknown."""
        if self.reason_unknown or self.volume_usd_micros <= 0:
            return None
        return self.net_usd_micros * BPS_ONE // self.volume_usd_micros


def flows_by_hour(flows: Sequence[Flow]) -> tuple[ChainFlow, ...]:
    """Return the flows of every chain and hour, newest hour first."""
    sums: dict[tuple[int, str], list[int]] = {}
    for flow in flows:
        entry = sums.setdefault((flow.at_ms // HOUR_MS * HOUR_MS, flow.chain_key), [0, 0, 0])
        entry[0] += 1
        entry[1] += abs(flow.usd_micros)
        entry[2] += flow.usd_micros
    found: list[ChainFlow] = []
    for hour in sorted({hour for hour, _ in sums}, reverse=True):
        own = {chain: entry for (at, chain), entry in sums.items() if at == hour}
        enough = {chain: entry for chain, entry in own.items() if entry[0] >= FLOW_TRADES_MIN}
        moved = sum(abs(entry[2]) for entry in enough.values())
        traded = sum(entry[1] for entry in enough.values())
        for chain, (trades, volume, net) in sorted(own.items()):
            is_told = chain in enough
            rotation = None
            if is_told and len(enough) > 1 and moved and traded:
                average = sum(entry[2] for entry in enough.values()) * volume // traded
                rotation = max(min((net - average) * BPS_ONE // moved, BPS_ONE), -BPS_ONE)
            found.append(
                ChainFlow(
                    chain_key=chain,
                    hour_ms=hour,
                    trades=trades,
                    volume_usd_micros=volume,
                    net_usd_micros=net,
                    rotation_bps=rotation,
                    reason_unknown="" if is_told else f"{trades} trades: {FLOW_TRADES_MIN} are needed",
                )
            )
    return tuple(found)


# -- one ranking over all chains ----------------------------------------------------------
@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A pair to be compared with those of all chains. ``score_bps`` None: nobody has judged it."""

    pair_id: int
    chain_key: str
    symbol: str
    score_bps: int | None
    loss_bps: int | None  # the probability of loss
    coordination_bps: int | None
    pressure_bps: int | None  # of its chain


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranked:
    """A pair with its place over all chains, 1 is best. ``unknown`` names what was taken at its adverse value."""

    place: int
    candidate: Candidate
    value_bps: int
    unknown: tuple[str, ...]


def ranked(candidates: Sequence[Candidate]) -> tuple[Ranked, ...]:
    """Return the pairs of all chains, best first: score, times what is left after loss and concert, moved a little by flows.

    Whoever has no score stands behind all who have one.
    """
    valued = [(value_bps(item), item) for item in candidates]
    valued.sort(key=lambda pair: (pair[1].score_bps is None, -pair[0], pair[1].pair_id))
    return tuple(
        Ranked(place=place, candidate=item, value_bps=value, unknown=_unknown(item))
        for place, (value, item) in enumerate(valued, start=1)
    )


def value_bps(item: Candidate) -> int:
    """Return a pair's value for comparing, 0..10000 and a little above where money flows in."""
    loss = UNKNOWN_LOSS if item.loss_bps is None else Decimal(item.loss_bps) / BPS_ONE
    concert = UNKNOWN_CONCERT if item.coordination_bps is None else Decimal(item.coordination_bps) / BPS_ONE
    pressure = item.pressure_bps or 0
    with localcontext(RATIO_CONTEXT):
        value = Decimal(item.score_bps or 0) * (1 - loss) * (1 - concert)
        value *= 1 + Decimal(pressure * FLOW_WEIGHT_BPS) / (BPS_ONE * BPS_ONE)
        return int(value.to_integral_value(rounding=ROUND_FLOOR))


def _unknown(item: Candidate) -> tuple[str, ...]:
    parts: Mapping[str, object] = {
        "score": item.score_bps,
        "loss_probability": item.loss_bps,
        "coordination_bps": item.coordination_bps,
        "chain_flow": item.pressure_bps,
    }
    return tuple(name for name, value in parts.items() if value is None)
