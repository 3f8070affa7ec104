"""The gate on the probability of loss: its upper bound counts, and what is unknown only warns."""

from __future__ import annotations

from dataclasses import replace

import pytest

from apps.domain.config import TradingConfig
from apps.domain.estimate import Estimate, known, unknown
from apps.domain.verdict import Finding, Gate, Outcome, RiskVerdict
from apps.intelligence.logic.analyse import analyse
from apps.risk.logic.judge import judge
from tests.intelligence.subjects import subject


def chance(value: int, high: int) -> Estimate:
    return known(
        "loss_probability", value, unit="bps", source="model", as_of_ms=0, low=min(value, 100), high=high
    )


UNSURE = unknown("loss_probability", "too little is known", unit="bps", source="model", as_of_ms=0)


def judged(*also: Estimate, gate: str = "veto", maximum: int = 9_500) -> tuple[RiskVerdict, Finding]:
    base = analyse(subject())
    config = TradingConfig.model_validate(
        {"gates": {"loss_probability": gate}, "rules": {"loss_probability_max_bps": maximum}}
    )
    found = judge(
        analysis=replace(base, estimates=(*base.estimates, *also)), config=config, config_revision=1
    )
    [finding] = [item for item in found.findings if item.rule == "loss_probability"]
    return found, finding


@pytest.mark.parametrize(
    ("estimate", "code", "outcome"),
    [
        (chance(4_000, 9_500), "LOSS_UNLIKELY", Outcome.PASS),
        (chance(4_000, 9_501), "LOSS_LIKELY", Outcome.FAIL),  # it could still prove that bad
        (chance(9_900, 9_950), "LOSS_LIKELY", Outcome.FAIL),
    ],
)
def test_probability_is_known_then_its_upper_bound_decides(
    estimate: Estimate, code: str, outcome: Outcome
) -> None:
    found, finding = judged(estimate)
    assert (finding.code, finding.gate, found.outcome) == (code, Gate.VETO, outcome)
    assert "maximum=9500" in finding.detail


def test_probability_is_unknown_then_it_warns_with_its_reason_and_refuses_nothing() -> None:
    found, finding = judged(UNSURE)
    assert (finding.code, finding.outcome, finding.gate) == ("LOSS_UNKNOWN", Outcome.UNKNOWN, Gate.WARN)
    assert "too little is known" in finding.explanation
    assert found.outcome is Outcome.PASS
    assert finding in found.warnings


def test_nobody_asked_then_it_says_so_and_refuses_nothing() -> None:
    found, finding = judged()
    assert (finding.code, finding.gate, found.outcome) == ("NOT_ASKED", Gate.WARN, Outcome.PASS)


def test_gate_warns_then_a_likely_loss_only_warns() -> None:
    found, finding = judged(chance(9_900, 9_950), gate="warn")
    assert (finding.outcome, finding.gate, found.outcome) == (Outcome.FAIL, Gate.WARN, Outcome.PASS)


def test_maximum_is_lowered_then_less_is_borne() -> None:
    assert judged(chance(4_000, 9_400), maximum=9_000)[0].outcome is Outcome.FAIL
