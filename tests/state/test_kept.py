"""Answers that are kept for a moment."""

from __future__ import annotations

import time

from apps.state.kept import ANSWERS_MAX, forget_all, kept_for


def test_answer_when_asked_again_soon_then_kept_by_its_arguments_and_later_asked_anew():
    asked: list[int] = []

    @kept_for(0.05)
    def double(number: int) -> int:
        asked.append(number)
        return 2 * number

    assert [double(1), double(1), double(2)] == [2, 2, 4]
    assert asked == [1, 2]
    time.sleep(0.06)
    assert double(1) == 2
    assert asked == [1, 2, 1]
    forget_all()
    double(1)
    assert asked == [1, 2, 1, 1]


def test_answers_when_there_are_many_then_their_number_is_bounded():
    calls = 0

    @kept_for(60)
    def ask(number: int) -> int:
        nonlocal calls
        calls += 1
        return number

    for number in range(ANSWERS_MAX + 1):
        ask(number)
    ask(0)
    assert calls == ANSWERS_MAX + 2


def test_answer_when_asking_fails_then_nothing_is_kept():
    fails = [True]

    @kept_for(60)
    def ask() -> str:
        if fails:
            fails.pop()
            raise ValueError("not now")
        return "an answer"

    try:
        ask()
    except ValueError:
        pass
    assert ask() == "an answer"
