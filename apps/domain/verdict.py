"""May we: the outcome of every rule."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from apps.domain.ids import PairKey, TraceId


class Outcome(Enum):
    """What a rule says. UNKNOWN is never treated as PASS."""

    PASS = "pass"
    FAIL = "fail"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One rule's answer. ``code`` is for machines ("LIQUIDITY_BELOW_MINIMUM"), ``explanation`` for people,
    ``detail`` holds the figures ("liquidity_usd=512.20 minimum=2000").
    """

    rule: str
    code: str
    outcome: Outcome
    explanation: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskVerdict:
    """All rules' answers on one analysis. ``score_bps`` is 0 (worst) .. 10000 (best); None when nothing is known.

    ``confidence_bps`` says how much the score rests on: the known share of its inputs, capped by the pair's age.
    """

    trace_id: TraceId
    pair_key: PairKey
    outcome: Outcome
    score_bps: int | None
    findings: tuple[Finding, ...]
    config_revision: int
    confidence_bps: int = 0

    @property
    def refusals(self) -> tuple[Finding, ...]:
        """Return the findings that stand against a trade, failures first."""
        failed = tuple(item for item in self.findings if item.outcome is Outcome.FAIL)
        return failed + tuple(item for item in self.findings if item.outcome is Outcome.UNKNOWN)
