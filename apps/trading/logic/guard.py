"""Has what we hold become worse since we bought it: pure questions about one position, and the sale they cause.

Cheap ones are asked in every block (reserves, sales, owner, whether our own tokens can still be moved); the dear one, the
whole analysis judged again, when something stirred and after so many blocks. Unknown is never a cause to sell.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from math import isqrt
from typing import Any

from pydantic import TypeAdapter

from apps.domain.config import Guard
from apps.domain.decision import Reason, TradeDecision
from apps.domain.estimate import Estimate
from apps.domain.holding import HoldingAnswer
from apps.domain.market import PoolReserves
from apps.domain.money import BPS_ONE
from apps.domain.verdict import Finding, Outcome, RiskVerdict
from apps.trading.logic import exit as exits
from apps.trading.logic.exit import ExitCase
from apps.trading.logic.record import exit_inputs

#: Rules whose failure is a danger to what is held. The others speak of entries (age, size of the pool, taxes on buying).
GUARD_RULES = frozenset(
    {
        "sellable",
        "probe_disagreement",
        "sellable_later",
        "sellable_from_fresh_wallet",
        "sellable_in_parts",
        "sellable_behind_buyer",
        "sellable_otherwise",
        "sell_tax",
        "reachable_sell_tax",
        "lp_removable",
        "owner_control",
        "can_pause",
        "can_blacklist",
        "can_mint",
        "can_move_balances",
        "can_upgrade",
        "hidden_owner",
    }
)
#: Buying may fail for us alone because we hold as much as one may: no danger while our tokens can be moved.
_BUY_ONLY_CODES = frozenset({"TRADING_NOT_OPEN"})
#: From this share of a limit on something counts as stirring, so that the sale is simulated again.
STIR_SHARE_BPS = 2_500


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """How a token stood when we bought it; None: not known then, so not compared."""

    owner: str | None = None  # "": ownership was given up
    is_movable: bool | None = None
    buy_tax_bps: int | None = None
    sell_tax_bps: int | None = None
    code_hash: str | None = None
    failed_rules: tuple[str, ...] = ()  # failed already at entry, by warning or because they were off

    def as_json(self) -> dict[str, Any]:
        """Return the baseline as plain JSON."""
        return {**asdict(self), "failed_rules": list(self.failed_rules)}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Baseline:
        """Return a stored baseline; what an older one lacks is not known."""
        known = {name: value for name, value in stored.items() if name in cls.__slots__}
        return cls(**{**known, "failed_rules": tuple(known.get("failed_rules", ()))})


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    """Why a position is sold now."""

    code: str
    explanation: str
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What one block showed of one position: a trigger, a stir that asks for a simulation, and the new baseline."""

    trigger: Trigger | None
    stir: str  # "": nothing stirred
    baseline: Baseline
    liquidity_root: int | None


# -- every block --------------------------------------------------------------------------
def look(
    *,
    baseline: Baseline,
    liquidity_root: int | None,
    reserves: PoolReserves | None,
    answer: HoldingAnswer | None,
    sold_by_holder: Mapping[str, int],
    stirred: str,
    guard: Guard,
) -> Look:
    """Return what this block means for a position.

    ``liquidity_root`` is the highest root of the product of reserves seen while holding; ``sold_by_holder`` what each
    other trader took out of the pool by selling within the last blocks, in quote units.
    """
    root = None if reserves is None else isqrt(reserves.base_raw * reserves.quote_raw)
    pulled = _pulled_bps(root, liquidity_root)
    dump = _largest_dump(sold_by_holder, reserves)
    trigger = (
        _liquidity_trigger(pulled, guard)
        or _owner_trigger(baseline, answer)
        or _frozen_trigger(baseline, answer)
        or _dump_trigger(dump, guard)
    )
    stir = stirred
    if pulled * BPS_ONE > guard.liquidity_pulled_max_bps * STIR_SHARE_BPS:
        stir = stir or "liquidity was taken out"
    if dump[1] * BPS_ONE > guard.holder_dump_max_bps * STIR_SHARE_BPS:
        stir = stir or "a holder sold much"
    return Look(
        trigger=trigger,
        stir=stir,
        baseline=_learned(baseline, answer),
        liquidity_root=max((item for item in (root, liquidity_root) if item is not None), default=None),
    )


