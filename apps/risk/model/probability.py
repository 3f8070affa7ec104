"""The estimate ``loss_probability``: two models' evidence put together, with bounds.

One model judges how the launch behaves, the other who holds what. Their evidence is averaged, each weighed by how much
of its inputs is known (a logarithmic opinion pool): much of it is the same evidence, so it must not be counted twice.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from apps.domain.estimate import Estimate, known, unknown
from apps.domain.money import BPS_ONE
from apps.risk.model.history import Features
from apps.risk.model.model import LossModel, Probability

CODE = "loss_probability"
UNIT = "bps"
SOURCE = "model"


def probability(
    opinions: Sequence[tuple[LossModel, Features]], *, base_rate: float, as_of_ms: int
) -> Estimate:
    """Return the probability that the pool's money is lost, in basis points at ``base_rate``; unknown without inputs.

    ``low`` and ``high`` enclose what every model could say once its unknown inputs are known. The
    confidence is the share of the inputs' weight that is known.
    """
    given = [found for model, inputs in opinions if (found := model.probability(inputs)) is not None]
    if not given:
        reason = "too little is known of how the launch behaves and of who holds what"
        return unknown(CODE, reason, unit=UNIT, source=SOURCE, as_of_ms=as_of_ms)
    coverage = sum(item.coverage for item in given)
    evidence = sum(item.coverage * logit(item.balanced) for item in given) / coverage
    lows = [_evidence_at(item, item.low) for item in given]
    highs = [_evidence_at(item, item.high) for item in given]
    value = _bps(evidence, base_rate, rounding=ROUND_CEILING)
    return known(
        CODE,
        value,
        unit=UNIT,
        source=SOURCE,
        as_of_ms=as_of_ms,
        confidence=Decimal(f"{min(coverage / len(opinions), 1.0):.4f}"),
        n=len(given),
        low=min(value, _bps(min(lows), base_rate, rounding=ROUND_FLOOR)),
        high=max(value, _bps(max(highs), base_rate, rounding=ROUND_CEILING)),
    )


def _evidence_at(item: Probability, bound: float) -> float:
    """Return the log odds at even odds that belong to a bound given at the model's own base rate."""
    return logit(bound) - logit(item.value) + logit(item.balanced)


def logit(share: float) -> float:
    """Return the log odds of a probability, which never is quite 0 or 1."""
    share = min(max(share, 1e-6), 1 - 1e-6)
    return math.log(share / (1 - share))


def _bps(evidence: float, base_rate: float, *, rounding: str) -> int:
    share = 1 / (1 + math.exp(-(evidence + logit(base_rate))))
    return int((Decimal(share) * BPS_ONE).to_integral_value(rounding=rounding))
