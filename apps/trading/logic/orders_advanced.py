"""Orders beyond market as one machine: legs that each wait for a price or a time and draw on one quantity.

A ladder is several legs at rising prices; a bracket is a target and a stop that both want everything, so whichever comes
first leaves nothing to the other. What was filled and what is on its way is told by the children's rows, so a restart
takes the same next step. Prices are what a whole trade of the leg brings or costs now, after pool fee, impact and tax.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import Enum

from apps.domain.errors import ConfigurationError
from apps.domain.money import BPS_ONE
from apps.domain.order import Side

#: A price is quote units for this many base units, so that the cheapest token's price keeps its digits.
PRICE_SCALE = 10**36
LEGS_MAX = 100
#: A leg whose children came to nothing so often waits for a person.
FAILURES_MAX = 6


class Trigger(Enum):
    """What a leg waits for."""

    AT_LEAST = "at_least"  # the price is this or higher
    AT_MOST = "at_most"  # the price is this or lower
    TRAILING = "trailing"  # the price has fallen from its highest by a share
    AT_TIME = "at_time"  # the moment has come


#: Danger comes before profit; the clock before a target.
_ORDER = (Trigger.AT_MOST, Trigger.TRAILING, Trigger.AT_TIME, Trigger.AT_LEAST)


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """One part of an advanced order. ``amount_raw``: base units of a sale, the chain's own coin of a purchase.

    ``price`` for AT_LEAST and AT_MOST, in quote units per PRICE_SCALE base units; ``trail_bps`` and, where the leg is
    armed by a price, ``price`` for TRAILING; ``at_ms`` for AT_TIME. ``is_limit``: it never fills at a worse price than
    ``price``; without it reaching the price opens the market, as a stop does.
    """

    number: int
    trigger: Trigger
    amount_raw: int
    price: int | None = None
    trail_bps: int | None = None
    at_ms: int | None = None
    is_limit: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """An advanced order as it was asked for. All legs together never take more than ``total_raw``.

    ``spacing_ms``: legs by the clock keep at least this from the last child, so that a backlog after a pause does not go
    out at once.
    """

    side: Side
    total_raw: int
    legs: tuple[Leg, ...]
    expires_at_ms: int | None = None
    spacing_ms: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """What became of one leg's children."""

    filled_raw: int = 0
    in_flight_raw: int = 0
    failures: int = 0
    rests_until_ms: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """What is looked at. ``price_of``: what a trade of so much would bring or cost per PRICE_SCALE; None: unknown."""

    now_ms: int
    price_of: Callable[[int], int | None]
    free_raw: int  # most that a child may take now: what is held and not promised elsewhere
    highest: int = 0  # highest price seen by the trailing legs
    last_child_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Child:
    """A trade that is due now. ``price_limit``: never worse than this; None: as the market is."""

    leg: int
    trigger: Trigger
    amount_raw: int
    price: int | None  # as it was when the leg came due
    price_limit: int | None
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """The next step: at most one child. ``end`` is "" while the order lives, else "filled", "expired" or "failed"."""

    highest: int
    child: Child | None = None
    end: str = ""


def step(plan: Plan, progress: Sequence[Progress], moment: Moment) -> Step:
    """Return what to do now; the same arguments give the same step, before and after a restart."""
    assert len(progress) == len(plan.legs), (len(progress), len(plan.legs))
    filled = sum(item.filled_raw for item in progress)
    in_flight = sum(item.in_flight_raw for item in progress)
    highest = _highest(plan, progress, moment)
    waiting = [
        (leg, done)
        for leg, done in zip(plan.legs, progress, strict=True)
        if done.filled_raw == 0 and done.in_flight_raw == 0
    ]
    left = plan.total_raw - filled - in_flight
    if in_flight == 0:
        if left <= 0 or not waiting:
            return Step(highest=highest, end="filled")
        if plan.expires_at_ms is not None and moment.now_ms >= plan.expires_at_ms:
            return Step(highest=highest, end="expired")
        if all(done.failures >= FAILURES_MAX for _, done in waiting):
            return Step(highest=highest, end="failed")
    if plan.expires_at_ms is not None and moment.now_ms >= plan.expires_at_ms:
        return Step(highest=highest)
    most = min(left, moment.free_raw)
    for leg, done in sorted(waiting, key=lambda item: (_ORDER.index(item[0].trigger), item[0].number)):
        if done.failures >= FAILURES_MAX or moment.now_ms < done.rests_until_ms:
            continue
        child = _child(plan, leg, amount_raw=min(leg.amount_raw, most), highest=highest, moment=moment)
        if child is not None:
            return Step(highest=highest, child=child)
    return Step(highest=highest)


