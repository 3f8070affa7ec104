"""What a person can do to the engine and to positions, with a sentence that says how it went."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from apps.dashboard.roles import OPERATE, RESUME, require
from apps.domain.engine import EngineStatus, EngineView
from apps.domain.errors import ConfigurationError, PlatformError, TransitionRefusedError
from apps.risk.services.breakers import breaker_reset
from apps.state.permissions import close_refusal
from apps.state.services.config import active_config, config_change
from apps.state.services.engine import (
    engine_pause,
    engine_resume,
    engine_start,
    engine_stop,
    engine_view,
    killswitch_pull,
)
from apps.trading.services.positions import exit_request

Act = Callable[..., EngineView]

#: Action -> the service, and where it leads after the kill switch.
_ACTIONS: Final[dict[str, tuple[Act, EngineStatus]]] = {
    "start": (engine_start, EngineStatus.RUNNING),
    "pause": (engine_pause, EngineStatus.PAUSED),
    "stop": (engine_stop, EngineStatus.STOPPED),
}
_NOW: Final = {
    EngineStatus.RUNNING: "The engine is running: entries and exits.",
    EngineStatus.PAUSED: "Entries are paused; exits go on.",
    EngineStatus.STOPPED: "The engine is stopped: no entries, no exits.",
}


def engine_do(user: Any, *, action: str, reason: str) -> str:
    """Do what was asked and return a sentence. Raises PermissionDenied, TransitionRefusedError."""
    if action not in _ACTIONS:
        raise TransitionRefusedError("There is no such action.", remedy="Use start, pause or stop.")
    act, target = _ACTIONS[action]
    pulled = engine_view().status is EngineStatus.EMERGENCY_STOPPED
    require(user, RESUME if pulled else OPERATE)
    if pulled and not reason:
        raise TransitionRefusedError(
            "After the kill switch a reason is needed: what was found and mended.", remedy="Give one."
        )
    by, reason = user.get_username(), reason or "on the pages"
    view = engine_resume(by=by, reason=reason, to=target) if pulled else act(by=by, reason=reason)
    return _NOW.get(view.status, f"The engine is {view.status.value.replace('_', ' ')}.")


def kill(user: Any, *, reason: str, close_positions: bool) -> str:
    """Pull the kill switch and return a sentence; positions are left where the user may not sell.

    Raises PlatformError when not everything is shut for sure.
    """
    refusal = close_refusal(user) if close_positions else ""
    closes = close_positions and not refusal
    reason = reason or "pulled on the pages"
    report = killswitch_pull(by=user.get_username(), reason=reason, close_positions=closes)
    if not report.is_effective:
        raise PlatformError(
            "The kill switch is pulled, but a transaction may still be on its way out.",
            remedy="Watch the orders; run `manage.py killswitch` on the machine to try again.",
        )
    what = "everything is being sold, nothing is bought" if closes else "nothing is signed or sent"
    late = "" if report.database_written else " The database was busy and learns of it in a moment."
    left = f" Positions were left as they are: {refusal}." if refusal else ""
    return f"Kill switch pulled in {report.duration_ms} ms: {what}. Epoch {report.epoch}.{left}{late}"


def position_sell(*, position_id: int, by: str) -> str:
    """Ask for a position's sale and return a sentence. Raises TransitionRefusedError when it is closed already."""
    if not exit_request(position_id=position_id, by=by):
        raise TransitionRefusedError(
            f"Position {position_id} is closed already.", remedy="There is nothing to do."
        )
    if engine_view().may_exit:
        return f"The sale of position {position_id} was asked for and goes out with the next block."
    return f"The sale of position {position_id} was asked for; it waits until the engine lets exits run."


def breaker_arm(*, name: str, chain_key: str, by: str, reason: str) -> str:
    """Arm a tripped breaker before its time and return a sentence. Raises TransitionRefusedError, ConfigurationError."""
    if not reason:
        raise ConfigurationError(
            "A reason is needed: what was found, and why trading may go on.", remedy="Give one."
        )
    if not breaker_reset(name=name, chain_key=chain_key, by=by, reason=reason):
        raise TransitionRefusedError(
            "This breaker is not tripped any more.", remedy="There is nothing to do."
        )
    return "The breaker is armed again; what it counted counts no more. It trips again if its cause still stands."


def configuration_save(*, payload: dict[str, Any], by: str, reason: str, seen_revision: str) -> str:
    """Save a configuration and return a sentence. Raises ConfigurationError when somebody else changed it meanwhile."""
    if not reason:
        raise ConfigurationError("A reason is needed: it stays with the revision.", remedy="Give one.")
    active = active_config().revision
    if seen_revision != str(active):
        raise ConfigurationError(
            f"Revision {active} was saved by somebody else while you were looking at revision {seen_revision}.",
            remedy="Look at it and make your change anew; nothing was saved.",
        )
    return f"Revision {config_change(payload=payload, by=by, reason=reason)} is active."
