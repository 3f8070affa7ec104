"""What a pair must fulfil: one rule a file.

What a rule's refusal does is set in the configuration's table of gates. The first four say whether the pair is one for
us at all, the others how dangerous it is; people read refusals in this order.

A rule that rests on a deeper look than the first one is not asked while that look was not taken: its finding says so and
refuses nothing then. In a full assessment the same absence counts like any other unknown answer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from apps.domain.analysis import Analysis
from apps.domain.config import Rules
from apps.domain.verdict import Finding
from apps.risk.logic.rules import (
    buy_tax,
    can_blacklist,
    can_mint,
    can_move_balances,
    can_pause,
    can_selfdestruct,
    can_upgrade,
    coordination,
    creator_dump,
    creator_holding,
    deployer_history,
    hidden_owner,
    holders_top10,
    liquidity,
    loss,
    lp_removable,
    outside,
    overhang,
    owner_control,
    pair_age,
    probe_disagreement,
    quote_supported,
    reachable_buy_tax,
    reachable_sell_tax,
    runs_foreign_code,
    sell_tax,
    sellable,
    sellable_behind_buyer,
    sellable_from_fresh_wallet,
    sellable_in_parts,
    sellable_later,
    sellable_otherwise,
    size_dependent,
    third_party_proof,
    token_data,
    transfer_calls_others,
)

Rule = Callable[[Analysis, Rules], Finding]


class Absence(Enum):
    """What it means that nobody asked for a rule's figure."""

    REFUSES = "refuses"  # every look asks for it: then something is broken
    REFUSES_IN_FULL = "refuses in a full assessment"  # only the deeper look asks for it
    NEVER_REFUSES = "never refuses"  # comes from a part that need not be there


@dataclass(frozen=True, slots=True)
class Gated:
    """A rule under its gate's name. ``figure`` is the estimate without which it was not asked, "" for several.

    ``unknown_warns``: a figure that cannot be known warns at most, whatever the gate says. ``only_stricter``: its praise
    counts for nothing, so that no verdict is better with it than without. ``not_asked`` says why nobody asks, where that
    is no matter of the look.
    """

    name: str
    check: Rule
    figure: str = ""
    absence: Absence = Absence.REFUSES
    unknown_warns: bool = False
    only_stricter: bool = False
    not_asked: str = ""


_DEEP, _OPTIONAL = Absence.REFUSES_IN_FULL, Absence.NEVER_REFUSES

RULES: tuple[Gated, ...] = (
    Gated("quote_supported", quote_supported.check),
    Gated("token_data", token_data.check),
    Gated("pair_age", pair_age.check),
    Gated("liquidity", liquidity.check),
    Gated("sellable", sellable.check),
    Gated("probe_disagreement", probe_disagreement.check),
    Gated("sellable_later", sellable_later.check, "sellable_later", _DEEP),
    Gated(
        "sellable_from_fresh_wallet", sellable_from_fresh_wallet.check, "sellable_from_fresh_wallet", _DEEP
    ),
    Gated("sellable_in_parts", sellable_in_parts.check, "sellable_in_parts", _DEEP),
    Gated("sellable_behind_buyer", sellable_behind_buyer.check, "sellable_behind_buyer", _DEEP),
    Gated("sellable_otherwise", sellable_otherwise.check, "sellable_otherwise", _DEEP),
    Gated("size_dependent", size_dependent.check, "size_dependent", _DEEP),
    Gated("buy_tax", buy_tax.check),
    Gated("sell_tax", sell_tax.check),
    Gated("reachable_buy_tax", reachable_buy_tax.check, "max_reachable_buy_tax_bps", _DEEP),
    Gated("reachable_sell_tax", reachable_sell_tax.check, "max_reachable_sell_tax_bps", _DEEP),
    Gated("lp_removable", lp_removable.check),
    Gated("owner_control", owner_control.check),
    Gated("can_pause", can_pause.check, "can_pause", _DEEP),
    Gated("can_blacklist", can_blacklist.check, "can_blacklist", _DEEP),
    Gated("can_mint", can_mint.check, "can_mint", _DEEP),
    Gated("can_move_balances", can_move_balances.check, "can_move_balances", _DEEP),
    Gated("can_upgrade", can_upgrade.check, "can_upgrade", _DEEP),
    Gated("runs_foreign_code", runs_foreign_code.check, "runs_foreign_code", _DEEP),
    Gated("can_selfdestruct", can_selfdestruct.check, "can_selfdestruct", _DEEP),
    Gated("transfer_calls_others", transfer_calls_others.check, "transfer_calls_others", _DEEP),
    Gated("hidden_owner", hidden_owner.check, "hidden_owner", _DEEP),
    Gated("deployer_history", deployer_history.check),
    Gated("creator_holding", creator_holding.check),
    Gated("creator_dump", creator_dump.check),
    Gated("holders_top10", holders_top10.check),
    Gated("holder_dump_top1", overhang.check_largest),
    Gated("holder_dump_top5", overhang.check_five),
    Gated("coordination", coordination.check, "coordination_bps", _OPTIONAL, unknown_warns=True),
    Gated("loss_probability", loss.check, loss.FIGURE, _OPTIONAL, unknown_warns=True),
    Gated("third_party_proof", third_party_proof.check),
    Gated(
        outside.DANGER,
        outside.check_danger,
        "outside_danger",
        _OPTIONAL,
        only_stricter=True,
        not_asked=outside.NOT_CONFIGURED,
    ),
    Gated(
        outside.CONTRADICTION,
        outside.check_contradiction,
        "outside_contradiction_bps",
        _OPTIONAL,
        only_stricter=True,
        not_asked=outside.NOT_CONFIGURED,
    ),
)
