"""Shall we: what to do about a pair or a position."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Literal

from apps.domain.ids import PairKey, TraceId
from apps.domain.money import Amount

ExitTag = Literal[
    "take_profit", "stop_loss", "trailing_stop", "time_stop", "liquidity_drop", "force_exit", "kill_close"
]
#: Sold because something about the token, its pool or its holders has become worse since we bought it.
GuardTag = Literal["guard"]


class SkipStage(Enum):
    """Where on the road an opportunity ended: the funnel's steps."""

    FILTER = "filter"  # the pair itself is not for us
    RISK = "risk"  # a rule failed or could not be answered
    SCORE = "score"  # passed, but too weak
    LIMIT = "limit"  # good, but a limit of ours stands in the way
    ENGINE = "engine"  # the engine takes no entries now


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why, for machines and for people."""

    code: str
    explanation: str
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Adjustment:
    """What market intelligence changed about a decision: one figure before and after, and why.

    ``subject`` names the figure with its unit last ("position_max_usd", "amount_in_raw", "entry_wait_s"); ``before`` and
    ``after`` are exact text. ``switch`` is the setting that turns this influence off.
    """

    code: str
    subject: str
    before: str
    after: str
    explanation: str
    switch: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FurtherSlices:
    """Parts of an entry that follow its first one, over blocks: ``total_raw`` native units in ``slices`` parts.

    ``price_max``: native units per PRICE_SCALE base units, above which a part is left out.
    """

    slices: int
    total_raw: int
    interval_ms: int
    price_max: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeDecision:
    """One decision. ``amount_in`` and ``amount_out_min`` are None only for "skip".

    ``retry_after_ms`` is set when a skip should be looked at again (None: final).
    """

    trace_id: TraceId
    pair_key: PairKey
    action: Literal["enter", "exit", "skip"]
    amount_in: Amount | None
    amount_out_min: Amount | None
    expected_out: Amount | None
    value_usd_micros: int | None
    slippage_max_bps: int
    score_bps: int | None
    reasons: tuple[Reason, ...]
    config_revision: int
    skip_stage: SkipStage | None = None
    exit_tag: ExitTag | GuardTag | None = None
    retry_after_ms: int | None = None
    gas_limit: int = 0  # of the swap; 0 for "skip"
    fee_cap_raw: int = 0  # most native units that gas and tips of all its transactions may cost
    adjustments: tuple[Adjustment, ...] = ()  # what intelligence changed, in the order it was done
    further: FurtherSlices | None = None  # bought after the first part, when its position is open
