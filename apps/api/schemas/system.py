"""Incidents, breakers, wallets."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import Field

from apps.api.schemas.autotrade import Reason
from apps.api.schemas.base import Answer, Body, Raw, Usd


class IncidentOut(Answer):
    """What a person should know, and what to do about it."""

    id: int
    code: str
    category: str
    recovery: str
    severity: str
    title: str
    detail: str
    remedy: str
    context: dict[str, Any]
    trace_id: str
    count: int
    first_at: datetime
    last_at: datetime
    resolved_at: datetime | None
    resolved_by: str


class ReasonBody(Body):
    """Why."""

    reason: str = Reason


class BreakerOut(Answer):
    """One circuit breaker."""

    name: str
    chain_key: str = Field(description='"": concerns all chains.')
    setting: str = Field(description="What it does when it trips: off, shrink or pause.")
    is_tripped: bool
    effect: str
    explanation: str
    detail: str
    tripped_at: datetime | None
    left_s: int | None
    trips: int


class BreakersOut(Answer):
    """All breakers."""

    breakers: list[BreakerOut]


class BreakerResetBody(Body):
    """Why a breaker may be armed before its time."""

    chain_key: str = Field(default="", max_length=60)
    reason: str = Reason


class BalanceOut(Answer):
    """What a wallet holds of one token by the book, which ``reconcile`` compares with the chain."""

    chain_key: str
    token_address: str = Field(description='"native": the chain\'s own coin.')
    symbol: str
    decimals: int | None
    balance_raw: Raw


class WalletOut(Answer):
    """A wallet's address and balances. Keys are nowhere in this API."""

    key: str
    family: str
    address: str
    chain_key: str = Field(description='"": every chain of its family.')
    is_sandbox: bool
    is_live: bool
    enabled: bool
    is_locked: bool
    may_enter: bool
    daily_spend_max_usd: Usd | None
    spent_today_usd: Usd
    balances: list[BalanceOut]


class WalletsOut(Answer):
    """All wallets."""

    wallets: list[WalletOut]
