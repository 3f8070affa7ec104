"""May something of this epoch be signed or sent now? One pure rule for signer and sender."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from apps.domain.engine import EngineStatus
from apps.domain.order import Side

Pulled = Literal["", "emergency_stopped", "closing"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Latch:
    """The kill switch's latch. ``pulled`` "" means lifted; ``epoch`` is the least epoch that may ever pass again."""

    pulled: Pulled
    epoch: int
    by: str = ""
    reason: str = ""
    at_ms: int = 0


def refusal_of(
    *, latch: Latch | None, status: EngineStatus, engine_epoch: int, epoch: int, side: Side
) -> str:
    """Return why nothing may pass, in plain words, or "" when it may.

    Latch and database must agree; where they do not, the stricter one decides. ``latch`` None means that none was ever
    written here (a fresh installation, or a worker on another machine): then the database alone decides.
    """
    if latch is not None:
        if latch.pulled == "emergency_stopped":
            return "the kill switch is pulled"
        if engine_epoch < latch.epoch:
            return (
                f"the database (epoch {engine_epoch}) is behind the kill switch's latch (epoch {latch.epoch})"
            )
        if latch.pulled == "closing" and (status is not EngineStatus.CLOSING or engine_epoch != latch.epoch):
            return "the kill switch is pulled and the database does not know it yet"
    if status is EngineStatus.EMERGENCY_STOPPED:
        return "the kill switch is pulled"
    if epoch != engine_epoch:
        return f"it belongs to epoch {epoch}, and the engine is in epoch {engine_epoch}"
    if status is EngineStatus.STOPPED:
        return "the engine is stopped"
    if status is not EngineStatus.RUNNING and side != "sell":
        return f"the engine is {status.value}: only sells pass"
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """What database and latch should both say."""

    status: EngineStatus
    epoch: int
    latch: Latch


def settled(*, latch: Latch | None, status: EngineStatus, epoch: int) -> Settled:
    """Return how latch and database come to agree: the newer kill is written down, else the stricter of both wins."""
    if latch is None:
        return Settled(status=status, epoch=epoch, latch=Latch(pulled=_pulled_of(status), epoch=epoch))
    if latch.pulled:
        return _settled_pulled(latch, status=status, epoch=epoch)
    if epoch < latch.epoch:
        # A database from before the last resume: a restored backup, or a resume that died half-way.
        if status in (EngineStatus.EMERGENCY_STOPPED, EngineStatus.STOPPED):
            return Settled(status=status, epoch=epoch, latch=latch)
        return Settled(status=EngineStatus.STOPPED, epoch=latch.epoch, latch=latch)
    return Settled(status=status, epoch=epoch, latch=replace(latch, pulled=_pulled_of(status), epoch=epoch))


def _settled_pulled(latch: Latch, *, status: EngineStatus, epoch: int) -> Settled:
    target = EngineStatus(latch.pulled)
    if status is target and epoch == latch.epoch:
        return Settled(status=status, epoch=epoch, latch=latch)
    if target is EngineStatus.CLOSING and status is EngineStatus.EMERGENCY_STOPPED and latch.epoch <= epoch:
        return Settled(
            status=status, epoch=epoch, latch=replace(latch, pulled="emergency_stopped", epoch=epoch)
        )
    # An epoch of its own, so that nothing that was made before the kill can share it.
    raised = max(epoch + 1, latch.epoch)
    return Settled(status=target, epoch=raised, latch=replace(latch, epoch=raised))


def _pulled_of(status: EngineStatus) -> Pulled:
    if status is EngineStatus.EMERGENCY_STOPPED:
        return "emergency_stopped"
    return "closing" if status is EngineStatus.CLOSING else ""
