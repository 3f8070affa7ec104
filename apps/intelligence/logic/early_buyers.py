"""The first buyers: who they are, what bundles and snipers took, what they still hold, whether they hand over."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from apps.domain.entities import Entities, TokenMove
from apps.domain.estimate import Estimate
from apps.domain.money import BPS_ONE
from apps.intelligence.logic.bundles import Opening, opening_of
from apps.intelligence.logic.crowd import HOUR_MS, Crowd, signed_bps, wilson

#: The first buyers who are followed, and the least of them.
EARLY_MAX, EARLY_MIN = 20, 5
#: Distribution: early buyers hold so much less than an hour ago, while the price stands and small holders multiply.
RETENTION_FALL_BPS, PRICE_STANDS_BPS = 2_000, -500
SMALL_HOLDER_BPS: Final = 10
#: So many buyers must have a record of their own before anything is said of them together.
RATED_MIN: Final = 3


def estimates(crowd: Crowd, *, held: Mapping[str, int] | None) -> tuple[Estimate, ...]:
    """Return retention, the distribution flag, bundles, snipers, the Sybil share and the buyers' quality.

    ``held`` are balances by entity as the chain says, None when unknown: then trades and transfers tell.
    """
    past = _past(crowd)
    return (
        _retention(crowd, past, held),
        _distribution_flag(crowd, past),
        *_opening(crowd),
        _sybil_share(crowd),
        _quality(crowd),
    )


@dataclass(frozen=True, slots=True)
class _Past:
    """Balances by entity as trades and transfers tell them: an hour ago, now, and the most ever."""

    before: Mapping[str, int]
    now: Mapping[str, int]
    most: Mapping[str, int]
    early: tuple[str, ...]  # the first buyers


def _past(crowd: Crowd) -> _Past:
    entities = crowd.entities
    left_out = {entities.key_of(crowd.creator)} if crowd.creator else set()
    now: defaultdict[str, int] = defaultdict(int)
    most: defaultdict[str, int] = defaultdict(int)
    early: dict[str, None] = {}
    before: dict[str, int] | None = None
    moves = iter((*crowd.moves, None))
    move = next(moves)
    since = crowd.as_of_ms - HOUR_MS

    def settle(key: str, change: int) -> None:
        now[key] = max(now[key] + change, 0)
        most[key] = max(most[key], now[key])

    for trade in crowd.trades or ():
        while move is not None and (move.block, move.log_index) < (trade.block, trade.log_index):
            _carry(move, entities, settle)
            move = next(moves)
        if before is None and trade.at_ms > since:
            before = dict(now)
        key = entities.key_of(trade.address)
        settle(key, trade.base_raw if trade.side == "buy" else -trade.base_raw)
        is_person = entities.is_wallet(trade.address) and trade.address not in crowd.own_addresses
        if trade.side == "buy" and is_person and key not in left_out and len(early) < EARLY_MAX:
            early[key] = None
    while move is not None:
        _carry(move, entities, settle)
        move = next(moves)
    return _Past(before=dict(now) if before is None else before, now=now, most=most, early=tuple(early))


def _carry(move: TokenMove, entities: Entities, settle: Callable[[str, int], None]) -> None:
    source, target = entities.key_of(move.source), entities.key_of(move.target)
    if source != target:
        settle(source, -move.base_raw)
        settle(target, move.base_raw)


def _retained(past: _Past, balances: Mapping[str, int]) -> float | None:
    whole = sum(past.most.get(key, 0) for key in past.early)
    held = sum(min(balances.get(key, 0), past.most.get(key, 0)) for key in past.early)
    return held / whole if whole else None


def _early_missing(crowd: Crowd, code: str, *, unit: str) -> Estimate | None:
    if crowd.trades is None:
        return crowd.unknown(code, "swaps", unit=unit)
    if not crowd.is_whole:
        return crowd.unknown(code, "swaps_before", otherwise="the first swaps were not read", unit=unit)
    return None


def _retention(crowd: Crowd, past: _Past, held: Mapping[str, int] | None) -> Estimate:
    """Return what the first 20 buyers still hold of the most that they held."""
    code = "early_retention_bps"
    missing = _early_missing(crowd, code, unit="bps")
    if missing is not None:
        return missing
    retained = _retained(past, past.now if held is None else held)
    if len(past.early) < EARLY_MIN or retained is None:
        return crowd.unknown(code, otherwise=f"{len(past.early)} early buyers: {EARLY_MIN} are needed")
    low, high = wilson(retained, len(past.early))
    value = signed_bps(retained)
    return crowd.known(
        code, value, n=len(past.early), low=min(signed_bps(low), value), high=max(signed_bps(high), value)
    )


def _distribution_flag(crowd: Crowd, past: _Past) -> Estimate:
    """Tell whether early buyers hand over to many small ones while the price stands (see the constants)."""
    code = "distribution_flag"
    missing = _early_missing(crowd, code, unit="bool")
    if missing is not None:
        return missing
    if crowd.created_ms > crowd.as_of_ms - HOUR_MS:
        return crowd.unknown(code, otherwise="the pair is younger than an hour", unit="bool")
    then, since = _retained(past, past.before), _retained(past, past.now)
    price = _price_change_bps(crowd)
    if len(past.early) < EARLY_MIN or then is None or since is None or price is None or not crowd.supply_raw:
        return crowd.unknown(code, otherwise="too little was traded to tell", unit="bool")
    small = (_small(past.before, crowd.supply_raw), _small(past.now, crowd.supply_raw))
    is_distribution = (
        (then - since) * BPS_ONE >= RETENTION_FALL_BPS and price >= PRICE_STANDS_BPS and small[1] > small[0]
    )
    return crowd.known(code, int(is_distribution), n=len(past.early), unit="bool")


def _small(balances: Mapping[str, int], supply: int) -> int:
    return sum(1 for raw in balances.values() if 0 < raw * BPS_ONE < supply * SMALL_HOLDER_BPS)


def _price_change_bps(crowd: Crowd) -> int | None:
    """Return the last trade's price against the last one that is an hour old."""
    since = crowd.as_of_ms - HOUR_MS
    priced = [trade for trade in crowd.trades or () if trade.base_raw > 0 and trade.quote_raw > 0]
    before = next((trade for trade in reversed(priced) if trade.at_ms <= since), None)
    if before is None or before is priced[-1]:
        return None
    last = priced[-1]
    return last.quote_raw * before.base_raw * BPS_ONE // (last.base_raw * before.quote_raw) - BPS_ONE


