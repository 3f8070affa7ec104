"""The one place where limits on money are enforced.

Everything at stake is one row, and a reservation is one conditional UPDATE of it: whoever comes when there is no room
changes nothing. Pages and decisions may look at the row before; only this answer counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime

from django.db import IntegrityError, transaction
from django.db.models import BigIntegerField, Case, DateField, F, Q, Value, When
from django.utils import timezone

from apps.domain.config import Limits
from apps.domain.decision import Reason
from apps.domain.money import raw_to_units, usd_to_micros
from apps.risk.models import Budget, Reservation

#: All money is one scope so far.
SCOPE = "all"
_USD_DECIMALS = 6
#: A refusal whose cause is gone when it is looked for is tried again so often.
_TRIES_MAX = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetView:
    """What is at stake now, in millionths of US dollars."""

    exposure_usd_micros: int
    open_positions: int
    day: date  # UTC day of the loss counter
    realised_today_usd_micros: int  # negative: loss


def budget_reserve(*, client_order_id: str, usd_micros: int, limits: Limits, now: datetime) -> Reason | None:
    """Hold budget for an entry order in the caller's transaction; return None when held, else which limit refuses.

    Idempotent: an order that holds its budget already holds it once. One whose budget was released gets none again.
    """
    assert usd_micros > 0, usd_micros
    assert now.tzinfo is not None, now
    if usd_micros > usd_to_micros(limits.position_max_usd):
        return Reason(
            code="LIMIT_POSITION_SIZE",
            explanation="This position would cost more than one position may.",
            detail=f"cost_usd={_usd(usd_micros)} maximum_usd={limits.position_max_usd}",
        )
    today = _day_of(now)
    _row_exists(today)
    for _ in range(_TRIES_MAX):
        known = Reservation.objects.filter(client_order_id=client_order_id).first()
        if known is not None:
            return _answer_again(known)
        try:
            with transaction.atomic():
                if _take(usd_micros, limits=limits, today=today):
                    Reservation.objects.create(
                        client_order_id=client_order_id, scope=SCOPE, usd_micros=usd_micros, created_at=now
                    )
                    return None
        except IntegrityError:
            continue  # somebody else holds it for the same order: what we took is undone, and the row is there now
        refused = _refusal(usd_micros, limits=limits, view=budget_view(now=now))
        if refused is not None:
            return refused
    return Reason(
        code="LIMIT_CONTENDED", explanation="Room in the limits came and went too quickly to take it."
    )


def budget_release(*, client_order_id: str, realised_usd_micros: int) -> bool:
    """Free an order's budget and book what it brought to today; return False when it was freed before or never held.

    In the caller's transaction, where there is one. ``realised_usd_micros`` is negative for a loss.
    """
    now = timezone.now()
    today = _day_of(now)
    with transaction.atomic():
        # Budget before reservation, as budget_reserve locks them: two transactions never wait for each other.
        Budget.objects.select_for_update().filter(scope=SCOPE).first()
        held = Reservation.objects.filter(client_order_id=client_order_id, status="held")
        usd_micros = held.values_list("usd_micros", flat=True).first()
        if usd_micros is None or not held.update(status="released", released_at=now):
            return False
        Budget.objects.filter(scope=SCOPE).update(
            exposure_usd_micros=F("exposure_usd_micros") - usd_micros,
            open_positions=F("open_positions") - 1,
            realised_today_usd_micros=_realised_as_of(today) + realised_usd_micros,
            day=_later_day(today),
        )
    return True


def budget_view(*, now: datetime | None = None) -> BudgetView:
    """Return what is at stake; a loss of an earlier day does not count any more."""
    today = _day_of(now or timezone.now())
    row = Budget.objects.filter(scope=SCOPE).first()
    if row is None:
        return BudgetView(exposure_usd_micros=0, open_positions=0, day=today, realised_today_usd_micros=0)
    return BudgetView(
        exposure_usd_micros=row.exposure_usd_micros,
        open_positions=row.open_positions,
        day=max(row.day, today),
        realised_today_usd_micros=0 if row.day < today else row.realised_today_usd_micros,
    )


# -- the row ------------------------------------------------------------------------------
def _row_exists(today: date) -> None:
    if not Budget.objects.filter(scope=SCOPE).exists():
        Budget.objects.get_or_create(scope=SCOPE, defaults={"day": today})


def _take(usd_micros: int, *, limits: Limits, today: date) -> bool:
    """Take exposure and one position if every limit allows it, in one UPDATE; a new UTC day starts without loss."""
    has_room = Q(
        scope=SCOPE,
        exposure_usd_micros__lte=usd_to_micros(limits.exposure_max_usd) - usd_micros,
        open_positions__lte=limits.open_positions_max - 1,
    )
    may_lose = Q(day__lt=today) | Q(realised_today_usd_micros__gt=-usd_to_micros(limits.daily_loss_max_usd))
    taken = Budget.objects.filter(has_room & may_lose).update(
        exposure_usd_micros=F("exposure_usd_micros") + usd_micros,
        open_positions=F("open_positions") + 1,
        realised_today_usd_micros=_realised_as_of(today),
        day=_later_day(today),
    )
    return taken == 1


def _realised_as_of(today: date) -> Case:
    """Return the counter as it stands today: zero once its day is over."""
    return Case(
        When(day__lt=today, then=Value(0)),
        default=F("realised_today_usd_micros"),
        output_field=BigIntegerField(),
    )


def _later_day(today: date) -> Case:
    """Return today, or the counter's day where a clock that went back makes today earlier: a day is never reopened."""
    return Case(When(day__lt=today, then=Value(today)), default=F("day"), output_field=DateField())


# -- refusals -----------------------------------------------------------------------------
def _answer_again(reservation: Reservation) -> Reason | None:
    if reservation.status == "held":
        return None
    return Reason(
        code="LIMIT_RESERVATION_ENDED",
        explanation="This order's budget was given back; a new attempt needs an order of its own.",
    )


def _refusal(usd_micros: int, *, limits: Limits, view: BudgetView) -> Reason | None:
    """Return the first limit that stands in the way, None when none does any more."""
    loss = -view.realised_today_usd_micros
    if loss >= usd_to_micros(limits.daily_loss_max_usd):
        return Reason(
            code="LIMIT_DAILY_LOSS",
            explanation="Today's realised loss has reached its limit; entries go on after midnight UTC.",
            detail=f"loss_usd={_usd(loss)} maximum_usd={limits.daily_loss_max_usd}",
        )
    if view.open_positions >= limits.open_positions_max:
        return Reason(
            code="LIMIT_OPEN_POSITIONS",
            explanation="As many positions are open as are allowed at the same time.",
            detail=f"open={view.open_positions} maximum={limits.open_positions_max}",
        )
    if view.exposure_usd_micros + usd_micros > usd_to_micros(limits.exposure_max_usd):
        return Reason(
            code="LIMIT_EXPOSURE",
            explanation="All open positions and orders together would cost more than they may.",
            detail=f"exposure_usd={_usd(view.exposure_usd_micros)} cost_usd={_usd(usd_micros)}"
            f" maximum_usd={limits.exposure_max_usd}",
        )
    return None


def _usd(usd_micros: int) -> str:
    return f"{raw_to_units(usd_micros, _USD_DECIMALS):f}"


def _day_of(now: datetime) -> date:
    return now.astimezone(UTC).date()
