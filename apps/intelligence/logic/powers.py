"""What those who command a token can still do to its holders: read off calls that were tried in simulation.

An act counts by what it did to balances and to our sale, whatever its name says. A commander behind a timelock cannot
surprise a holder of minutes, so his acts do not count.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from apps.domain.analysis import Evidence
from apps.domain.estimate import Estimate
from apps.domain.money import BPS_ONE
from apps.domain.probes import Commander, Holdings, Lever, OwnerAct, TokenProbes
from apps.intelligence.logic.control_selectors import CONTROL_SELECTORS
from apps.intelligence.logic.subject import Subject
from apps.intelligence.logic.trades import LOCAL_CONFIDENCE

_SOURCE = "simulation"
#: Changes below this share of a balance are fees, reflections and rounding.
MATERIAL_BPS = 100
#: A commander who must wait longer is known to the market before he acts.
DELAY_HARMLESS_S = 86_400
#: A tax above the present one by so much is a raise.
TAX_RAISE_BPS = 100
#: That nothing was found while functions remained which nobody tried may call.
NOT_FOUND_CONFIDENCE = Decimal("0.8")
EVIDENCE_PER_CODE_MAX = 3
#: Roles that neither owner() nor a proxy's standard slot shows.
_HIDDEN_ROLES = frozenset({"creator", "former_owner", "role_member", "stored", "constant"})
_ROLE_WORDS = {
    "owner": "The owner",
    "admin": "The proxy's administrator",
    "creator": "The creator, who is not the owner,",
    "former_owner": "A former owner",
    "role_member": "A member of a role",
    "stored": "An address kept in the token's storage",
    "constant": "An address built into the token's code",
    "appointed": "Somebody whom a commander had put into office",
    "anyone": "Anyone",
}
#: transfer and transferFrom.
_TRADES = frozenset({"0xa9059cbb", "0x23b872dd"})
_SIGNATURES = {
    selector: signature for family in CONTROL_SELECTORS.values() for selector, signature in family.items()
}


def estimates(subject: Subject) -> tuple[Estimate, ...]:
    """Return max_reachable_buy_tax_bps, max_reachable_sell_tax_bps, can_pause, can_blacklist, can_mint,
    can_move_balances, can_upgrade and hidden_owner; none of them when no full assessment was asked for.
    """
    probes = subject.facts.probes
    if probes is None:
        return ()
    return (
        _reachable_tax(subject, probes, "max_reachable_buy_tax_bps", _buy_tax),
        _reachable_tax(subject, probes, "max_reachable_sell_tax_bps", _sell_tax),
        *(_power(subject, probes, code, shows) for code, shows in _POWERS.items()),
        _upgrade(subject, probes),
        _hidden_owner(subject, probes),
    )


def evidence(probes: TokenProbes) -> tuple[Evidence, ...]:
    """Return for each power the acts that show it, the strongest first."""
    found: list[Evidence] = []
    for code, shows in _POWERS.items():
        acts = [act for act in _counted(probes) if shows(probes, act)]
        found += [_act_evidence(probes, code, act) for act in acts[:EVIDENCE_PER_CODE_MAX]]
    found += [_lever_evidence(probes, lever) for lever in probes.levers[:EVIDENCE_PER_CODE_MAX]]
    found += _windfall_evidence(probes)
    for code, tax in (("max_reachable_buy_tax_bps", _buy_tax), ("max_reachable_sell_tax_bps", _sell_tax)):
        raising = [act for act in _taxed(probes) if _raises(probes, act, tax)]
        raising.sort(key=lambda act: -(tax(act) or 0))
        found += [_act_evidence(probes, code, act) for act in raising[:1]]
    power = probes.upgrade
    if power.reachable and power.commander is not None and _is_at_once(power.commander):
        who = f"{_ROLE_WORDS[power.commander.role]} {power.commander.address}"
        summary = f"{who} can exchange the code: {power.detail}."
        found.append(Evidence(code="can_upgrade", summary=summary, block=probes.block, calls=power.calls))
    hidden = [act for act in _counted(probes) if _is_hidden(act.commander) and _is_harmful(probes, act)]
    found += [_act_evidence(probes, "hidden_owner", act) for act in hidden[:EVIDENCE_PER_CODE_MAX]]
    return tuple(found)


def shows_control(probes: TokenProbes) -> bool | None:
    """Return whether anybody could do more to holders than set a tax, whose reach is an estimate of its own.

    None when that was not found out.
    """
    acts = _counted(probes)
    if probes.levers or any(shows(probes, act) for shows in _POWERS.values() for act in acts):
        return True
    power = probes.upgrade
    if power.reachable and (power.commander is None or _is_at_once(power.commander)):
        return True
    if power.reachable is None or not _can_compare_sales(probes) or "acts" in probes.missing:
        return None
    return None if _why_unknown(probes, needs_sale=True) else False


# -- what an act did ------------------------------------------------------------------------------


def pauses(probes: TokenProbes, act: OwnerAct) -> bool:
    """Tell whether nobody can sell after it, though our balance is untouched."""
    return act.names != "buyer" and _stops_sale(probes, act)


def blacklists(probes: TokenProbes, act: OwnerAct) -> bool:
    """Tell whether we cannot sell after it, because it names us."""
    return act.names == "buyer" and _stops_sale(probes, act)


def moves_balances(_: TokenProbes, act: OwnerAct) -> bool:
    """Tell whether it took tokens out of our wallet or out of the pool; a rebase, which scales all alike, does not.

    A few units count where our sale then failed: what can take little can take all.
    """
    before, after = act.before, act.after
    fell = _change(before.buyer_raw, after.buyer_raw) < 0 or _change(before.pool_raw, after.pool_raw) < 0
    took_little = fell and not act.sold and not _is_rebase(act)
    return took_little or _lost(act, lambda held: held.buyer_raw) or _lost(act, lambda held: held.pool_raw)


def mints(_: TokenProbes, act: OwnerAct) -> bool:
    """Tell whether it made tokens: the supply grew beyond a rebase, or somebody gained what nobody lost."""
    before, after = act.before, act.after
    if not before.supply_raw or _is_rebase(act):
        return False
    grown = _change(before.supply_raw, after.supply_raw)
    gained = (
        _change(before.caller_raw, after.caller_raw)
        + _change(before.receiver_raw, after.receiver_raw)
        + _change(before.buyer_raw, after.buyer_raw)
        + _change(before.pool_raw, after.pool_raw)
        + _change(before.token_raw, after.token_raw)
    )
    return max(grown, gained) * BPS_ONE >= before.supply_raw * MATERIAL_BPS


_Shows = Callable[[TokenProbes, OwnerAct], bool]
_POWERS: dict[str, _Shows] = {
    "can_pause": pauses,
    "can_blacklist": blacklists,
    "can_mint": mints,
    "can_move_balances": moves_balances,
}


def _stops_sale(probes: TokenProbes, act: OwnerAct) -> bool:
    return _can_compare_sales(probes) and not act.sold and not moves_balances(probes, act)


def _can_compare_sales(probes: TokenProbes) -> bool:
    return probes.trial is not None and probes.trial.sold


def _lost(act: OwnerAct, of: Callable[[Holdings], int | None]) -> bool:
    before, after = of(act.before), of(act.after)
    if not before or after is None:
        return False
    fell = (before - after) * BPS_ONE >= before * MATERIAL_BPS
    supply_before, supply_after = act.before.supply_raw, act.after.supply_raw
    if not fell or not supply_before or supply_after is None:
        return fell
    # A rebase takes the same share from everybody: shares of the supply stay as they were.
    return (before * supply_after - after * supply_before) * BPS_ONE >= before * supply_before * MATERIAL_BPS


def _is_rebase(act: OwnerAct) -> bool:
    """Tell whether our balance and the pool's changed by the same share as the supply."""
    before, after = act.before, act.after
    if not before.supply_raw or after.supply_raw in (None, before.supply_raw):
        return False
    for held, left in ((before.buyer_raw, after.buyer_raw), (before.pool_raw, after.pool_raw)):
        if not held or left is None or after.supply_raw is None:
            return False
        off = abs(left * before.supply_raw - held * after.supply_raw)
        if off * BPS_ONE > held * max(before.supply_raw, after.supply_raw):
            return False
    return True