# -- the opening, and who is many ---------------------------------------------------------
_OPENING = (("bundle_share_bps", "bps"), ("sniper_share_bps", "bps"), ("sniper_count", "count"))


def _opening(crowd: Crowd) -> tuple[Estimate, ...]:
    """Return which share of the supply bundles and snipers bought first, and how many snipers there were.

    A bundle's wallets are joined by more than the block that they bought in; at most all who bought in it are one.
    """
    for part, is_there in (("swaps", crowd.trades is not None), ("swaps_before", crowd.is_whole)):
        if not is_there:
            return tuple(
                crowd.unknown(code, part, otherwise="the first swaps were not read", unit=unit)
                for code, unit in _OPENING
            )
    found = opening(crowd)
    if found is None:
        return tuple(
            crowd.unknown(code, otherwise="nobody has bought yet", unit=unit) for code, unit in _OPENING
        )
    count = crowd.known("sniper_count", found.sniper_entities, n=found.buyers, unit="count")
    if not crowd.supply_raw:
        shares = [crowd.unknown(code, "base_total_supply_raw") for code, unit in _OPENING if unit == "bps"]
        return (*shares, count)
    bundled, most, sniped = (
        min(-(-raw * BPS_ONE // crowd.supply_raw), BPS_ONE)
        for raw in (found.clustered_raw, found.bundled_raw, found.sniped_raw)
    )
    n = found.buyers
    return (
        crowd.known("bundle_share_bps", bundled, n=n, low=bundled, high=max(most, bundled)),
        crowd.known("sniper_share_bps", sniped, n=n, confidence=Decimal(1)),
        count,
    )


def opening(crowd: Crowd) -> Opening | None:
    """Return who bought first, maker and ourselves left out; None when nobody has or the first swaps were not read."""
    if crowd.trades is None or not crowd.is_whole:
        return None
    insiders = crowd.own_addresses | ({crowd.creator} if crowd.creator else set())
    return opening_of(crowd.trades, crowd.entities, insiders=insiders)


def _sybil_share(crowd: Crowd) -> Estimate:
    """Return the share of buying addresses that belong to somebody with several; at most those suspected, too."""
    code = "sybil_share_bps"
    if crowd.trades is None:
        return crowd.unknown(code, "swaps")
    buyers = {
        trade.address
        for trade in crowd.trades
        if trade.side == "buy" and crowd.entities.is_wallet(trade.address)
    } - crowd.own_addresses
    if len(buyers) < EARLY_MIN:
        return crowd.unknown(code, otherwise=f"{len(buyers)} buyers: {EARLY_MIN} are needed")
    named = {address for reason in crowd.entities.suspected for address in reason.addresses}
    merged = sum(1 for address in buyers if crowd.entities.is_merged(address))
    either = sum(1 for address in buyers if address in named or crowd.entities.is_merged(address))
    return crowd.known(
        code,
        merged * BPS_ONE // len(buyers),
        n=len(buyers),
        low=merged * BPS_ONE // len(buyers),
        high=-(-either * BPS_ONE // len(buyers)),
    )


def _quality(crowd: Crowd) -> Estimate:
    """Return the mean rate of gains of the buyers whose own record is long enough, each person once.

    A hint: copying good wallets earned 3 % a trade where it was measured, after frictions.
    """
    code = "buyer_quality_bps"
    if crowd.trades is None:
        return crowd.unknown(code, "swaps")
    buyers = {trade.address for trade in crowd.trades if trade.side == "buy"} - crowd.own_addresses
    rated: dict[str, int] = {}
    for address in sorted(buyers):
        if address in crowd.qualities:
            rated.setdefault(crowd.entities.key_of(address), crowd.qualities[address])
    if len(rated) < RATED_MIN:
        return crowd.unknown(
            code, otherwise=f"{len(rated)} buyers have a record of 20 closed tokens: {RATED_MIN} are needed"
        )
    values = sorted(rated.values())
    mean = sum(values) // len(values)
    return crowd.known(
        code,
        mean,
        n=len(values),
        low=values[0],
        high=values[-1],
        confidence=Decimal("0.5") * crowd.confidence,
    )
