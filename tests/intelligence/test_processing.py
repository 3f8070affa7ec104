"""How analysing itself goes."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from apps.domain.money import Token
from apps.intelligence.logic.processing import Analysed, part_latencies, quantile, unknown_shares
from apps.intelligence.models import AnalysisRecord
from apps.intelligence.services.analysis import analysis_run
from apps.intelligence.services.statistics import processing_statistics
from apps.intelligence.services.stopwatch import Stopwatch
from tests import factories
from tests.intelligence.subjects import FACTS, LISTING, NO_HISTORY, NOW_MS


def known(code: str) -> dict[str, Any]:
    return {"code": code, "value": "1", "reason_unknown": ""}


def missing(code: str, reason: str) -> dict[str, Any]:
    return {"code": code, "value": None, "reason_unknown": reason}


def row(*estimates: dict[str, Any], **durations: int) -> Analysed:
    return Analysed(estimates=estimates, durations_us=durations, facts_us=5_000, caches={})


def test_latencies_then_each_part_with_its_quantiles_the_slowest_first():
    found = part_latencies([row(age=number, safety=10 * number) for number in range(1, 101)])
    assert [(item.name, item.median_us, item.p95_us) for item in found] == [
        ("facts", 5_000, 5_000),
        ("all", 550, 1_045),
        ("safety", 500, 950),
        ("age", 50, 95),
    ]
    assert quantile([3], 95) == 3


def test_unknowns_then_the_least_known_first_with_its_usual_reason():
    rows = [row(known("age"), missing("sold", "no answer")), row(known("age"), missing("sold", "no answer"))]
    rows += [row(missing("age", "no block"), known("sold"))]
    found = unknown_shares(rows)
    assert [(item.code, item.unknown_bps, item.reason) for item in found] == [
        ("sold", 6_666, "no answer"),
        ("age", 3_333, "no block"),
    ]


@pytest.mark.django_db
def test_analysis_when_run_then_every_part_is_timed_and_counted():
    chain: Any = factories.ChainFactory()
    pair = factories.PairFactory()
    listing = replace(LISTING, quote=Token(LISTING.base.chain_key, chain.wrapped_native_address, "WETH", 18))
    watch = Stopwatch()
    also = watch.time("mine", lambda: ())
    for _ in range(3):
        analysis_run(
            listing=listing,
            pair_id=pair.pk,
            facts=FACTS,
            history=NO_HISTORY,
            now_ms=NOW_MS,
            facts_duration_ms=7,
            also=also,
            stopwatch=watch,
        )
    record = AnalysisRecord.objects.first()
    assert record is not None
    assert {"age", "liquidity", "safety", "mine"} <= record.durations_us.keys()
    assert all(type(value) is int for value in record.durations_us.values())
    now = timezone.now()
    found = processing_statistics(now=now)
    assert (found.analyses, found.looked_into) == (3, 3)
    assert found.per_minute == pytest.approx(3 / 15)
    assert {item.name for item in found.caches} == {"code views", "code selectors"}
    assert {item.name: item.p95_us for item in found.latencies}["facts"] == 7_000
    assert any(item.unknown_bps == 10_000 and item.reason for item in found.unknowns)
    assert processing_statistics(now=now + timedelta(hours=1)).analyses == 0
