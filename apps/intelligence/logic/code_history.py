"""What became of other tokens with the very same code, immutable values aside."""

from __future__ import annotations

from decimal import ROUND_FLOOR, Decimal, localcontext

from apps.domain.estimate import Estimate
from apps.domain.money import RATIO_CONTEXT
from apps.intelligence.logic.deployer import PRIOR_TOKENS, dead_share
from apps.intelligence.logic.subject import Subject

_SOURCE = "history"


def estimates(subject: Subject) -> tuple[Estimate, ...]:
    """Return code_seen_tokens and code_dead_bps, the latter drawn towards the base rate with a 90 % interval.

    None of them when no full assessment was asked for: only that reads the code.
    """
    probes = subject.facts.probes
    if probes is None:
        return ()
    history = subject.code_history
    if probes.code is None or history is None:
        reason = probes.missing.get("code") or "nobody looked for tokens with the same code"
        return (
            subject.unknown("code_seen_tokens", reason, unit="count", source=_SOURCE),
            subject.unknown("code_dead_bps", reason, unit="bps", source=_SOURCE),
        )
    seen = history.dead + history.alive
    tokens = subject.known("code_seen_tokens", history.tokens, unit="count", source=_SOURCE)
    if seen == 0:
        reason = "what became of tokens with the same code was never seen"
        return tokens, subject.unknown("code_dead_bps", reason, unit="bps", source=_SOURCE)
    mean, low, high = dead_share(dead=history.dead, alive=history.alive)
    with localcontext(RATIO_CONTEXT):
        confidence = Decimal(seen) / (Decimal(seen) + PRIOR_TOKENS)
    return tokens, subject.known(
        "code_dead_bps",
        mean,
        unit="bps",
        source=_SOURCE,
        confidence=confidence.quantize(Decimal("0.0001"), rounding=ROUND_FLOOR),
        n=seen,
        low=low,
        high=high,
    )
