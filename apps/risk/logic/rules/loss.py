"""The fitted probability that the pool's money is lost, as a gate of its own.

Its upper bound counts: what every model could still say once it knows what it does not know now.
"""

from __future__ import annotations

from apps.domain.analysis import Analysis
from apps.domain.config import Rules
from apps.domain.verdict import Finding
from apps.risk.logic.findings import Threshold

FIGURE = "loss_probability"
_THRESHOLD = Threshold(
    rule=FIGURE,
    figure=FIGURE,
    passed="LOSS_UNLIKELY",
    failed="LOSS_LIKELY",
    unknown="LOSS_UNKNOWN",
)


def check(analysis: Analysis, rules: Rules) -> Finding:
    """Return whether a loss is improbable enough."""
    return _THRESHOLD.at_most(analysis, rules.loss_probability_max_bps)
