"""Figures of a classifier against what can be counted by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.intelligence.measuring.libraries import needed_library
from apps.intelligence.measuring.metrics import (
    auc,
    calibration_error,
    confusion_figures,
    decided,
    recall_at_fpr,
)

np = needed_library("numpy")
LABELS = st.lists(st.booleans(), min_size=2, max_size=30).filter(lambda items: len(set(items)) == 2)


def array(*values):
    return np.array(values, dtype=float)


@given(LABELS, st.data())
def test_auc_then_it_is_the_share_of_pairs_in_right_order(labels, data):
    scores = data.draw(st.lists(st.integers(0, 5), min_size=len(labels), max_size=len(labels)))
    pairs = [
        (a > b) + (a == b) / 2
        for a, lost in zip(scores, labels, strict=True)
        if lost
        for b, other in zip(scores, labels, strict=True)
        if not other
    ]
    assert auc(array(*labels), array(*scores)) == pytest.approx(sum(pairs) / len(pairs))


def test_one_outcome_only_then_auc_is_unknown():
    assert auc(array(1, 1), array(0.1, 0.9)) is None


def test_confusion_of_four_kinds_then_figures_are_as_counted():
    found = confusion_figures(array(1, 1, 1, 0, 0), array(1, 1, 0, 1, 0))
    assert found["f1"] == pytest.approx(4 / 6)
    assert found["balanced_accuracy"] == pytest.approx((2 / 3 + 1 / 2) / 2)
    assert found["mcc"] == pytest.approx((2 * 1 - 1 * 1) / (3 * 3 * 2 * 2) ** 0.5)


def test_always_refused_then_correlation_is_zero():
    assert confusion_figures(array(1, 0), array(1, 1))["mcc"] == 0


def test_recall_at_fpr_then_ties_are_taken_together():
    lost = array(1, 1, *[0] * 10)
    assert recall_at_fpr(lost, array(0.9, 0.5, 0.5, *[0.1] * 9)) == 1.0
    assert recall_at_fpr(lost, array(0.9, 0.5, 0.5, 0.5, *[0.1] * 8)) == 0.5
    assert recall_at_fpr(lost, array(*[0.5] * 12)) == 0.0


def test_calibrated_then_no_error_and_overconfident_then_some():
    lost = array(1, 0, 1, 0)
    assert calibration_error(lost, array(0.5, 0.5, 0.5, 0.5)) == pytest.approx(0)
    assert calibration_error(lost, array(1, 1, 1, 1)) == pytest.approx(0.5)


def test_evidence_is_weak_then_nothing_is_decided():
    assert decided(array(1, 0), array(0.6, 0.4)) == {"decided_share": 0.0, "accuracy_decided": None}


def test_most_rows_are_losses_then_both_outcomes_weigh_the_same():
    found = decided(array(*[1] * 9, 0), array(*[0.95] * 10))
    assert found["accuracy_decided"] == pytest.approx(0.5)
