"""Verdicts in the database."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from apps.domain.config import TradingConfig
from apps.domain.verdict import Outcome
from apps.intelligence.logic.analyse import analyse
from apps.risk.models import VerdictRecord
from apps.risk.selectors import findings_of, verdict_latest
from apps.risk.services.verdicts import StoredVerdict, verdict_issue
from apps.state.models import Event
from tests import factories
from tests.intelligence.subjects import subject, trip

pytestmark = pytest.mark.django_db


def issue(**facts: Any) -> StoredVerdict:
    pair = factories.PairFactory()
    record = factories.AnalysisRecordFactory(pair=pair)
    return verdict_issue(
        analysis=analyse(subject(**facts)),
        analysis_id=record.pk,
        pair_id=pair.pk,
        config=TradingConfig(),
        config_revision=3,
    )


def test_good_pair_then_the_verdict_stands_and_no_alarm() -> None:
    stored = issue()
    record = VerdictRecord.objects.get()
    assert record.pk == stored.record_id
    assert (record.outcome, record.config_revision) == ("pass", 3)
    assert (record.score_bps, record.confidence_bps) == (
        stored.verdict.score_bps,
        stored.verdict.confidence_bps,
    )
    assert findings_of(record) == stored.verdict.findings
    assert verdict_latest(pair_id=record.pair_id) == record
    assert not Event.objects.exists()


def test_honeypot_then_a_risk_alert_stands_beside_it() -> None:
    stored = issue(round_trips=(trip(stage="sell_failed"), trip("eth_simulateV1", "sell_failed")))
    assert stored.verdict.outcome is Outcome.FAIL
    event = Event.objects.get()
    assert (event.kind, event.trace_id) == ("risk_alert", stored.verdict.trace_id)
    assert event.payload == {"verdict": stored.record_id, "codes": ["SELL_BLOCKED"]}
    assert "honeypot" in event.summary


def test_pair_only_does_not_fit_then_no_alarm() -> None:
    assert issue(lp_locked_raw=0).verdict.outcome is Outcome.FAIL
    assert not Event.objects.exists()


def test_nothing_is_known_then_the_verdict_is_unknown_without_a_score() -> None:
    pair = factories.PairFactory()
    record = factories.AnalysisRecordFactory(pair=pair)
    empty = replace(analyse(subject()), estimates=())
    verdict_issue(
        analysis=empty, analysis_id=record.pk, pair_id=pair.pk, config=TradingConfig(), config_revision=1
    )
    stored = VerdictRecord.objects.get()
    assert (stored.outcome, stored.score_bps, stored.confidence_bps) == ("unknown", None, 0)