def _highest(plan: Plan, progress: Sequence[Progress], moment: Moment) -> int:
    """Return the highest price seen: it only grows, so a trailing stop never widens."""
    amounts = [
        leg.amount_raw  # always of the same size: a part promised elsewhere must not look like another price
        for leg, done in zip(plan.legs, progress, strict=True)
        if leg.trigger is Trigger.TRAILING and done.filled_raw == 0 and done.in_flight_raw == 0
    ]
    seen = [moment.price_of(amount) for amount in amounts if amount > 0]
    return max([moment.highest, *(price for price in seen if price is not None)])


def _child(plan: Plan, leg: Leg, *, amount_raw: int, highest: int, moment: Moment) -> Child | None:
    if amount_raw <= 0:
        return None
    price = moment.price_of(leg.amount_raw if leg.trigger is Trigger.TRAILING else amount_raw)
    if price is None:
        return None
    if leg.trigger is Trigger.AT_TIME:
        assert leg.at_ms is not None
        last = moment.last_child_ms
        is_due = moment.now_ms >= leg.at_ms and (last is None or moment.now_ms >= last + plan.spacing_ms)
    elif leg.trigger is Trigger.TRAILING:
        assert leg.trail_bps is not None
        is_armed = leg.price is None or highest >= leg.price
        is_due = is_armed and price * BPS_ONE <= highest * (BPS_ONE - leg.trail_bps)
    else:
        assert leg.price is not None
        is_due = price >= leg.price if leg.trigger is Trigger.AT_LEAST else price <= leg.price
    if not is_due:
        return None
    limit = leg.price if leg.is_limit else None
    if limit is not None and (price > limit if plan.side == "buy" else price < limit):
        return None  # a leg by the clock with a limit: the price must suit too
    return Child(
        leg=leg.number,
        trigger=leg.trigger,
        amount_raw=amount_raw,
        price=price,
        price_limit=limit,
        detail=f"leg={leg.number} price={price} asked={leg.price} highest={highest} scale=1e36",
    )


