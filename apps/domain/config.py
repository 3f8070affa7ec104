"""The trading configuration: one schema for forms, API, defaults and validation.

Bounds, units and help are written here once; admin and dashboard forms are generated from it.
Amounts in US dollars are Decimal, ratios integer basis points, times integer seconds.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from apps.domain.engine import Mode


def _setting(default: Any, help_text: str, *, unit: str = "", **bounds: Any) -> Any:
    return Field(default=default, description=help_text, json_schema_extra={"unit": unit}, **bounds)


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Limits(_Section):
    """How much may be at stake. Enforced in one place, where funds are reserved."""

    position_max_usd: Decimal = _setting(
        Decimal(250), "Most that one position may cost.", unit="USD", gt=0, le=1_000_000, decimal_places=2
    )
    position_min_usd: Decimal = _setting(
        Decimal(10),
        "Smaller positions are not worth their gas.",
        unit="USD",
        ge=0,
        le=100_000,
        decimal_places=2,
    )
    exposure_max_usd: Decimal = _setting(
        Decimal(5_000),
        "Most that all open positions and orders together may cost.",
        unit="USD",
        gt=0,
        le=10_000_000,
    )
    open_positions_max: int = _setting(
        20, "Most positions open at the same time.", unit="positions", ge=1, le=500
    )
    daily_loss_max_usd: Decimal = _setting(
        Decimal(500),
        "Realised loss of one UTC day after which no entry is made.",
        unit="USD",
        gt=0,
        le=1_000_000,
    )
    token_cooldown_s: int = _setting(
        3_600, "After an exit the same token is left alone for so long.", unit="s", ge=0, le=30 * 86_400
    )
    deployer_cooldown_s: int = _setting(
        86_400,
        "After a loss the same deployer's tokens are left alone for so long.",
        unit="s",
        ge=0,
        le=90 * 86_400,
    )


class Rules(_Section):
    """What a pair must fulfil. A rule that cannot be answered counts against the pair."""

    liquidity_min_usd: Decimal = _setting(
        Decimal(5_000), "Least worth of the quote side of the pool.", unit="USD", ge=0, le=100_000_000
    )
    buy_tax_max_bps: int = _setting(500, "Highest measured tax on buying.", unit="bps", ge=0, le=10_000)
    sell_tax_max_bps: int = _setting(500, "Highest measured tax on selling.", unit="bps", ge=0, le=10_000)
    price_impact_max_bps: int = _setting(
        200, "Highest price impact of our own buy; larger sizes are cut down.", unit="bps", ge=1, le=5_000
    )
    lp_removable_max_bps: int = _setting(
        2_000,
        "Highest share of pool liquidity that its provider can take out at once.",
        unit="bps",
        ge=0,
        le=10_000,
    )
    creator_holding_max_bps: int = _setting(
        1_000, "Highest share of supply held by creator and owner.", unit="bps", ge=0, le=10_000
    )
    holders_top10_max_bps: int = _setting(
        5_000,
        "Highest share of supply held by the ten largest holders, pool excluded.",
        unit="bps",
        ge=0,
        le=10_000,
    )
    holder_dump_max_bps: int = _setting(
        6_000,
        "Deepest price fall if the creator's side sold everything at once.",
        unit="bps",
        ge=0,
        le=10_000,
    )
    deployer_rug_share_max_bps: int = _setting(
        5_000, "Highest share of the deployer's earlier tokens that died.", unit="bps", ge=0, le=10_000
    )
    owner_control_allowed: bool = _setting(
        False,  # noqa: FBT003  # a default, in the place where all defaults stand
        "Accept tokens whose active owner can change taxes, pause, block or mint.",
    )
    pair_age_max_s: int = _setting(
        86_400, "Older pairs are not new listings.", unit="s", ge=60, le=365 * 86_400
    )


class Entry(_Section):
    """When a good pair is bought, and how much of it."""

    score_min_bps: int = _setting(5_500, "Least score for an entry.", unit="bps", ge=0, le=10_000)
    equity_share_max_bps: int = _setting(
        200, "Most of the wallet's own coin that one position may take.", unit="bps", ge=1, le=10_000
    )
    watch_interval_s: int = _setting(
        5, "A pair that is not ready is looked at again after so long.", unit="s", ge=1, le=3_600
    )
    watch_duration_s: int = _setting(900, "And given up after so long.", unit="s", ge=10, le=7 * 86_400)


class Exits(_Section):
    """When a position is sold. Ratios are against its cost, after taxes and fees of selling."""

    take_profit_bps: int | None = _setting(
        5_000, "Sell at this gain; empty: never.", unit="bps", ge=10, le=1_000_000
    )
    stop_loss_bps: int | None = _setting(
        2_000, "Sell at this loss; empty: never.", unit="bps", ge=10, le=10_000
    )
    trailing_stop_bps: int | None = _setting(
        1_500, "Sell at this fall from the highest value seen; empty: never.", unit="bps", ge=10, le=10_000
    )
    trailing_activation_bps: int = _setting(
        1_000, "The trailing stop is armed once the gain has reached this.", unit="bps", ge=0, le=1_000_000
    )
    time_stop_s: int | None = _setting(
        3_600, "Sell after so long whatever the price; empty: never.", unit="s", ge=5, le=90 * 86_400
    )
    liquidity_drop_bps: int | None = _setting(
        5_000,
        "Sell when the pool's quote side has fallen by this since entry; empty: never.",
        unit="bps",
        ge=10,
        le=10_000,
    )


class Execution(_Section):
    """How orders are carried out."""

    slippage_max_bps: int = _setting(
        300, "Most that a buy may fill below its quote.", unit="bps", ge=1, le=5_000
    )
    exit_slippage_max_bps: int = _setting(
        1_500, "Most that a sell may fill below its quote.", unit="bps", ge=1, le=9_900
    )
    fee_share_max_bps: int = _setting(
        500, "Most of an entry's worth that gas and tips may cost, in and out.", unit="bps", ge=1, le=10_000
    )
    order_ttl_s: int = _setting(30, "An order that is not signed by then expires.", unit="s", ge=2, le=3_600)
    transaction_deadline_s: int = _setting(
        60, "A transaction that is not mined by then reverts.", unit="s", ge=10, le=3_600
    )


class TradingConfig(_Section):
    """Everything a person may set about trading."""

    limits: Limits = Field(default_factory=Limits)
    rules: Rules = Field(default_factory=Rules)
    entry: Entry = Field(default_factory=Entry)
    exits: Exits = Field(default_factory=Exits)
    execution: Execution = Field(default_factory=Execution)

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> TradingConfig:
        limits = self.limits
        if limits.position_min_usd > limits.position_max_usd:
            raise ValueError(
                "limits.position_min_usd is above limits.position_max_usd: lower the first or raise the second"
            )
        if limits.position_max_usd > limits.exposure_max_usd:
            raise ValueError(
                "limits.position_max_usd is above limits.exposure_max_usd: lower the first or raise the second"
            )
        return self


#: The sandbox's market lives minutes instead of days (see apps/sandbox), so holding and cooling times shrink with it.
_SANDBOX_CHANGES: dict[str, dict[str, Any]] = {
    "limits": {
        "open_positions_max": 60,
        "exposure_max_usd": Decimal(20_000),
        "token_cooldown_s": 300,
        "deployer_cooldown_s": 300,
    },
    "exits": {"time_stop_s": 45},
    "entry": {"watch_interval_s": 4, "watch_duration_s": 60},
}


def default_config(mode: Mode) -> TradingConfig:
    """Return the configuration of a first start in ``mode``."""
    if mode != "sandbox":
        return TradingConfig()
    return TradingConfig.model_validate(_SANDBOX_CHANGES)
