"""Tokens of the same code: what became of them, and what their number says."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from apps.discovery.models import Pair
from apps.domain.market import DeployerHistory
from apps.intelligence.logic import code_history
from apps.intelligence.models import AnalysisRecord
from apps.intelligence.selectors import code_history as history_of
from tests.factories import PairFactory
from tests.intelligence.probed import PROBES
from tests.intelligence.subjects import subject

SKELETON = "0x" + "22" * 32


def estimated(history: DeployerHistory | None) -> dict[str, Any]:
    about = replace(subject(probes=PROBES), code_history=history)
    return {item.code: item for item in code_history.estimates(about)}


def test_same_code_mostly_died_then_the_share_is_drawn_to_the_base_rate() -> None:
    found = estimated(DeployerHistory(tokens=9, dead=8, alive=1, unknown=0))
    assert found["code_seen_tokens"].value == 9
    assert Decimal(8_250) < found["code_dead_bps"].value < Decimal(8_889)
    assert found["code_dead_bps"].n == 9


def test_code_was_never_seen_then_unknown_and_not_the_base_rate() -> None:
    assert estimated(DeployerHistory(tokens=0, dead=0, alive=0, unknown=0))["code_dead_bps"].value is None
    assert estimated(None)["code_seen_tokens"].value is None


def test_first_look_then_none() -> None:
    assert code_history.estimates(subject()) == ()


def seen(pair: Pair, *, skeleton_hash: str = SKELETON) -> None:
    AnalysisRecord.objects.create(
        trace_id="0" * 32,
        pair=pair,
        block_number=1,
        block_hash="0xaa",
        estimates=[],
        facts_duration_ms=1,
        skeleton_hash=skeleton_hash,
        created_at=timezone.now(),
    )


@pytest.mark.django_db
def test_pairs_were_analysed_then_each_other_token_of_the_same_code_counts_once() -> None:
    dead = PairFactory(reserve_quote_raw=1, peak_quote_raw=10**19)
    alive = PairFactory(reserve_quote_raw=10**19, peak_quote_raw=10**19)
    own: Any = PairFactory()
    other = PairFactory()
    for pair in (dead, dead, alive, own):
        seen(pair)
    seen(other, skeleton_hash="0x" + "33" * 32)
    found = history_of(
        skeleton_hash=SKELETON, apart_from_address=own.base.address.upper().replace("0X", "0x")
    )
    assert (found.tokens, found.dead, found.alive) == (2, 1, 1)