def _change(before: int | None, after: int | None) -> int:
    return 0 if before is None or after is None else after - before


def _is_at_once(commander: Commander) -> bool:
    return commander.delay_s < DELAY_HARMLESS_S


def _counted(probes: TokenProbes) -> tuple[OwnerAct, ...]:
    return tuple(act for act in probes.acts if _is_at_once(act.commander))


def _taxed(probes: TokenProbes) -> tuple[OwnerAct, ...]:
    """Return the acts after which taxes mean something: none that emptied the pool or our wallet."""
    return tuple(act for act in _counted(probes) if not moves_balances(probes, act))


def _buy_tax(act: OwnerAct) -> int | None:
    return act.buy_tax_bps


def _sell_tax(act: OwnerAct) -> int | None:
    return act.sell_tax_bps


def _raises(probes: TokenProbes, act: OwnerAct, tax: Callable[[OwnerAct], int | None]) -> bool:
    now = None if probes.trial is None else tax(probes.trial)
    reached = tax(act)
    return now is not None and reached is not None and reached >= now + TAX_RAISE_BPS


def _is_hidden(commander: Commander) -> bool:
    return commander.role in _HIDDEN_ROLES


def _is_harmful(probes: TokenProbes, act: OwnerAct) -> bool:
    if any(shows(probes, act) for shows in _POWERS.values()):
        return True
    if moves_balances(probes, act):
        return False
    return _raises(probes, act, _sell_tax) or _raises(probes, act, _buy_tax)


