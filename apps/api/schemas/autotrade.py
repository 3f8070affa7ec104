"""The engine, its queue, its figures, its configuration."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from apps.api.schemas.base import Answer, Body, Usd

Reason = Field(min_length=1, max_length=200, description="Stands in the audit trail.")


class ChainStatus(Answer):
    """A followed chain."""

    chain_key: str
    name: str
    head_at: datetime | None = Field(description="Time of the newest block; null: none was read.")
    is_stale: bool
    reason: str


class EngineStatusOut(Answer):
    """The engine as it stands."""

    mode: Literal["sandbox", "paper", "live"]
    is_simulated: bool = Field(description="Whether money and market are play.")
    status: str
    epoch: int
    may_enter: bool
    may_exit: bool
    reason: str
    changed_by: str
    changed_at: datetime
    degraded: list[str] = Field(description="What ails it, in plain words.")
    chains: list[ChainStatus]
    positions_open: int
    incidents_open: int
    config_revision: int | None


class StartBody(Body):
    """Why the engine is started or stopped."""

    reason: str = Field(default="", max_length=200, description="Stands in the audit trail.")


class ResumeBody(Body):
    """How to go on after the kill switch."""

    reason: str = Reason
    to: Literal["running", "paused", "stopped"] = "running"


class KillBody(Body):
    """What becomes of the open positions."""

    positions: Literal["leave", "close"] = Field(
        default="leave", description="close: everything is sold, nothing is bought; needs the scope trade."
    )
    reason: str = Field(default="", max_length=200)


class KillOut(Answer):
    """What the pull achieved: when it is answered nothing of an older epoch is signed or sent any more."""

    epoch: int
    duration_ms: int
    latch_written: bool
    database_written: bool
    drained: bool
    positions: Literal["leave", "close"] = Field(description="What becomes of the open positions.")
    positions_reason: str = Field(description='Why they are left though "close" was asked for, or "".')


class ActivityOut(Answer):
    """One line of the event log."""

    id: int
    position: int | None = Field(
        description="Its place in the hash chain; null for a moment after it happened."
    )
    kind: str
    at: datetime
    actor: str
    subject: str
    summary: str
    trace_id: str
    payload: dict[str, Any]
    hash: str


class MetricsOut(Answer):
    """How trading stands; null where there is nothing to say yet."""

    since: datetime
    equity_usd: Usd | None
    cash_usd: Usd | None
    equity_change_bps: int | None
    drawdown_bps: int | None
    unpriced_positions: int
    realised_today_usd: Usd
    unrealised_usd: Usd | None
    daily_loss_max_usd: Usd | None
    exposure_usd: Usd
    exposure_max_usd: Usd | None
    positions_open: int
    positions_max: int | None
    positions_closed: int
    positions_won: int
    pairs_seen: int
    pairs_bought: int
    queue_waiting: int
    orders_on_their_way: int
    reaction_ms_median: int | None
    stages: list[StageOut]


class StageOut(Answer):
    """How long one step of our newest purchases took."""

    name: str
    trades: int
    p50_ms: int
    p95_ms: int
    p99_ms: int


class ConfigOut(Answer):
    """The active trading configuration; its schema stands under /config/schema."""

    revision: int
    config: dict[str, Any]


class ConfigBody(Body):
    """A change: what is not named keeps its present value."""

    revision: int = Field(ge=1, le=2**31 - 1, description="The revision you have seen.")
    changes: dict[str, dict[str, Any]] = Field(
        description='By section and field, e.g. {"limits": {"open_positions_max": 5}}.', min_length=1
    )
    reason: str = Reason


class ChangeOut(Answer):
    """One changed field."""

    path: str
    before: Any
    after: Any


class ConfigChangedOut(Answer):
    """What was changed."""

    revision: int
    changes: list[ChangeOut]


MetricsOut.model_rebuild()
