"""Answers that hold for a moment: what hardly changes is not read anew for every pair.

Never for money, limits, the engine's state or the configuration: those are read where they count.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

_P = ParamSpec("_P")
_T = TypeVar("_T")
#: Answers of one function; with more the oldest questions are asked again.
ANSWERS_MAX = 256
_kept: list[dict[Any, tuple[float, Any]]] = []


def kept_for(seconds: float) -> Callable[[Callable[_P, _T]], Callable[_P, _T]]:
    """Return a decorator: an answer counts for so long in this process, by its arguments, which must be hashable."""

    def decorate(function: Callable[_P, _T]) -> Callable[_P, _T]:
        answers: dict[Any, tuple[float, Any]] = {}
        _kept.append(answers)

        @functools.wraps(function)
        def asked(*args: _P.args, **kwargs: _P.kwargs) -> _T:
            key = (args, tuple(sorted(kwargs.items())))
            now = time.monotonic()
            found = answers.get(key)
            if found is not None and now < found[0]:
                answer: _T = found[1]
                return answer
            answer = function(*args, **kwargs)
            if len(answers) >= ANSWERS_MAX:
                answers.clear()
            answers[key] = (now + seconds, answer)
            return answer

        return asked

    return decorate


def forget_all() -> None:
    """Ask everything anew: for tests, whose rows come and go."""
    for answers in _kept:
        answers.clear()