# -- the estimates --------------------------------------------------------------------------------


def _power(subject: Subject, probes: TokenProbes, code: str, shows: _Shows) -> Estimate:
    acts = [act for act in _counted(probes) if shows(probes, act)]
    shown = len(acts) + _shown_otherwise(probes, code)
    if shown:
        return subject.known(code, value=True, unit="bool", source=_SOURCE, n=shown)
    reason = _why_unknown(probes, needs_sale=code in ("can_pause", "can_blacklist"))
    if reason:
        return subject.unknown(code, reason, unit="bool", source=_SOURCE)
    return subject.known(
        code, value=False, unit="bool", source=_SOURCE, confidence=_confidence(probes), n=_n(probes)
    )


def _shown_otherwise(probes: TokenProbes, code: str) -> int:
    """Return how many findings beside acts show a power: levers stop sales, a windfall is made tokens."""
    if code == "can_pause":
        return len(probes.levers)
    return int(code == "can_mint" and probes.windfall is not None)


def _reachable_tax(
    subject: Subject, probes: TokenProbes, code: str, tax: Callable[[OwnerAct], int | None]
) -> Estimate:
    """Return the highest tax that any act or any wait led to; the bounds are today's and that one."""
    is_sell = tax is _sell_tax
    trips = [probe.trip for probe in probes.trades if probe.trip.stage == "bought_and_sold"]
    waited = [trip.sell_tax_bps if is_sell else trip.buy_tax_bps for trip in trips]
    acted = [tax(act) for act in _taxed(probes)]
    now = None if probes.trial is None else tax(probes.trial)
    known = [value for value in (*waited, *acted, now) if value is not None]
    reason = _why_unknown(probes, needs_sale=is_sell)
    if not known or reason:
        return subject.unknown(code, reason or "no trade could be measured", unit="bps", source=_SOURCE)
    return subject.known(
        code,
        max(known),
        unit="bps",
        source=_SOURCE,
        confidence=_confidence(probes),
        n=len(known),
        low=min(known) if now is None else now,
    )


def _upgrade(subject: Subject, probes: TokenProbes) -> Estimate:
    code, power = "can_upgrade", probes.upgrade
    if power.reachable is None:
        return subject.unknown(code, power.detail, unit="bool", source=_SOURCE)
    reachable = power.reachable and (power.commander is None or _is_at_once(power.commander))
    confidence = Decimal(1)
    if not reachable and probes.code is not None and probes.code.has_delegatecall:
        confidence = NOT_FOUND_CONFIDENCE
    return subject.known(code, value=reachable, unit="bool", source=_SOURCE, confidence=confidence)


