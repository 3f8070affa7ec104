"""The counting of verdicts against truths."""

from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.sandbox.logic.confusion import Label, Verdict, confusion_of, quantile

_PAIRS = st.lists(
    st.tuples(st.sampled_from(get_args(Label)), st.sampled_from(get_args(Verdict))), max_size=40
)


@given(pairs=_PAIRS)
def test_any_verdicts_when_counted_then_each_counts_once_and_shares_follow(
    pairs: list[tuple[Label, Verdict]],
):
    told = confusion_of(pairs)
    unsafe = [verdict for label, verdict in pairs if label == "unsafe"]
    refused = [label for label, verdict in pairs if verdict == "unsafe"]
    assert told.n == len(pairs)
    assert told.tp + told.fn + told.unknown_unsafe == len(unsafe)
    assert told.tp + told.fp == len(refused)
    assert (told.recall is None) == (not unsafe)
    assert (told.precision is None) == (not refused)
    if unsafe:
        assert told.recall == pytest.approx(unsafe.count("unsafe") / len(unsafe), abs=1e-4)


def test_unknown_unsafe_token_when_counted_then_recall_falls_and_precision_does_not():
    told = confusion_of([("unsafe", "unsafe"), ("unsafe", "unknown"), ("safe", "unknown"), ("safe", "safe")])
    assert (told.recall, told.precision, told.unknown_share) == (0.5, 1.0, 0.5)


def test_planted_wrong_label_when_counted_then_it_is_an_error_of_that_kind():
    right: list[tuple[Label, Verdict]] = [
        ("unsafe", "unsafe"),
        ("unsafe", "unsafe"),
        ("safe", "safe"),
        ("safe", "safe"),
    ]
    assert confusion_of(right).fp == confusion_of(right).fn == 0
    assert confusion_of([*right, ("safe", "unsafe")]).fp == 1
    assert confusion_of([*right, ("unsafe", "safe")]).fn == 1


@given(values=st.lists(st.floats(0, 1e6), min_size=1, max_size=60), share=st.floats(0.01, 1))
def test_any_quantile_when_taken_then_it_is_a_value_and_covers_its_share(values: list[float], share: float):
    found = quantile(values, share)
    assert found in values
    assert sum(value <= found for value in values) >= share * len(values) - 1e-6


def test_quantile_when_there_are_no_values_then_it_is_unknown():
    assert quantile([], 0.5) is None
    assert quantile([3.0, 1.0, 2.0], 0.5) == 2.0
    assert quantile([float(value) for value in range(1, 101)], 0.95) == 95.0
