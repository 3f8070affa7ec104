"""The road's times: never negative, whatever the clocks say."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from apps.dashboard.logic.timeline import Mark, timeline

START = datetime(2026, 1, 1, tzinfo=UTC)


def mark(label: str, ms: int | None) -> Mark:
    return Mark(label=label, at=None if ms is None else START + timedelta(milliseconds=ms))


def test_steps_say_what_each_took():
    steps = timeline([mark("mined", 0), mark("registered", 180), mark("decided", 430)])
    assert [(step.offset_ms, step.took_ms) for step in steps] == [(0, 0), (180, 180), (430, 250)]
    assert {step.total_ms for step in steps} == {430}


def test_step_that_was_not_reached_has_no_times():
    step = timeline([mark("mined", 0), mark("sent", None)])[1]
    assert (step.at, step.offset_ms, step.took_ms, step.tone) == (None, None, None, "idle")


def test_step_before_the_one_before_it_took_nothing():
    steps = timeline([mark("mined", 500), mark("registered", 300), mark("decided", 900)])
    assert [step.took_ms for step in steps] == [0, 0, 400]


def test_nothing_reached_is_no_road():
    assert timeline([mark("mined", None)]) == ()