def _hidden_owner(subject: Subject, probes: TokenProbes) -> Estimate:
    """Return whether somebody whom owner() does not show can harm holders."""
    code = "hidden_owner"
    acts = [act for act in _counted(probes) if _is_hidden(act.commander) and _is_harmful(probes, act)]
    power = probes.upgrade
    upgrades = bool(power.reachable) and power.commander is not None and _is_hidden(power.commander)
    if acts or upgrades:
        return subject.known(code, value=True, unit="bool", source=_SOURCE, n=max(1, len(acts)))
    reason = _why_unknown(probes, needs_sale=False)
    if reason:
        return subject.unknown(code, reason, unit="bool", source=_SOURCE)
    return subject.known(
        code, value=False, unit="bool", source=_SOURCE, confidence=_confidence(probes), n=_n(probes)
    )


def _why_unknown(probes: TokenProbes, *, needs_sale: bool) -> str:
    """Return why the lack of a finding proves nothing, "" when it does."""
    if probes.trial is None:
        return probes.missing.get("acts") or "no act was tried"
    if needs_sale and not probes.trial.sold:
        return f"the simulated sale fails already: {probes.trial.detail or 'no reason given'}"
    return probes.missing.get("implementation", "")


def _confidence(probes: TokenProbes) -> Decimal:
    """Return how sure the lack of a finding is."""
    doubts = bool(probes.refused or probes.untried) or any(
        part in probes.missing for part in ("commanders", "storage", "some_acts", "acts")
    )
    confidence = NOT_FOUND_CONFIDENCE if doubts else Decimal(1)
    return min(confidence, LOCAL_CONFIDENCE) if probes.runner == "pyrevm" else confidence


def _n(probes: TokenProbes) -> int:
    return max(1, len(probes.acts))


# -- in words -------------------------------------------------------------------------------------


def function_name(selector: str, arguments: str) -> str:
    """Return a function's signature where it is a known one, else its selector and the types it takes."""
    if selector == "0x":
        return "nothing, but sent coins,"
    return _SIGNATURES.get(selector, f"{selector}({arguments})")


def _act_evidence(probes: TokenProbes, code: str, act: OwnerAct) -> Evidence:
    who = f"{_ROLE_WORDS[act.commander.role]} {act.commander.address}".removesuffix(" ")
    name = function_name(act.selector, act.arguments)
    if len(act.calls) > 1 and act.names == "nobody":
        name = f"{name} after {len(act.calls) - 1} other calls"
    if act.target:
        name = f"{name} of {act.target}, with which the token works,"
    return Evidence(
        code=code,
        summary=f"{who} called {name} in simulation; {_effect(probes, act)}.",
        block=probes.block,
        calls=act.calls,
    )


def _lever_evidence(probes: TokenProbes, lever: Lever) -> Evidence:
    names = ", ".join(function_name(selector, "…") for selector in lever.writers)
    effect = (
        f"{Decimal(lever.sell_tax_bps or 0) / 100:f} % of our sale were kept"
        if lever.sold
        else f"our sale failed ({lever.detail or 'no reason given'})"
    )
    opened = (
        "It is counted up by trades, so the crowd brings it there."
        if set(lever.writers) <= _TRADES
        else f"It is written by {names}, which no account opens that could be found: a signature or a secret may."
    )
    summary = (
        f"Storage slot {int(lever.slot, 16):#x} decides over sales: with {int(lever.word, 16):#x} in it {effect}. "
        f"{opened}"
    )
    return Evidence(code="can_pause", summary=summary, block=probes.block, calls=())


def _windfall_evidence(probes: TokenProbes) -> list[Evidence]:
    gain = probes.windfall
    if gain is None:
        return []
    times = Decimal(gain.gained_raw) / Decimal(max(gain.traded_raw, 1))
    summary = (
        f"While we traded, {gain.holder} and others gained {times:.2f} times as many tokens as we moved,"
        " and nobody lost them."
    )
    return [Evidence(code="can_mint", summary=summary, block=probes.block, calls=())]


def _effect(probes: TokenProbes, act: OwnerAct) -> str:
    if mints(probes, act):
        return "tokens came into being that nobody gave up"
    if moves_balances(probes, act):
        is_ours = _change(act.before.buyer_raw, act.after.buyer_raw) < 0
        return f"tokens left {'our wallet' if is_ours else 'the pool'}"
    if not act.sold:
        return f"after it our sale failed ({act.detail or 'no reason given'})"
    buy, sell = (
        "unknown" if bps is None else f"{Decimal(bps) / 100:f} %"
        for bps in (act.buy_tax_bps, act.sell_tax_bps)
    )
    return f"after it the buy tax was {buy} and the sell tax {sell}"
