"""May we: the outcome of every rule."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, IntEnum

from apps.domain.ids import PairKey, TraceId


class Outcome(Enum):
    """What a rule says. UNKNOWN is never treated as PASS."""

    PASS = "pass"
    FAIL = "fail"
    UNKNOWN = "unknown"


class Gate(IntEnum):
    """What a rule's refusal does. The order is one of strictness."""

    OFF = 0  # the rule is not asked
    WARN = 1  # what it says stands in the verdict and refuses nothing
    VETO = 2  # a failure refuses the pair, and so does an answer that is unknown

    @property
    def word(self) -> str:
        """Return the gate as people write it."""
        return self.name.lower()


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One rule's answer. ``code`` is for machines ("LIQUIDITY_BELOW_MINIMUM"), ``explanation`` for people,
    ``detail`` holds the figures ("liquidity_usd=512.20 minimum=2000"). ``gate`` says what a refusal of it does here.
    """

    rule: str
    code: str
    outcome: Outcome
    explanation: str
    detail: str
    gate: Gate = Gate.VETO


class Action(Enum):
    """What the whole of an analysis recommends, worst first. The limits may still say no."""

    BLOCK = "block"  # a rule refuses it
    AVOID = "avoid"  # nothing that may still become known could make it good enough
    WATCH = "watch"  # not good enough or not known well enough yet
    PROBE = "probe"  # good enough, but it may turn out not to be: a small try
    BUY = "buy"


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A figure in bps with the bounds it can have once what is unknown becomes known; all None: unknown.

    ``coverage_bps`` is the known share of what it rests on.
    """

    low_bps: int | None
    value_bps: int | None
    high_bps: int | None
    coverage_bps: int

    def __post_init__(self) -> None:
        ends = (self.low_bps, self.value_bps, self.high_bps)
        if any(end is None for end in ends):
            assert ends == (None, None, None), ends
        else:
            assert ends == tuple(sorted(end for end in ends if end is not None)), ends


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreCard:
    """Risk and edge apart, and the action that follows.

    ``risk`` is 0 (safest) .. 10000: 10000 less the score; no probability. ``edge`` is what an entry brings on average in
    bps of its cost, losses of everything included, by our own lately; unknown before enough of them have ended.
    ``helps_most`` is the missing input whose knowledge would narrow the risk most, by ``helps_bps``; "" when none is missing.
    """

    action: Action
    why: str
    risk: Interval
    edge: Interval
    helps_most: str = ""
    helps_bps: int = 0


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
    card: ScoreCard | None = None  # None in verdicts of before there were cards

    @property
    def refusals(self) -> tuple[Finding, ...]:
        """Return the findings that refuse the trade, failures first."""
        return self._against(Gate.VETO)

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """Return the findings that speak against the trade and do not refuse it, failures first."""
        return self._against(Gate.WARN)

    def _against(self, gate: Gate) -> tuple[Finding, ...]:
        items = tuple(item for item in self.findings if item.gate is gate)
        failed = tuple(item for item in items if item.outcome is Outcome.FAIL)
        return failed + tuple(item for item in items if item.outcome is Outcome.UNKNOWN)
