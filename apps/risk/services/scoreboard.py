"""Follows refused tokens for a day, so that every rule shows what it saves and what it costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import Exists, F, OuterRef, Q

from apps.discovery.models import PoolSnapshot
from apps.discovery.services.listings import listing_of
from apps.domain.config import Scoreboard, TradingConfig
from apps.domain.errors import SniperError
from apps.domain.market import PairFacts
from apps.domain.ports import ChainReader
from apps.domain.verdict import Gate, Outcome
from apps.risk.logic.record import findings_from_json
from apps.risk.logic.scoreboard import (
    Shadow,
    look_pause_ms,
    looked,
    shadow_of,
    simulated,
    wants_simulation,
)
from apps.risk.models import RefusedToken, VerdictRecord

#: Of one run: new refusals taken up, pools read in one go, trades simulated.
OPENED_MAX, LOOKS_MAX, SIMULATIONS_MAX = 500, 300, 4
#: A sale is simulated again after so long, and when a rise depends on it.
SIMULATED_FOR = timedelta(minutes=30)
SIMULATED_AGAIN = timedelta(minutes=5)
#: A refusal whose pool showed no reserves for so long is not priced any more.
PRICED_WITHIN = timedelta(minutes=10)
_MILLISECOND = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreboardReport:
    """What one run did."""

    opened: int
    looked: int
    simulated: int
    ended: int


def scoreboard_update(
    *, chain_key: str, reader: ChainReader, buyer: str, config: TradingConfig, now: datetime
) -> ScoreboardReport:
    """Take up new refusals of a chain, look at those that are due, and end those that were followed long enough.

    ``buyer`` is the address that simulated trades are made from. Raises NetworkError when the chain does not answer.
    """
    opened = _open_new(chain_key, config=config, now=now)
    _drop_passed(chain_key)
    due = list(
        RefusedToken.objects.filter(chain_key=chain_key, status="following", next_look_at__lte=now)
        .select_related("pair__base", "pair__quote")
        .order_by("next_look_at")[:LOOKS_MAX]
    )
    tried = _simulate(due, reader=reader, buyer=buyer, settings=config.scoreboard, now=now)
    reserves = reader.reserves([listing_of(row.pair) for row in due]) if due else {}
    ended = 0
    for row in due:
        pool = reserves.get(row.pair.pair_key)
        if pool is None:
            shadow = _shadow(row)  # it does not answer: unknown, looked at again
        else:
            shadow = looked(
                _shadow(row),
                base_reserve_raw=pool.base_raw,
                quote_reserve_raw=pool.quote_raw,
                settings=config.scoreboard,
            )
        ended += _store(row, shadow, now=now)
    return ScoreboardReport(opened=opened, looked=len(due), simulated=tried, ended=ended)


# -- taking up ----------------------------------------------------------------------------
def _open_new(chain_key: str, *, config: TradingConfig, now: datetime) -> int:
    """Make a row for each pair that was refused and is not followed yet, by its first refusal that can be priced."""
    settings = config.scoreboard
    room = settings.rows_max - RefusedToken.objects.filter(status="following").count()
    rows = (
        VerdictRecord.objects.filter(
            pair__chain_key=chain_key,
            pair__refusal=None,
            created_at__gt=now - timedelta(seconds=settings.follow_s),
        )
        .exclude(outcome=Outcome.PASS.value)
        .select_related("pair__quote", "analysis")
        .order_by("id")[:OPENED_MAX]
    )
    opened = 0
    seen: set[int] = set()
    for verdict in rows:
        if verdict.pair_id in seen or opened >= room:
            continue
        if _open(verdict, config=config, now=now):
            seen.add(verdict.pair_id)
            opened += 1
    return opened


def _open(verdict: VerdictRecord, *, config: TradingConfig, now: datetime) -> bool:
    shadow = _shadow_at(verdict, config)
    is_late = now - verdict.created_at > PRICED_WITHIN
    if shadow is None and not is_late:
        return False  # the pool may be filled or read yet
    rules = [
        item.rule
        for item in findings_from_json(verdict.findings)
        if item.gate is Gate.VETO and item.outcome is not Outcome.PASS
    ]
    row = RefusedToken(
        pair_id=verdict.pair_id,
        verdict=verdict,
        trace_id=verdict.trace_id,
        chain_key=verdict.pair.chain_key,
        rules=rules,
        status="unpriced" if shadow is None else "following",
        refused_at=verdict.created_at,
        follow_until=verdict.created_at + timedelta(seconds=config.scoreboard.follow_s),
        next_look_at=now,
    )
    if shadow is not None:
        _fill(row, shadow)
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError:  # another run was quicker
        return False
    return True


def _shadow_at(verdict: VerdictRecord, config: TradingConfig) -> Shadow | None:
    """Return the position that would have been taken at the refusal: at the reserves of its block, or the first after."""
    snapshots = PoolSnapshot.objects.filter(pair_id=verdict.pair_id).exclude(quote_price_usd_micros=None)
    block = verdict.analysis.block_number
    snapshot = (
        snapshots.filter(block_number__lte=block).order_by("-block_number").first()
        or snapshots.filter(block_number__gt=block).order_by("block_number").first()
    )
    if snapshot is None or snapshot.quote_price_usd_micros is None:
        return None
    pair = verdict.pair
    return shadow_of(
        base_reserve_raw=snapshot.base_raw,
        quote_reserve_raw=snapshot.quote_raw,
        fee_bps=pair.fee_bps,
        quote_decimals=pair.quote.decimals or 0,
        quote_price_usd_micros=snapshot.quote_price_usd_micros,
        config=config,
    )


def _drop_passed(chain_key: str) -> None:
    """Follow no further what a later verdict accepted: from then on it is our own position's story."""
    later = VerdictRecord.objects.filter(
        pair_id=OuterRef("pair_id"), outcome=Outcome.PASS.value, created_at__gt=OuterRef("refused_at")
    )
    RefusedToken.objects.filter(Exists(later), chain_key=chain_key, status="following").update(
        status="passed"
    )


