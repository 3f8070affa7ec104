"""What the token's owner can still do to it, from the functions that its code answers to."""

from __future__ import annotations

from decimal import Decimal

from apps.domain.estimate import Estimate
from apps.intelligence.logic.control_selectors import CONTROL_SELECTORS
from apps.intelligence.logic.powers import shows_control
from apps.intelligence.logic.subject import Subject

_SOURCE = "code"
#: One estimate of this prefix stands for each family of functions that was found: "owner_control_tax", …
FAMILY_PREFIX = "owner_control_"
_OWNER_VIEWS = frozenset({"0x8da5cb5b", "0x893d20e8"})  # owner(), getOwner()
_TRANSFER = "0xa9059cbb"  # transfer(address,uint256)
#: Names can be disguised: that none was found is strong, not certain.
NOT_FOUND_CONFIDENCE = Decimal("0.8")
#: The functions are there, but whom they obey is not shown.
HIDDEN_OWNER_CONFIDENCE = Decimal("0.7")


def estimates(subject: Subject) -> tuple[Estimate, ...]:
    """Return owner_active, owner_controls, and owner_control_<family> for each family the owner commands; after a full
    assessment also runs_foreign_code, can_selfdestruct and transfer_calls_others.
    """
    return (_owner_active(subject), *_controls(subject), *_code(subject))


def control_families(selectors: tuple[str, ...]) -> tuple[str, ...]:
    """Return the families of which at least one function is among these selectors."""
    present = {selector.lower() for selector in selectors}
    return tuple(
        family for family, functions in CONTROL_SELECTORS.items() if not present.isdisjoint(functions)
    )


def _owner_active(subject: Subject) -> Estimate:
    owner = subject.facts.owner
    if owner is None:
        return subject.absent("owner_active", "owner", unit="bool")
    return subject.known("owner_active", owner != "", unit="bool")


def _controls(subject: Subject) -> tuple[Estimate, ...]:
    """Return what an owner who is still there can do: by simulation where every function could be tried, else by name.

    A token that has such functions but no owner() never showed that they were given up: they count.
    """
    code, facts = "owner_controls", subject.facts
    measured = _measured(subject)
    if measured is False:
        return (
            subject.known(
                code, value=False, unit="bool", source="simulation", confidence=NOT_FOUND_CONFIDENCE
            ),
        )
    if measured and facts.selectors is None:
        return (subject.known(code, value=True, unit="bool", source="simulation"),)
    if facts.selectors is None:
        return (subject.absent(code, "selectors", unit="bool", source=_SOURCE),)
    present = frozenset(selector.lower() for selector in facts.selectors)
    if _TRANSFER not in present:
        reason = "the code has no transfer of its own: it hands calls on, or hides what it does"
        return (subject.unknown(code, reason, unit="bool", source=_SOURCE),)
    families = control_families(facts.selectors)
    if not families:
        confidence = Decimal(1) if facts.owner == "" and present & _OWNER_VIEWS else NOT_FOUND_CONFIDENCE
        return (subject.known(code, value=False, unit="bool", source=_SOURCE, confidence=confidence),)
    if facts.owner is None:
        return (subject.absent(code, "owner", unit="bool"),)
    if facts.owner == "" and present & _OWNER_VIEWS:
        return (subject.known(code, value=False, unit="bool", source=_SOURCE),)
    confidence = Decimal(1) if facts.owner else HIDDEN_OWNER_CONFIDENCE
    return tuple(
        subject.known(name, value=True, unit="bool", source=_SOURCE, confidence=confidence)
        for name in (code, *(FAMILY_PREFIX + family for family in families))
    )


def _measured(subject: Subject) -> bool | None:
    """Return what simulation showed of control; None where no full assessment could try every known function of control."""
    probes = subject.facts.probes
    if probes is None or control_families(probes.untried):
        return None
    return shows_control(probes)


def _code(subject: Subject) -> tuple[Estimate, ...]:
    """Return what the code shows: whether it runs other code as its own, deletes itself, asks others in a transfer."""
    probes = subject.facts.probes
    if probes is None:
        return ()
    names = ("runs_foreign_code", "can_selfdestruct", "transfer_calls_others")
    code = probes.code
    if code is None:
        reason = probes.missing.get("code", "the code could not be read")
        return tuple(subject.unknown(name, reason, unit="bool", source=_SOURCE) for name in names)
    if code.called_in_transfer is None:
        reason = probes.missing.get("called_in_transfer", "it could not be traced")
        calls = subject.unknown("transfer_calls_others", reason, unit="bool", source="simulation")
    else:
        calls = subject.known(
            "transfer_calls_others",
            value=bool(code.called_in_transfer),
            unit="bool",
            source="simulation",
            n=max(1, len(code.called_in_transfer)),
        )
    return (
        subject.known("runs_foreign_code", code.has_delegatecall, unit="bool", source=_SOURCE),
        subject.known("can_selfdestruct", code.has_selfdestruct, unit="bool", source=_SOURCE),
        calls,
    )
