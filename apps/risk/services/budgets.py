"""The one place where limits on money are enforced.

Everything at stake is a row for each scope: all of it, its chain, its deployer, its token. A reservation takes from every
scope that it concerns, each by one conditional UPDATE, in one transaction and in one order: whoever comes when there is no
room in one of them changes nothing. Pages and decisions may look at the rows before; only this answer counts. A tripped
breaker that pauses entries is one more condition of the same UPDATE.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from django.db import IntegrityError, transaction
from django.db.models import BigIntegerField, Case, DateField, Exists, F, Q, QuerySet, Value, When
from django.utils import timezone

from apps.domain.config import Limits
from apps.domain.decision import Reason
from apps.domain.money import raw_to_units, usd_to_micros
from apps.risk.models import Breaker, Budget, Reservation, VerdictRecord

#: The scope that every reservation takes from, and takes from first: so two of them never wait for each other.
SCOPE = "all"
_USD_DECIMALS = 6
#: The leg of an order that adds to an open position: it takes exposure, and no place among the positions.
LEG_ADD = "add"
#: A refusal whose cause is gone when it is looked for is tried again so often.
_TRIES_MAX = 3
_SCOPE_KEPT = timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetSubject:
    """What an entry is about. ``deployer`` "": unknown, then its limits cannot be asked."""

    chain_key: str
    token: str
    deployer: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetView:
    """What is at stake now in one scope, in millionths of US dollars."""

    exposure_usd_micros: int
    open_positions: int
    day: date  # UTC day of the day's counters
    realised_today_usd_micros: int  # negative: loss
    entered_today_usd_micros: int = 0
    scope: str = SCOPE


@dataclass(frozen=True, slots=True, kw_only=True)
class _Bounds:
    """What one scope allows; None: no limit of its own. ``name`` is the word in codes, ``words`` in sentences."""

    scope: str
    name: str
    words: str
    exposure_max_usd: Decimal | None
    positions_max: int | None
    loss_max_usd: Decimal | None = None
    entries_max_usd: Decimal | None = None


def budget_reserve(
    *,
    client_order_id: str,
    usd_micros: int,
    limits: Limits,
    now: datetime,
    subject: BudgetSubject | None = None,
) -> Reason | None:
    """Hold budget for an entry order in the caller's transaction; return None when held, else which limit refuses.

    Idempotent: an order that holds its budget already holds it once. One whose budget was released gets none again.
    ``subject`` None: the newest verdict of the order's trace says what it is about; without one only the limits on
    everything together count.
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
    about = subject or _subject_of(client_order_id)
    bounds = _bounds(limits, about)
    chain_key = "" if about is None else about.chain_key
    _rows_exist([item.scope for item in bounds], today)
    for _ in range(_TRIES_MAX):
        known = Reservation.objects.filter(client_order_id=client_order_id).first()
        if known is not None:
            return _answer_again(known)
        full: _Bounds | None = None
        try:
            with transaction.atomic():
                full = _take_all(
                    usd_micros,
                    places=_places_of(client_order_id),
                    bounds=bounds,
                    today=today,
                    chain_key=chain_key,
                    now=now,
                )
                if full is None:
                    Reservation.objects.create(
                        client_order_id=client_order_id,
                        scope=SCOPE,
                        scopes=[item.scope for item in bounds],
                        usd_micros=usd_micros,
                        created_at=now,
                    )
                    return None
                transaction.set_rollback(True)  # what other scopes gave is given back
        except IntegrityError:
            continue  # somebody else holds it for the same order: what we took is undone, and the row is there now
        refused = _paused(chain_key, now) or _refusal(
            usd_micros, bounds=full, view=budget_view(now=now, scope=full.scope)
        )
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
        row = held.values_list("usd_micros", "scopes").first()
        if row is None or not held.update(status="released", released_at=now):
            return False
        usd_micros, scopes = row
        for scope in scopes or [SCOPE]:
            Budget.objects.filter(scope=scope).update(
                exposure_usd_micros=F("exposure_usd_micros") - usd_micros,
                open_positions=F("open_positions") - _places_of(client_order_id),
                realised_today_usd_micros=_as_of(today, "realised_today_usd_micros") + realised_usd_micros,
                entered_today_usd_micros=_as_of(today, "entered_today_usd_micros"),
                day=_later_day(today),
            )
    return True