# -- making plans -------------------------------------------------------------------------
def slices_of(total_raw: int, count: int) -> tuple[int, ...]:
    """Return ``count`` slices that differ by one unit at most and add up to ``total_raw`` exactly."""
    assert count > 0, count
    return tuple(total_raw * (i + 1) // count - total_raw * i // count for i in range(count))


def shares_of(total_raw: int, shares_bps: Sequence[int]) -> tuple[int, ...]:
    """Return the parts of ``total_raw`` by shares, rounded down; shares of 10,000 together give all of it exactly."""
    assert 0 < sum(shares_bps) <= BPS_ONE, shares_bps
    done, parts = 0, []
    for i in range(len(shares_bps)):
        upto = total_raw * sum(shares_bps[: i + 1]) // BPS_ONE
        parts.append(upto - done)
        done = upto
    return tuple(parts)


def ladder(*, total_raw: int, steps: Sequence[tuple[int, int]]) -> Plan:
    """Return a plan that sells parts at rising prices; ``steps`` are (price, share in bps)."""
    parts = shares_of(total_raw, [share for _, share in steps])
    legs = tuple(
        Leg(number=i, trigger=Trigger.AT_LEAST, amount_raw=part, price=price, is_limit=True)
        for i, ((price, _), part) in enumerate(zip(steps, parts, strict=True))
    )
    return checked(Plan(side="sell", total_raw=sum(parts), legs=legs))


def bracket(*, total_raw: int, target_price: int, stop_price: int) -> Plan:
    """Return a target and a stop of which one cancels the other."""
    legs = (
        Leg(number=0, trigger=Trigger.AT_LEAST, amount_raw=total_raw, price=target_price, is_limit=True),
        Leg(number=1, trigger=Trigger.AT_MOST, amount_raw=total_raw, price=stop_price),
    )
    if stop_price >= target_price:
        raise ConfigurationError("The stop is not below the target.", remedy="Give a lower stop.")
    return checked(Plan(side="sell", total_raw=total_raw, legs=legs))


def trailing(*, total_raw: int, trail_bps: int, armed_at_price: int | None = None) -> Plan:
    """Return a stop that follows the highest price."""
    leg = Leg(
        number=0, trigger=Trigger.TRAILING, amount_raw=total_raw, trail_bps=trail_bps, price=armed_at_price
    )
    return checked(Plan(side="sell", total_raw=total_raw, legs=(leg,)))


def limit(*, side: Side, total_raw: int, price: int, expires_at_ms: int | None = None) -> Plan:
    """Return an order that fills at ``price`` or better, or not at all."""
    trigger = Trigger.AT_MOST if side == "buy" else Trigger.AT_LEAST
    leg = Leg(number=0, trigger=trigger, amount_raw=total_raw, price=price, is_limit=True)
    return checked(Plan(side=side, total_raw=total_raw, legs=(leg,), expires_at_ms=expires_at_ms))


def stop(*, total_raw: int, price: int) -> Plan:
    """Return an order that sells at the market once the price is ``price`` or lower."""
    leg = Leg(number=0, trigger=Trigger.AT_MOST, amount_raw=total_raw, price=price)
    return checked(Plan(side="sell", total_raw=total_raw, legs=(leg,)))


def by_clock(
    *,
    side: Side,
    total_raw: int,
    slices: int,
    first_at_ms: int,
    interval_ms: int,
    price_limit: int | None = None,
) -> Plan:
    """Return equal slices at equal intervals: one slice is a time stop, several a TWAP or, slower, a DCA."""
    if not 0 < slices <= LEGS_MAX:
        raise ConfigurationError(
            f"{slices} slices cannot be made.", remedy=f"Give a number from 1 to {LEGS_MAX}."
        )
    legs = tuple(
        Leg(
            number=i,
            trigger=Trigger.AT_TIME,
            amount_raw=part,
            at_ms=first_at_ms + i * interval_ms,
            price=price_limit,
            is_limit=price_limit is not None,
        )
        for i, part in enumerate(slices_of(total_raw, slices))
    )
    return checked(Plan(side=side, total_raw=total_raw, legs=legs, spacing_ms=interval_ms))


def scale_in(*, total_raw: int, steps: Sequence[tuple[int, int]]) -> Plan:
    """Return purchases at falling prices; ``steps`` are (price, share in bps)."""
    parts = shares_of(total_raw, [share for _, share in steps])
    legs = tuple(
        Leg(number=i, trigger=Trigger.AT_MOST, amount_raw=part, price=price, is_limit=True)
        for i, ((price, _), part) in enumerate(zip(steps, parts, strict=True))
    )
    return checked(Plan(side="buy", total_raw=sum(parts), legs=legs))


def checked(plan: Plan) -> Plan:
    """Return the plan if it makes sense. Raises ConfigurationError in plain words."""
    wrong = _wrong(plan)
    if wrong:
        raise ConfigurationError(wrong, remedy="Change the figure that is named and try again.")
    return plan


def _wrong(plan: Plan) -> str:
    if not 0 < len(plan.legs) <= LEGS_MAX:
        return f"An order has 1 to {LEGS_MAX} parts, not {len(plan.legs)}."
    if plan.total_raw <= 0:
        return "The amount is not above zero."
    for number, leg in enumerate(plan.legs):
        assert leg.number == number, (leg.number, number)
        if not 0 < leg.amount_raw <= plan.total_raw:
            return f"Part {number + 1} has no amount, or more than the whole order."
        if leg.price is not None and leg.price <= 0:
            return f"Part {number + 1} has no price above zero."
        if leg.trigger is Trigger.TRAILING and not 0 < (leg.trail_bps or 0) < BPS_ONE:
            return f"Part {number + 1} trails by a share between 0 and 100 %."
        if leg.trigger is Trigger.TRAILING and plan.side == "buy":
            return "Only sales trail a price."
    return ""


def amended(plan: Plan, leg_number: int, *, price: int | None = None, trail_bps: int | None = None) -> Plan:
    """Return the plan with another price or trail of one leg. Raises ConfigurationError, also for a wider trail."""
    if not 0 <= leg_number < len(plan.legs):
        raise ConfigurationError("This order has no such part.", remedy="Look at the order again.")
    leg = plan.legs[leg_number]
    if trail_bps is not None:
        if leg.trail_bps is None or trail_bps > leg.trail_bps:
            raise ConfigurationError(
                "A trailing stop is never widened.", remedy="Cancel it and place a new one."
            )
        leg = replace(leg, trail_bps=trail_bps)
    if price is not None:
        leg = replace(leg, price=price)
    legs = (*plan.legs[:leg_number], leg, *plan.legs[leg_number + 1 :])
    return checked(replace(plan, legs=legs))