def _pulled_bps(root: int | None, highest: int | None) -> int:
    """Return the share of liquidity that was taken out: swaps never lower the product of reserves, removals do."""
    if root is None or not highest:
        return 0
    return max(BPS_ONE - root * BPS_ONE // highest, 0)


def _liquidity_trigger(pulled: int, guard: Guard) -> Trigger | None:
    if pulled <= guard.liquidity_pulled_max_bps:
        return None
    return Trigger(
        code="GUARD_LIQUIDITY_PULLED",
        explanation="Liquidity was taken out of the pool.",
        detail=f"pulled_bps={pulled} maximum={guard.liquidity_pulled_max_bps}",
    )


def _owner_trigger(baseline: Baseline, answer: HoldingAnswer | None) -> Trigger | None:
    owner = None if answer is None else answer.owner
    if not owner or baseline.owner is None or owner == baseline.owner:
        return None  # unknown, given up, or as it was
    return Trigger(
        code="GUARD_OWNER_CHANGED",
        explanation="The token has another owner than when we bought it.",
        detail=f"owner={owner} before={baseline.owner or 'nobody'}",
    )


def _frozen_trigger(baseline: Baseline, answer: HoldingAnswer | None) -> Trigger | None:
    if answer is None or answer.is_movable is not False or baseline.is_movable is not True:
        return None
    return Trigger(
        code="GUARD_HOLDING_FROZEN",
        explanation="Our own tokens cannot be moved any more: trading was switched off, or we were blocked.",
        detail=f"reason={answer.why}",
    )


def _largest_dump(sold: Mapping[str, int], reserves: PoolReserves | None) -> tuple[str, int]:
    """Return who sold most and the share of the pool's coins of before, in bps."""
    if reserves is None or not sold:
        return "", 0
    holder, amount = max(sold.items(), key=lambda item: (item[1], item[0]))
    before = reserves.quote_raw + amount
    return holder, amount * BPS_ONE // before if before else 0


def _dump_trigger(dump: tuple[str, int], guard: Guard) -> Trigger | None:
    if dump[1] <= guard.holder_dump_max_bps:
        return None
    return Trigger(
        code="GUARD_HOLDER_DUMPED",
        explanation="One holder has sold a large part of the pool's coins away.",
        detail=f"sold_bps={dump[1]} maximum={guard.holder_dump_max_bps} holder={dump[0]}",
    )


def _learned(baseline: Baseline, answer: HoldingAnswer | None) -> Baseline:
    """Return the baseline with what was unknown so far; an owner who gives up is the new baseline."""
    if answer is None:
        return baseline
    gives_up = answer.owner == "" and baseline.owner != ""
    return replace(
        baseline,
        owner=answer.owner if baseline.owner is None or gives_up else baseline.owner,
        is_movable=answer.is_movable if baseline.is_movable is None else baseline.is_movable,
    )


# -- now and then -------------------------------------------------------------------------
def is_simulation_due(*, checked_block: int | None, head: int, stir: str, guard: Guard) -> bool:
    """Tell whether a position's sale must be simulated again: something stirred, or so many blocks have passed."""
    return bool(stir) or checked_block is None or head - checked_block >= guard.simulate_every_blocks


def judged_again(
    *,
    baseline: Baseline,
    verdict: RiskVerdict,
    buy_tax_bps: int | None,
    sell_tax_bps: int | None,
    code_hash: str | None,
    is_movable: bool | None,
    guard: Guard,
    loss: Estimate | None = None,
    loss_max_bps: int | None = None,
) -> Trigger | None:
    """Return why the new verdict makes us sell, the worst first; None while nothing has become worse.

    ``loss`` is the fitted probability of loss now; ``loss_max_bps`` None: its gate is no veto.
    """
    for name, now, before in (
        ("sell", sell_tax_bps, baseline.sell_tax_bps),
        ("buy", buy_tax_bps, baseline.buy_tax_bps),
    ):
        if now is not None and before is not None and now > before + guard.tax_rise_max_bps:
            return Trigger(
                code="GUARD_TAX_RAISED",
                explanation=f"The tax on {name}ing was raised since we bought.",
                detail=f"{name}_tax_bps={now} before_bps={before} rise_maximum_bps={guard.tax_rise_max_bps}",
            )
    for finding in _dangers(verdict.refusals, is_movable=is_movable):
        if finding.rule not in baseline.failed_rules:
            return Trigger(
                code=f"GUARD_{finding.code}", explanation=finding.explanation, detail=finding.detail
            )
    if code_hash is not None and baseline.code_hash is not None and code_hash != baseline.code_hash:
        return Trigger(
            code="GUARD_CODE_CHANGED",
            explanation="The token's code is not the one that we bought.",
            detail=f"code_hash={code_hash} before={baseline.code_hash}",
        )
    accepted = "loss_probability" in baseline.failed_rules
    return None if accepted else _loss_trigger(loss, loss_max_bps)


def _loss_trigger(loss: Estimate | None, loss_max_bps: int | None) -> Trigger | None:
    """Return a trigger when even the lower bound is too high: an entry asks for certainty, a sale must be sure of danger."""
    if loss is None or loss.low is None or loss_max_bps is None or loss.low <= loss_max_bps:
        return None
    return Trigger(
        code="GUARD_LOSS_LIKELY",
        explanation="The pool now behaves as those did that nearly always lost their money.",
        detail=f"loss_probability_low_bps={loss.low:f} maximum={loss_max_bps}",
    )


def _dangers(findings: Iterable[Finding], *, is_movable: bool | None) -> list[Finding]:
    return [
        item
        for item in findings
        if item.outcome is Outcome.FAIL
        and item.rule in GUARD_RULES
        and not (item.code in _BUY_ONLY_CODES and is_movable is True)
    ]


# -- the sale -----------------------------------------------------------------------------
def guard_exit(case: ExitCase, trigger: Trigger) -> TradeDecision:
    """Return the decision to sell everything at once, as on a person's order, under the tag "guard".

    A "skip" says why it cannot be sold now: it is being sold already, a try rests, the pool or the gas price is unknown.
    """
    ordered = replace(case, position=replace(case.position, ordered_tag="force_exit"))
    decision = exits.decide(ordered)
    if decision.action != "exit":
        return decision
    reason = Reason(code=trigger.code, explanation=trigger.explanation, detail=trigger.detail)
    return replace(decision, exit_tag="guard", reasons=(reason, *decision.reasons[1:]))


_CASE, _TRIGGER = TypeAdapter(ExitCase), TypeAdapter(Trigger)


def guard_inputs(case: ExitCase, trigger: Trigger) -> dict[str, Any]:
    """Return what a guard's decision was made from as plain JSON; an exit's inputs with the trigger beside them."""
    ordered = replace(case, position=replace(case.position, ordered_tag="force_exit"))
    return {**exit_inputs(ordered), "guard": _TRIGGER.dump_python(trigger, mode="json")}


def guard_decision_from_inputs(inputs: Mapping[str, Any]) -> TradeDecision:
    """Return the guard's decision that these stored inputs lead to."""
    return guard_exit(_CASE.validate_python(inputs["given"]), _TRIGGER.validate_python(inputs["guard"]))
