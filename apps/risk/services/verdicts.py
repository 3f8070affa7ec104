"""Issue verdicts: judge, keep, and raise the alarm where a pair is dangerous."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from apps.domain.analysis import Analysis
from apps.domain.config import TradingConfig
from apps.domain.events import EventKind
from apps.domain.verdict import Outcome, RiskVerdict
from apps.risk.logic.judge import Assessment, judge
from apps.risk.logic.record import card_to_json, findings_to_json
from apps.risk.models import VerdictRecord
from apps.state.services.events import event_record

#: Failures that mean somebody is out to rob buyers; the others only say that a pair is not for us.
DANGEROUS_CODES = frozenset({"SELL_BLOCKED", "PROBES_DISAGREE", "DEPLOYER_RUG_HISTORY"})


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredVerdict:
    """A verdict and the row that keeps it."""

    verdict: RiskVerdict
    record_id: int


def verdict_issue(
    *,
    analysis: Analysis,
    analysis_id: int,
    pair_id: int,
    config: TradingConfig,
    config_revision: int,
    assessment: Assessment = "first_look",
) -> StoredVerdict:
    """Return the verdict on a stored analysis, stored; a dangerous pair gets a RISK_ALERT event beside it."""
    verdict = judge(analysis=analysis, config=config, config_revision=config_revision, assessment=assessment)
    with transaction.atomic():
        record = VerdictRecord.objects.create(
            trace_id=verdict.trace_id,
            pair_id=pair_id,
            analysis_id=analysis_id,
            outcome=verdict.outcome.value,
            score_bps=verdict.score_bps,
            confidence_bps=verdict.confidence_bps,
            findings=findings_to_json(verdict.findings),
            action="" if verdict.card is None else verdict.card.action.value,
            card=None if verdict.card is None else card_to_json(verdict.card),
            config_revision=config_revision,
            created_at=timezone.now(),
        )
        _alert(verdict, analysis=analysis, pair_id=pair_id, record_id=record.pk)
    return StoredVerdict(verdict=verdict, record_id=record.pk)


def _alert(verdict: RiskVerdict, *, analysis: Analysis, pair_id: int, record_id: int) -> None:
    dangers = [
        item for item in verdict.findings if item.outcome is Outcome.FAIL and item.code in DANGEROUS_CODES
    ]
    if not dangers:
        return
    event_record(
        kind=EventKind.RISK_ALERT,
        trace_id=verdict.trace_id,
        subject=f"pair:{pair_id}",
        summary=f"{analysis.listing.base.symbol}: {dangers[0].explanation}",
        payload={"verdict": record_id, "codes": [item.code for item in dangers]},
    )
