"""What is worth telling."""

from __future__ import annotations

from dataclasses import fields, replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.alerts.logic.rules import (
    EngineFact,
    EquityFact,
    ExecutionFact,
    Facts,
    GasFact,
    Happening,
    IncidentFact,
    SilenceFact,
    VolumeFact,
    WebFact,
    judge,
)
from apps.domain.config import ALERT_RULES, Alerts, throttles_by_rule

USD = 1_000_000


def engine(**changes: Any) -> EngineFact:
    fact = EngineFact(is_stopped=True, is_closing=False, reason="a test", by="ada", epoch=7)
    return replace(fact, **changes)


def gas(worth: int | None) -> GasFact:
    return GasFact(
        chain_key="eip155:1", chain="One", wallet_key="trader", symbol="ETH", worth_usd_micros=worth
    )


INCIDENT = IncidentFact(
    number=3, key="bug/x", code="BUG", title="It broke", detail="", remedy="Mend", trace_id=""
)
HAPPENING = Happening(
    rule="whale", position=9, summary="CAT: whales have sold", subject="pair:4", trace_id="", at_ms=1
)
#: Rule -> facts that must raise it, and facts just short of that.
CASES: dict[str, tuple[Facts, Facts]] = {
    "emergency_stop": (Facts(engine=engine()), Facts(engine=engine(is_stopped=False))),
    "incident": (Facts(incidents=(INCIDENT,)), Facts(incidents=())),
    "socket": (
        Facts(sockets=(SilenceFact(name="eip155:1", words="No new block", silent_s=31),)),
        Facts(sockets=(SilenceFact(name="eip155:1", words="No new block", silent_s=30),)),
    ),
    "api": (Facts(web=WebFact(answered_ms=5_001)), Facts(web=WebFact(answered_ms=5_000))),
    "execution": (
        Facts(execution=ExecutionFact(ended=100, filled=89)),
        Facts(execution=ExecutionFact(ended=100, filled=90)),
    ),
    "drawdown": (
        Facts(equity=EquityFact(high_usd_micros=1_000 * USD, now_usd_micros=800 * USD)),
        Facts(equity=EquityFact(high_usd_micros=1_000 * USD, now_usd_micros=801 * USD)),
    ),
    "gas": (Facts(gas=(gas(5 * USD - 1),)), Facts(gas=(gas(5 * USD),))),
    "volume": (
        Facts(volume=VolumeFact(hour_usd_micros=1_001 * USD, earlier_usd_micros=(200 * USD,) * 6)),
        Facts(volume=VolumeFact(hour_usd_micros=1_000 * USD, earlier_usd_micros=(200 * USD,) * 6)),
    ),
    "feed": (
        Facts(feeds=(SilenceFact(name="dexscreener", words="brought nothing", silent_s=301),)),
        Facts(feeds=(SilenceFact(name="dexscreener", words="brought nothing", silent_s=300),)),
    ),
    "regime": (Facts(happenings=(replace(HAPPENING, rule="regime"),)), Facts(happenings=())),
    "whale": (Facts(happenings=(HAPPENING,)), Facts(happenings=())),
    "coordination": (Facts(happenings=(replace(HAPPENING, rule="coordination"),)), Facts(happenings=())),
}
_OFF: dict[str, Any] = {
    "emergency_stop": {"emergency_stop": False},
    "incident": {"critical_incidents": False},
    "socket": {"socket_down_max_s": None},
    "api": {"api_slow_max_ms": None},
    "execution": {"execution_success_min_bps": None},
    "drawdown": {"drawdown_max_bps": None},
    "gas": {"gas_balance_min_usd": None},
    "volume": {"volume_unusual_times": None},
    "feed": {"feed_stale_max_s": None},
    "regime": {"regime_change": False},
    "whale": {"whales": False},
    "coordination": {"coordination": False},
}


@pytest.mark.parametrize("rule", ALERT_RULES)
def test_rule_when_its_limit_is_passed_then_told_and_just_short_of_it_or_off_not(rule: str):
    beyond, short = CASES[rule]
    [signal] = judge(beyond, Alerts()).signals
    assert (signal.rule, bool(signal.title)) == (rule, True)
    assert judge(short, Alerts()).signals == ()
    assert judge(beyond, Alerts(**_OFF[rule])).signals == ()


def test_nothing_read_then_nothing_judged_so_that_nothing_ends():
    assert judge(Facts(), Alerts()) == judge(Facts(happenings=()), Alerts())
    assert judge(Facts(), Alerts()).judged == frozenset()
    assert judge(CASES["gas"][1], Alerts()).judged == {"gas"}


@pytest.mark.parametrize(
    "facts",
    [
        Facts(gas=(gas(None),)),
        Facts(execution=ExecutionFact(ended=9, filled=0)),
        Facts(volume=VolumeFact(hour_usd_micros=10**12, earlier_usd_micros=(USD,) * 5)),
        Facts(equity=EquityFact(high_usd_micros=0, now_usd_micros=0)),
        Facts(sockets=(SilenceFact(name="slow", words="No new block", silent_s=100, allowed_s=120),)),
    ],
)
def test_too_little_known_then_not_told(facts: Facts):
    assert judge(facts, Alerts()).signals == ()


@pytest.mark.parametrize(
    ("summary", "title"),
    [
        ("Simulated: BTC rises: its price stands above its mean", "Large holders: Simulated: BTC rises"),
        (
            "CAT: whales have sold 30 % of it (confidence 0.7)",
            "Large holders: CAT: whales have sold 30 % of it",
        ),
        ("whales", "Large holders: whales"),
    ],
)
def test_happening_then_its_title_is_its_first_clause_and_its_text_all_of_it(summary: str, title: str):
    [signal] = judge(Facts(happenings=(replace(HAPPENING, summary=summary),)), Alerts()).signals
    assert (signal.title, signal.text) == (title, summary)


def test_web_server_that_does_not_answer_then_told():
    [signal] = judge(Facts(web=WebFact(answered_ms=None)), Alerts()).signals
    assert "at all" in signal.text


def test_every_fact_belongs_to_a_rule():
    assert len(fields(Facts)) == len(ALERT_RULES) - 2  # three rules share the happenings


@given(st.integers(0, 10**15), st.integers(-(10**15), 10**15))
def test_drawdown_is_never_told_of_a_rise(high: int, rise: int):
    now = high + abs(rise)
    assert judge(Facts(equity=EquityFact(high_usd_micros=high, now_usd_micros=now)), Alerts()).signals == ()


@pytest.mark.parametrize("text", ["whale", "whale=", "whale=x", "bears=3", "whale=90000", "whale=-1"])
def test_throttles_when_unreadable_then_refused_in_words(text: str):
    with pytest.raises(ValueError, match="is no rule and time"):
        throttles_by_rule(text)


def test_throttle_of_the_kill_switch_is_none_whatever_is_set():
    config = Alerts(throttle_by_rule="emergency_stop=600 whale=60", throttle_s=5)
    assert [config.throttle_of(rule) for rule in ("emergency_stop", "whale", "gas")] == [0, 60, 5]
    assert Alerts(gas_balance_min_usd=Decimal("0.01")).gas_balance_min_usd == Decimal("0.01")
