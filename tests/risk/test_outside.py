"""Second opinions: they can only make a verdict stricter, and every sentence names the service and its figure."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.domain.config import Gates, TradingConfig
from apps.domain.estimate import Estimate
from apps.domain.ids import ChainKey
from apps.domain.opinion import DANGER_WORDS, Danger, Opinion
from apps.domain.verdict import Finding, Gate, Outcome, RiskVerdict
from apps.intelligence.logic.analyse import analyse
from apps.intelligence.logic.opinions import Answer, estimates
from apps.risk.logic.explainer import explain
from apps.risk.logic.judge import judge
from tests.intelligence.subjects import FACTS, NOW_MS, subject, trip

CHAIN = ChainKey("eip155:8453")
STRICTNESS = {Outcome.PASS: 0, Outcome.UNKNOWN: 1, Outcome.FAIL: 2}


def said(source: str = "GoPlus", *, is_fresh: bool = True, why: str = "", **opinion: Any) -> Answer:
    given_ = {"is_sellable": True} | opinion
    found = None if why else Opinion(source=source, chain_key=CHAIN, token="0x1", **given_)
    return Answer(source=source, opinion=found, fetched_at_ms=NOW_MS, is_fresh=is_fresh, why=why)


def stated(*answers: Answer, **facts: Any) -> tuple[Estimate, ...]:
    return estimates(answers, facts=replace(FACTS, **facts), now_ms=NOW_MS)


def verdict(*answers: Answer, config: TradingConfig | None = None, **facts: Any) -> RiskVerdict:
    base = analyse(subject(**facts))
    analysis = replace(base, estimates=(*base.estimates, *stated(*answers, **facts)))
    return judge(analysis=analysis, config=config or TradingConfig(), config_revision=1)


def of(rule: str, found: RiskVerdict) -> Finding:
    return next(item for item in found.findings if item.rule == rule)


def figure(code: str, found: tuple[Estimate, ...]) -> Estimate:
    return next(item for item in found if item.code == code)


def test_no_service_is_configured_then_nothing_is_stated_and_the_verdict_says_so() -> None:
    assert stated() == ()
    found = verdict()
    assert found.outcome is Outcome.PASS
    answer = of("outside_danger", found)
    assert (answer.code, answer.gate) == ("NOT_ASKED", Gate.WARN)
    assert "no outside service" in answer.explanation


def test_service_warns_then_refused_with_its_name_and_figure() -> None:
    found = verdict(
        said(dangers=frozenset({Danger.HONEYPOT, Danger.HIDDEN_OWNER}), is_sellable=False),
        said("honeypot.is", sell_tax_bps=9_900),
    )
    assert found.outcome is Outcome.FAIL
    [sentence] = [item.text for item in explain(found).sentences if item.rule == "outside_danger"]
    assert "GoPlus warns of a honeypot and a hidden owner" in sentence
    assert "honeypot.is warns of a tax that takes most of a trade" in sentence
    assert "outside sell tax 99 %" in sentence


def test_services_find_nothing_then_accepted_as_before() -> None:
    found = verdict(said(sell_tax_bps=0), said("honeypot.is"))
    assert found.outcome is Outcome.PASS
    assert "GoPlus, honeypot.is" in of("outside_danger", found).explanation
    assert found.score_bps == verdict().score_bps


def test_configured_service_has_not_answered_then_unknown_with_the_reason_and_refused() -> None:
    found = verdict(said(why="it was not asked yet"), said("honeypot.is", failure="its simulation failed: x"))
    assert found.outcome is Outcome.UNKNOWN
    words = of("outside_danger", found).explanation
    assert "GoPlus: it was not asked yet" in words
    assert "honeypot.is: its simulation failed: x" in words
    warn = TradingConfig(gates=Gates(outside_danger=Gate.WARN))
    assert verdict(said(why="it was not asked yet"), config=warn).outcome is Outcome.PASS


def test_one_service_answers_and_another_fails_then_known() -> None:
    found = stated(said(failure="it does not know the token yet"), said("honeypot.is"))
    assert figure("outside_sources", found).value == 1
    summary = figure("outside_danger", found)
    assert summary.value == 0
    assert summary.source == "honeypot.is"


def test_answer_is_too_old_then_its_praise_is_gone_and_its_warning_stays() -> None:
    old = figure("outside_danger", stated(said(is_fresh=False)))
    assert old.value is None
    assert "too old" in old.reason_unknown
    assert verdict(said(is_fresh=False, dangers=frozenset({Danger.HONEYPOT}))).outcome is Outcome.FAIL


@pytest.mark.parametrize(
    ("opinion", "widest"),
    [
        ({"sell_tax_bps": 300}, 300),
        ({"buy_tax_bps": 700, "sell_tax_bps": 100}, 700),
        ({"is_sellable": False}, 10_000),
        ({}, 0),
    ],
)
def test_opinion_and_simulation_differ_then_by_how_much(opinion: dict[str, Any], widest: int) -> None:
    assert figure("outside_contradiction_bps", stated(said(**opinion))).value == widest


def test_contradiction_then_warned_of_and_not_refused() -> None:
    found = verdict(said("GoPlus"), said("honeypot.is", sell_tax_bps=1_200))
    assert found.outcome is Outcome.PASS
    answer = of("outside_contradiction", found)
    assert (answer.outcome, answer.gate) == (Outcome.FAIL, Gate.WARN)
    assert "honeypot.is" in answer.explanation
    assert "outside_sell_tax_bps=1200" in answer.detail


def test_service_praises_what_we_cannot_sell_then_contradiction_and_still_refused() -> None:
    failed = (trip(stage="sell_failed"), trip("eth_simulateV1", stage="sell_failed"))
    found = verdict(said(), round_trips=failed)
    assert found.outcome is Outcome.FAIL
    assert of("outside_contradiction", found).outcome is Outcome.FAIL


def test_our_simulation_says_nothing_then_no_contradiction_is_known() -> None:
    lone = figure("outside_contradiction_bps", stated(said(), round_trips=(trip(stage="unavailable"),)))
    assert lone.value is None


def test_every_danger_has_words() -> None:
    assert set(DANGER_WORDS) == set(Danger)


_TAX = st.none() | st.integers(0, 10_000)
_ANSWERS = st.lists(
    st.builds(
        said,
        st.sampled_from(["GoPlus", "honeypot.is", "RugCheck"]),
        is_fresh=st.booleans(),
        why=st.sampled_from(["", "it has not answered yet"]),
        is_sellable=st.none() | st.booleans(),
        buy_tax_bps=_TAX,
        sell_tax_bps=_TAX,
        failure=st.sampled_from(["", "it does not say"]),
        dangers=st.frozensets(st.sampled_from(list(Danger)), max_size=3),
    ),
    max_size=3,
    unique_by=lambda answer: answer.source,
)
_FACTS = st.sampled_from(
    [
        {},
        {"lp_locked_raw": 0},
        {"round_trips": ()},
        {"round_trips": (trip(stage="sell_failed"), trip("eth_simulateV1", stage="sell_failed"))},
    ]
)
_GATES = st.sampled_from(
    [
        TradingConfig(),
        TradingConfig(gates=Gates(**dict.fromkeys(Gates.model_fields, Gate.VETO))),
        TradingConfig(gates=Gates(**dict.fromkeys(set(Gates.model_fields) - {"outside_danger"}, Gate.OFF))),
    ]
)


@given(_ANSWERS, _FACTS, _GATES)
def test_any_opinions_then_the_verdict_is_never_better_than_without(
    answers: list[Answer], facts: dict[str, Any], config: TradingConfig
) -> None:
    without, with_them = verdict(config=config, **facts), verdict(*answers, config=config, **facts)
    assert STRICTNESS[with_them.outcome] >= STRICTNESS[without.outcome]
    assert with_them.score_bps == without.score_bps
    assert {item.code for item in without.refusals} <= {item.code for item in with_them.refusals}
