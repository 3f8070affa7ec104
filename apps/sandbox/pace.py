"""How fast the market launches tokens, kept in a file so that any process may change it."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from django.conf import settings

from apps.domain.errors import ConfigurationError

PACE_MAX = 20.0  # new pairs a second, all chains together


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """``per_second`` counts new pairs of all chains together; ``is_paused`` stops launches, not blocks or trades."""

    per_second: float
    is_paused: bool


def pace_view() -> Pace:
    """Return the pace in force: the environment's until somebody sets another."""
    try:
        stored = json.loads(_path().read_text(encoding="utf-8"))
        return Pace(per_second=float(stored["per_second"]), is_paused=bool(stored["is_paused"]))
    except (OSError, ValueError, KeyError, TypeError):
        return Pace(per_second=float(settings.ENV.sandbox_pace), is_paused=False)


def pace_set(per_second: float) -> Pace:
    """Launch so many new pairs a second from now on. Raises ConfigurationError beyond 0 to 20."""
    if not 0 <= per_second <= PACE_MAX:
        raise ConfigurationError(
            f"A pace of {per_second} new pairs a second is out of range.",
            remedy=f"Give a number from 0 to {PACE_MAX:g}.",
        )
    return _store(replace(pace_view(), per_second=per_second))


def market_pause() -> Pace:
    """Stop new launches; what is launched lives on and blocks are mined."""
    return _store(replace(pace_view(), is_paused=True))


def market_resume() -> Pace:
    """Launch again."""
    return _store(replace(pace_view(), is_paused=False))


def pace_forget() -> None:
    """Return to the environment's pace."""
    _path().unlink(missing_ok=True)


def _store(pace: Pace) -> Pace:
    path = _path()
    fresh = path.with_suffix(f".{os.getpid()}")
    fresh.write_text(json.dumps(asdict(pace)), encoding="utf-8")
    fresh.replace(path)
    return pace


def _path() -> Path:
    return Path(settings.DATA_DIR) / "sandbox_pace.json"
