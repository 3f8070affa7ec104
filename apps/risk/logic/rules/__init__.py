"""What a pair must fulfil: one rule a file.

Every rule is hard: a failure refuses the pair, and so does an answer that is unknown. The first four say whether the
pair is one for us at all, the others how dangerous it is; people read refusals in this order.
"""

from __future__ import annotations

from collections.abc import Callable

from apps.domain.analysis import Analysis
from apps.domain.config import Rules
from apps.domain.verdict import Finding
from apps.risk.logic.rules import (
    buy_tax,
    creator_dump,
    creator_holding,
    deployer_history,
    holders_top10,
    liquidity,
    lp_removable,
    owner_control,
    pair_age,
    quote_supported,
    sell_tax,
    sellable,
    token_data,
)

Rule = Callable[[Analysis, Rules], Finding]

RULES: tuple[Rule, ...] = (
    quote_supported.check,
    token_data.check,
    pair_age.check,
    liquidity.check,
    sellable.check,
    buy_tax.check,
    sell_tax.check,
    lp_removable.check,
    owner_control.check,
    deployer_history.check,
    creator_holding.check,
    creator_dump.check,
    holders_top10.check,
)