def budget_view(*, now: datetime | None = None, scope: str = SCOPE) -> BudgetView:
    """Return what is at stake in a scope; the counters of an earlier day do not count any more."""
    today = _day_of(now or timezone.now())
    row = Budget.objects.filter(scope=scope).first()
    if row is None:
        return BudgetView(
            exposure_usd_micros=0, open_positions=0, day=today, realised_today_usd_micros=0, scope=scope
        )
    return _view_of(row, today)


def budget_views(*, limit: int = 100) -> tuple[BudgetView, ...]:
    """Return every scope in which something is at stake, the most first."""
    today = _day_of(timezone.now())
    rows = Budget.objects.filter(open_positions__gt=0).order_by("-exposure_usd_micros", "scope")[:limit]
    return tuple(_view_of(row, today) for row in rows)


def budgets_prune() -> int:
    """Delete the rows of tokens and deployers in which nothing is at stake and nothing was for a while."""
    before = _day_of(timezone.now() - _SCOPE_KEPT)
    rows = Budget.objects.filter(open_positions=0, exposure_usd_micros=0, day__lt=before)
    return rows.exclude(scope=SCOPE).exclude(scope__startswith="chain:").delete()[0]


def _view_of(row: Budget, today: date) -> BudgetView:
    is_past = row.day < today
    return BudgetView(
        scope=row.scope,
        exposure_usd_micros=row.exposure_usd_micros,
        open_positions=row.open_positions,
        day=max(row.day, today),
        realised_today_usd_micros=0 if is_past else row.realised_today_usd_micros,
        entered_today_usd_micros=0 if is_past else row.entered_today_usd_micros,
    )


# -- scopes -------------------------------------------------------------------------------
def _subject_of(client_order_id: str) -> BudgetSubject | None:
    trace_id = client_order_id.partition(":")[0]
    row = (
        VerdictRecord.objects.filter(trace_id=trace_id)
        .order_by("-id")
        .values_list("pair__chain_key", "pair__base__address", "pair__creator")
        .first()
    )
    return None if row is None else BudgetSubject(chain_key=row[0], token=row[1], deployer=row[2])


def _bounds(limits: Limits, subject: BudgetSubject | None) -> tuple[_Bounds, ...]:
    """Return what each scope allows, in the one order in which all transactions take them: the widest first."""
    everything = _Bounds(
        scope=SCOPE,
        name="",
        words="",
        exposure_max_usd=limits.exposure_max_usd,
        positions_max=limits.open_positions_max,
        loss_max_usd=limits.daily_loss_max_usd,
        entries_max_usd=limits.daily_entries_max_usd,
    )
    if subject is None:
        return (everything,)
    chain = _Bounds(
        scope=f"chain:{subject.chain_key}",
        name="CHAIN_",
        words=" on this chain",
        exposure_max_usd=limits.chain_exposure_max_usd,
        positions_max=None,
    )
    deployer = _Bounds(
        scope=f"deployer:{subject.chain_key}/{subject.deployer.lower()}",
        name="DEPLOYER_",
        words=" in tokens of this deployer",
        exposure_max_usd=limits.deployer_exposure_max_usd,
        positions_max=limits.deployer_positions_max,
    )
    token = _Bounds(
        scope=f"token:{subject.chain_key}/{subject.token.lower()}",
        name="TOKEN_",
        words=" in this token",
        exposure_max_usd=limits.token_exposure_max_usd,
        positions_max=limits.token_positions_max,
    )
    return (everything, chain, *((deployer,) if subject.deployer else ()), token)


def _rows_exist(scopes: list[str], today: date) -> None:
    there = set(Budget.objects.filter(scope__in=scopes).values_list("scope", flat=True))
    for scope in scopes:
        if scope not in there:
            Budget.objects.get_or_create(scope=scope, defaults={"day": today})


# -- the rows -----------------------------------------------------------------------------
def _places_of(client_order_id: str) -> int:
    """Return how many positions an order opens."""
    return 0 if client_order_id.endswith(f":{LEG_ADD}") else 1


def _take_all(
    usd_micros: int,
    *,
    places: int,
    bounds: tuple[_Bounds, ...],
    today: date,
    chain_key: str,
    now: datetime,
) -> _Bounds | None:
    """Take from every scope; return None when all gave, else the first that had no room."""
    for item in bounds:
        if not _take(usd_micros, places=places, bounds=item, today=today, chain_key=chain_key, now=now):
            return item
    return None


