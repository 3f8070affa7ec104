"""How a rule answers: pass, fail or unknown, in words and figures."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from apps.domain.analysis import Analysis
from apps.domain.estimate import Estimate
from apps.domain.verdict import Finding, Outcome
from apps.risk.logic.explanations import EXPLANATIONS

_NEVER_ASKED = "nobody asked for it"


def finding(*, rule: str, code: str, outcome: Outcome, detail: str = "", addition: str = "") -> Finding:
    """Return a rule's answer; ``addition`` says in brackets what the sentence leaves open."""
    sentence = EXPLANATIONS[code].sentence
    explanation = f"{sentence.removesuffix('.')} ({addition})." if addition else sentence
    return Finding(rule=rule, code=code, outcome=outcome, explanation=explanation, detail=detail)


def unknown_finding(*, rule: str, code: str, estimate: Estimate | None, name: str) -> Finding:
    """Return the answer of a rule whose figure ``name`` is unknown, with the reason."""
    reason = _NEVER_ASKED if estimate is None else estimate.reason_unknown
    return finding(rule=rule, code=code, outcome=Outcome.UNKNOWN, detail=f"{name}=unknown", addition=reason)


def is_true(estimate: Estimate | None) -> bool | None:
    """Return a yes-or-no estimate's value, None when unknown."""
    if estimate is None or estimate.value is None:
        return None
    return estimate.value != 0


@dataclass(frozen=True, slots=True, kw_only=True)
class YesNo:
    """A rule that asks one yes-or-no figure. ``is_good`` is the answer that passes."""

    rule: str
    figure: str  # code of the estimate
    is_good: bool
    passed: str
    failed: str
    unknown: str

    def answer(self, analysis: Analysis, *, is_allowed: bool = False) -> Finding:
        """Return the answer; ``is_allowed`` lets the other answer pass, too."""
        estimate = analysis.estimate(self.figure)
        if is_allowed:
            return finding(rule=self.rule, code="OWNER_CONTROL_ALLOWED", outcome=Outcome.PASS)
        value = is_true(estimate)
        if value is None:
            return unknown_finding(rule=self.rule, code=self.unknown, estimate=estimate, name=self.figure)
        is_good = value is self.is_good
        return finding(
            rule=self.rule,
            code=self.passed if is_good else self.failed,
            outcome=Outcome.PASS if is_good else Outcome.FAIL,
            detail=f"{self.figure}={'yes' if value else 'no'}",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """A rule that compares one figure with one limit. ``name`` is the figure's name in the answer's detail."""

    rule: str
    figure: str  # code of the estimate
    passed: str
    failed: str
    unknown: str

    def at_most(self, analysis: Analysis, maximum: Decimal | int, *, scale: int = 1) -> Finding:
        """Return the answer when the figure's highest likely value, divided by ``scale``, may be ``maximum``."""
        estimate = analysis.estimate(self.figure)
        if estimate is None or estimate.value is None:
            return unknown_finding(rule=self.rule, code=self.unknown, estimate=estimate, name=self.figure)
        value = (estimate.value if estimate.high is None else estimate.high) / scale
        return self._answer(value, f"maximum={maximum}", is_good=value <= maximum)

    def at_least(self, analysis: Analysis, minimum: Decimal | int, *, scale: int = 1) -> Finding:
        """Return the answer when the figure's lowest likely value, divided by ``scale``, must be ``minimum``."""
        estimate = analysis.estimate(self.figure)
        if estimate is None or estimate.value is None:
            return unknown_finding(rule=self.rule, code=self.unknown, estimate=estimate, name=self.figure)
        value = (estimate.value if estimate.low is None else estimate.low) / scale
        return self._answer(value, f"minimum={minimum}", is_good=value >= minimum)

    def _answer(self, value: Decimal, limit: str, *, is_good: bool) -> Finding:
        return finding(
            rule=self.rule,
            code=self.passed if is_good else self.failed,
            outcome=Outcome.PASS if is_good else Outcome.FAIL,
            detail=f"{self.figure}={value:f} {limit}",
        )
