"""What became of the tokens that the same address, or the same money, launched before."""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal, localcontext

from apps.domain.estimate import Estimate
from apps.domain.market import DeployerHistory
from apps.domain.money import BPS_ONE, RATIO_CONTEXT
from apps.intelligence.logic.subject import Subject

_SOURCE = "history"
#: Of 4,076 Uniswap V2 pools of 2020-21 that ever held 1 ETH, 3,364 (82.5 %) ended drained to a hundredth of their
#: peak (counted from their public Sync events). A new deployer is met with that rate, worth as much as two tokens of
#: his own: weak enough that three honest tokens outweigh it.
PRIOR_DEAD_SHARE = Decimal("0.825")
PRIOR_TOKENS = Decimal(2)
#: 90 % of the normal distribution with the posterior's mean and variance lies within so many deviations.
_DEVIATIONS = Decimal("1.645")


def estimates(subject: Subject) -> tuple[Estimate, ...]:
    """Return deployer_tokens and deployer_dead_bps, and both for the whole cluster.

    Shares are drawn towards the base rate, with a 90 % interval.
    """
    return (*_of_creator(subject), *_of_cluster(subject))


def _of_creator(subject: Subject) -> tuple[Estimate, Estimate]:
    history = subject.history
    if history is None:
        reason = "the creator of this pair is unknown"
        return (
            subject.unknown("deployer_tokens", reason, unit="count", source=_SOURCE),
            subject.unknown("deployer_dead_bps", reason, unit="bps", source=_SOURCE),
        )
    tokens = subject.known("deployer_tokens", history.tokens, unit="count", source=_SOURCE)
    return tokens, _dead_share(subject, history, "deployer_dead_bps")


def _of_cluster(subject: Subject) -> tuple[Estimate, ...]:
    """Return the record of everybody who launches with the same money; unknown where the funder is, none unasked."""
    cluster = subject.cluster
    if cluster is None:
        return ()
    if cluster.history is None:
        reason = cluster.reason_unknown or "nobody beside the creator is known to launch with the same money"
        return (
            subject.unknown("deployer_cluster_makers", reason, unit="count", source=_SOURCE),
            subject.unknown("deployer_cluster_tokens", reason, unit="count", source=_SOURCE),
            subject.unknown("deployer_cluster_dead_bps", reason, unit="bps", source=_SOURCE),
        )
    history = cluster.history
    return (
        subject.known("deployer_cluster_makers", cluster.makers, unit="count", source=_SOURCE),
        subject.known("deployer_cluster_tokens", history.tokens, unit="count", source=_SOURCE),
        _dead_share(subject, history, "deployer_cluster_dead_bps"),
    )


def _dead_share(subject: Subject, history: DeployerHistory, code: str) -> Estimate:
    seen = history.dead + history.alive
    if history.tokens > 0 and seen == 0:
        reason = f"what became of this deployer's {history.tokens} earlier tokens was never seen"
        return subject.unknown(code, reason, unit="bps", source=_SOURCE)
    mean, low, high = dead_share(dead=history.dead, alive=history.alive)
    with localcontext(RATIO_CONTEXT):
        confidence = Decimal(seen) / (Decimal(seen) + PRIOR_TOKENS)
    return subject.known(
        code,
        mean,
        unit="bps",
        source=_SOURCE if seen else "prior",
        confidence=confidence.quantize(Decimal("0.0001"), rounding=ROUND_FLOOR),
        n=seen,
        low=low,
        high=high,
    )


def dead_share(*, dead: int, alive: int) -> tuple[int, int, int]:
    """Return the posterior mean share of dead tokens and its 90 % interval, in basis points.

    Beta prior of PRIOR_DEAD_SHARE and PRIOR_TOKENS; the interval is the normal one of the Beta's mean and variance.
    """
    with localcontext(RATIO_CONTEXT):
        weight = dead + alive + PRIOR_TOKENS
        mean = (dead + PRIOR_DEAD_SHARE * PRIOR_TOKENS) / weight
        spread = _DEVIATIONS * (mean * (1 - mean) / (weight + 1)).sqrt()
        return (
            _bps(mean, rounding=ROUND_CEILING),
            _bps(max(mean - spread, Decimal(0)), rounding=ROUND_FLOOR),
            _bps(min(mean + spread, Decimal(1)), rounding=ROUND_CEILING),
        )


def _bps(share: Decimal, *, rounding: str) -> int:
    return int((share * BPS_ONE).to_integral_value(rounding=rounding))