def _take(
    usd_micros: int, *, places: int, bounds: _Bounds, today: date, chain_key: str, now: datetime
) -> bool:
    """Take exposure and one position if every limit allows it, in one UPDATE; a new UTC day starts from zero."""
    has_room = Q(scope=bounds.scope)
    if bounds.exposure_max_usd is not None:
        has_room &= Q(exposure_usd_micros__lte=usd_to_micros(bounds.exposure_max_usd) - usd_micros)
    if bounds.positions_max is not None and places:
        has_room &= Q(open_positions__lte=bounds.positions_max - places)
    new_day = Q(day__lt=today)
    if bounds.loss_max_usd is not None:
        has_room &= new_day | Q(realised_today_usd_micros__gt=-usd_to_micros(bounds.loss_max_usd))
    if bounds.entries_max_usd is not None:
        left = usd_to_micros(bounds.entries_max_usd) - usd_micros
        has_room &= Q(entered_today_usd_micros__lte=left) | (new_day if left >= 0 else Q(pk__in=[]))
    if bounds.scope == SCOPE:
        has_room &= Q(~Exists(_pausing(chain_key, now)))
    taken = Budget.objects.filter(has_room).update(
        exposure_usd_micros=F("exposure_usd_micros") + usd_micros,
        open_positions=F("open_positions") + places,
        realised_today_usd_micros=_as_of(today, "realised_today_usd_micros"),
        entered_today_usd_micros=_as_of(today, "entered_today_usd_micros") + usd_micros,
        day=_later_day(today),
    )
    return taken == 1


def _pausing(chain_key: str, now: datetime) -> QuerySet[Breaker]:
    """Return the tripped breakers that allow no entries on this chain."""
    return Breaker.objects.filter(effect="pause", until__gt=now, chain_key__in=("", chain_key))


def _as_of(today: date, field: str) -> Case:
    """Return a day's counter as it stands today: zero once its day is over."""
    return Case(
        When(day__lt=today, then=Value(0)),
        default=F(field),
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


def _paused(chain_key: str, now: datetime) -> Reason | None:
    breaker = _pausing(chain_key, now).order_by("-until").first()
    if breaker is None or breaker.until is None:
        return None
    left_s = max(int((breaker.until - now).total_seconds()), 0)
    return Reason(
        code="LIMIT_BREAKER",
        explanation=f"A circuit breaker allows no entries now: {breaker.explanation}",
        detail=f"breaker={breaker.name} left_s={left_s} {breaker.detail}".strip(),
    )


def _refusal(usd_micros: int, *, bounds: _Bounds, view: BudgetView) -> Reason | None:
    """Return the first limit of a scope that stands in the way, None when none does any more."""
    loss = -view.realised_today_usd_micros
    if bounds.loss_max_usd is not None and loss >= usd_to_micros(bounds.loss_max_usd):
        return Reason(
            code="LIMIT_DAILY_LOSS",
            explanation="Today's realised loss has reached its limit; entries go on after midnight UTC.",
            detail=f"loss_usd={_usd(loss)} maximum_usd={bounds.loss_max_usd}",
        )
    if bounds.positions_max is not None and view.open_positions >= bounds.positions_max:
        return Reason(
            code=f"LIMIT_{bounds.name}POSITIONS" if bounds.name else "LIMIT_OPEN_POSITIONS",
            explanation=f"As many positions are open{bounds.words} as are allowed at the same time.",
            detail=f"open={view.open_positions} maximum={bounds.positions_max}",
        )
    maximum = bounds.exposure_max_usd
    if maximum is not None and view.exposure_usd_micros + usd_micros > usd_to_micros(maximum):
        return Reason(
            code=f"LIMIT_{bounds.name}EXPOSURE",
            explanation=f"All open positions and orders{bounds.words} together would cost more than they may.",
            detail=f"exposure_usd={_usd(view.exposure_usd_micros)} cost_usd={_usd(usd_micros)} maximum_usd={maximum}",
        )
    entries = bounds.entries_max_usd
    if entries is not None and view.entered_today_usd_micros + usd_micros > usd_to_micros(entries):
        return Reason(
            code="LIMIT_DAILY_ENTRIES",
            explanation="All entries of today together would cost more than they may; they go on after midnight UTC.",
            detail=f"entered_usd={_usd(view.entered_today_usd_micros)} cost_usd={_usd(usd_micros)} maximum_usd={entries}",
        )
    return None


def _usd(usd_micros: int) -> str:
    return f"{raw_to_units(usd_micros, _USD_DECIMALS):f}"


def _day_of(now: datetime) -> date:
    return now.astimezone(UTC).date()