# -- looking ------------------------------------------------------------------------------
def _simulate(
    due: Sequence[RefusedToken], *, reader: ChainReader, buyer: str, settings: Scoreboard, now: datetime
) -> int:
    """Try to sell a few: those never tried first, then those whose rise depends on it, then the longest ago."""
    wanting = [row for row in due if _is_simulation_due(row, settings, now)]
    wanting.sort(key=lambda row: (row.sell_checked_at is not None, row.sell_checked_at or row.refused_at))
    chosen = wanting[:SIMULATIONS_MAX]
    head = reader.head().number if chosen else 0
    for row in chosen:
        row.sell_checked_at = now
        try:
            facts = reader.pair_facts(
                listing_of(row.pair),
                buyer=buyer,
                probe_amount_raw=max(row.size_raw, 1),
                previous_swaps_from=head,  # its swaps are of no interest here
            )
        except SniperError:
            continue  # unknown: tried again later
        _fill(
            row,
            simulated(
                _shadow(row),
                is_sellable=_is_sellable(facts),
                buy_tax_bps=_highest(facts, "buy_tax_bps"),
                sell_tax_bps=_highest(facts, "sell_tax_bps"),
            ),
        )
    return len(chosen)


def _is_simulation_due(row: RefusedToken, settings: Scoreboard, now: datetime) -> bool:
    if row.sell_checked_at is None:
        return True
    pause = SIMULATED_AGAIN if wants_simulation(_shadow(row), settings=settings) else SIMULATED_FOR
    return now - row.sell_checked_at >= pause


def _is_sellable(facts: PairFacts) -> bool | None:
    """Return whether what is bought can be sold; None when buying failed already or nothing could be simulated."""
    stages = {trip.stage for trip in facts.round_trips}
    if "sell_failed" in stages:
        return False
    return True if "bought_and_sold" in stages else None


def _highest(facts: PairFacts, name: str) -> int | None:
    values = [getattr(trip, name) for trip in facts.round_trips]
    return max((item for item in values if item is not None), default=None)


# -- rows ---------------------------------------------------------------------------------
def _shadow(row: RefusedToken) -> Shadow:
    return Shadow(
        size_raw=row.size_raw,
        size_usd_micros=row.size_usd_micros,
        base_raw=row.base_raw,
        fee_bps=row.pair.fee_bps,
        peak_quote_raw=row.peak_quote_raw,
        buy_tax_bps=row.buy_tax_bps,
        sell_tax_bps=row.sell_tax_bps,
        value_raw=row.value_raw,
        best_raw=row.best_raw,
        is_sellable=row.is_sellable,
        died_by=row.died_by,
        has_risen=row.rose_at is not None,
    )


def _fill(row: RefusedToken, shadow: Shadow) -> None:
    for name in (
        "size_raw",
        "size_usd_micros",
        "base_raw",
        "peak_quote_raw",
        "buy_tax_bps",
        "sell_tax_bps",
        "value_raw",
        "best_raw",
        "is_sellable",
        "died_by",
        "saved_usd_micros",
        "missed_usd_micros",
    ):
        setattr(row, name, getattr(shadow, name))


def _store(row: RefusedToken, shadow: Shadow, *, now: datetime) -> bool:
    """Keep a look; return whether the token was followed to its end."""
    _fill(row, shadow)
    row.looks = F("looks") + 1
    if shadow.has_risen and row.rose_at is None:
        row.rose_at = now
    if shadow.died_by and row.died_at is None:
        row.died_at = now
    is_over = bool(shadow.died_by) or now >= row.follow_until
    row.status = "ended" if is_over else "following"
    row.next_look_at = now + timedelta(
        milliseconds=look_pause_ms(followed_ms=(now - row.refused_at) // _MILLISECOND)
    )
    row.save()
    return is_over


def scoreboard_prune(*, before: datetime, rows_max: int = 5_000) -> int:
    """Delete the oldest rows of before this moment; return how many."""
    old = RefusedToken.objects.filter(~Q(status="following"), refused_at__lt=before).order_by("id")
    return RefusedToken.objects.filter(pk__in=list(old.values_list("pk", flat=True)[:rows_max])).delete()[0]
