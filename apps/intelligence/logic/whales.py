"""What large holders do, counted by who is behind them: concentration, accumulation, distribution.

Everything is about entities, never about addresses. A whale is an entity that holds, or held within the hour, at least
1 % of the supply, or that once traded at least 2 % of the pool's coins. Below the least data a figure is unknown.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from apps.domain.estimate import Estimate
from apps.domain.money import BPS_ONE
from apps.intelligence.logic import early_buyers
from apps.intelligence.logic.crowd import HOUR_MS, Crowd, signed_bps, wilson
from apps.intelligence.logic.entities import Groups
from apps.intelligence.logic.pool_sale import dump_drop_bps

WHALE_SUPPLY_BPS: Final = 100
WHALE_TRADE_BPS: Final = 200
#: Windows of accumulation.
WINDOWS_S: Final[Mapping[str, int]] = {"5m": 300, "1h": 3_600, "6h": 21_600, "24h": 86_400}
#: Below these accumulation is unknown.
WHALE_TRADES_MIN, WHALE_ENTITIES_MIN = 20, 5
TOP: Final = 10


def estimates(crowd: Crowd) -> tuple[Estimate, ...]:
    """Return everything that is told of a pool's whales and first buyers, in the order in which people read it."""
    book = _Book.of(crowd)
    return (
        *_concentration(crowd, book),
        *(_accumulation(crowd, book, name, seconds) for name, seconds in WINDOWS_S.items()),
        _distribution(crowd, book),
        *early_buyers.estimates(crowd, held=None if crowd.holders is None else book.held),
    )


# -- who holds what -----------------------------------------------------------------------
@dataclass(slots=True)
class _Book:
    """Holdings by entity: now as the chain says, before as trades and transfers tell."""

    held: dict[str, int]
    hour_sold: dict[str, int]
    hour_bought: dict[str, int]
    whales: frozenset[str]

    @classmethod
    def of(cls, crowd: Crowd) -> _Book:
        held: defaultdict[str, int] = defaultdict(int)
        for address, raw in crowd.holders or ():
            if raw > 0 and crowd.entities.is_wallet(address) and address not in crowd.own_addresses:
                held[crowd.entities.key_of(address)] += raw
        sold: defaultdict[str, int] = defaultdict(int)
        bought: defaultdict[str, int] = defaultdict(int)
        since = crowd.as_of_ms - HOUR_MS
        least_quote = None if not crowd.reserve_quote_raw else crowd.reserve_quote_raw * WHALE_TRADE_BPS
        large: set[str] = set()
        for trade in crowd.trades or ():
            if trade.address in crowd.own_addresses or not crowd.entities.is_wallet(trade.address):
                continue
            key = crowd.entities.key_of(trade.address)
            if least_quote is not None and trade.quote_raw * BPS_ONE >= least_quote:
                large.add(key)
            if trade.at_ms > since:
                side = bought if trade.side == "buy" else sold
                side[key] += trade.base_raw
        whales = large | {
            key
            for key in (*held, *sold)
            if crowd.supply_raw
            and (held.get(key, 0) + sold.get(key, 0)) * BPS_ONE >= crowd.supply_raw * WHALE_SUPPLY_BPS
        }
        return cls(held=dict(held), hour_sold=dict(sold), hour_bought=dict(bought), whales=frozenset(whales))


# -- concentration ------------------------------------------------------------------------
_CONCENTRATION = (
    "entity_dump_top1_bps",
    "entity_dump_top5_bps",
    "entities_hhi_bps",
    "hidden_concentration_bps",
)


def _concentration(crowd: Crowd, book: _Book) -> tuple[Estimate, ...]:
    """Return price falls when the largest entities sell, how concentrated they are, and what single addresses hide."""
    if crowd.holders is None:
        return tuple(crowd.unknown(code, "holders") for code in _CONCENTRATION)
    balances = sorted(book.held.values(), reverse=True)
    n = max(len(balances), 1)
    whole = sum(balances)
    found: list[Estimate] = []
    for code, top in zip(_CONCENTRATION, (1, 5), strict=False):
        if not crowd.reserve_base_raw:
            found.append(crowd.unknown(code, "reserves", otherwise="the pool is empty"))
            continue
        fall = dump_drop_bps(
            base_raw=crowd.reserve_base_raw, fee_bps=crowd.fee_bps, sold_raw=sum(balances[:top])
        )
        found.append(crowd.known(code, fall, n=n))
    if whole == 0:
        reason = "nobody holds the token outside the pool and lockers"
        return (*found, *(crowd.unknown(code, otherwise=reason) for code in _CONCENTRATION[2:]))
    squares = sum(raw * raw for raw in balances)
    found.append(crowd.known(_CONCENTRATION[2], -(-squares * BPS_ONE // (whole * whole)), n=n))
    return (*found, _hidden(crowd))


def _hidden(crowd: Crowd) -> Estimate:
    """Return by how much the ten largest entities hold more of the supply than the ten largest addresses.

    The upper bound joins what is merely suspected, too.
    """
    code = _CONCENTRATION[3]
    supply = crowd.supply_raw
    if not supply:
        return crowd.unknown(code, "base_total_supply_raw", otherwise="the supply is unknown")
    held = {
        address: raw
        for address, raw in crowd.holders or ()
        if raw > 0 and crowd.entities.is_wallet(address) and address not in crowd.own_addresses
    }
    if sum(held.values()) > supply:
        return crowd.unknown(code, otherwise="the token's balances and its supply contradict each other")
    raw_top = sum(sorted(held.values(), reverse=True)[:TOP])
    key_of = {address: crowd.entities.key_of(address) for address in held}
    value = (_top_of(held, key_of) - raw_top) * BPS_ONE // supply
    joined = Groups()
    for reason in crowd.entities.suspected:
        joined.join(key_of[address] for address in reason.addresses if address in key_of)
    at_most = {address: joined.root(key) for address, key in key_of.items()}
    high = -(-(_top_of(held, at_most) - raw_top) * BPS_ONE // supply)
    return crowd.known(code, value, n=max(len(held), 1), low=value, high=max(high, value))


def _top_of(held: Mapping[str, int], key_of: Mapping[str, str]) -> int:
    sums: defaultdict[str, int] = defaultdict(int)
    for address, raw in held.items():
        sums[key_of[address]] += raw
    return sum(sorted(sums.values(), reverse=True)[:TOP])


# -- accumulation -------------------------------------------------------------------------
def _accumulation(crowd: Crowd, book: _Book, name: str, seconds: int) -> Estimate:
    """Return (bought - sold) / (bought + sold) of whales within the window, with its 95 % interval over entities."""
    code = f"whale_accumulation_{name}_bps"
    if crowd.trades is None:
        return crowd.unknown(code, "swaps")
    since = crowd.as_of_ms - seconds * 1_000
    if crowd.created_ms > since and name != "5m":
        return crowd.unknown(code, otherwise=f"the pair is younger than {name}")
    if not crowd.is_whole and (not crowd.trades or crowd.trades[0].at_ms > since):
        return crowd.unknown(code, "swaps_before", otherwise="not all swaps of this time were read")
    bought: defaultdict[str, int] = defaultdict(int)
    sold: defaultdict[str, int] = defaultdict(int)
    count = 0
    for trade in reversed(crowd.trades):
        if trade.at_ms <= since:
            break
        key = crowd.entities.key_of(trade.address)
        if key in book.whales and crowd.entities.is_wallet(trade.address):
            count += 1
            (bought if trade.side == "buy" else sold)[key] += trade.quote_raw
    volumes = [bought[key] + sold[key] for key in {*bought, *sold}]
    if count < WHALE_TRADES_MIN or len(volumes) < WHALE_ENTITIES_MIN:
        return crowd.unknown(
            code,
            otherwise=f"{count} trades of {len(volumes)} large traders: {WHALE_TRADES_MIN} trades of"
            f" {WHALE_ENTITIES_MIN} are needed",
        )
    whole = sum(volumes)
    if whole == 0:
        return crowd.unknown(code, otherwise="the trades moved nothing")
    share = sum(bought.values()) / whole
    effective = whole**2 / sum(volume**2 for volume in volumes)
    low, high = wilson(share, effective)
    value, low_bps, high_bps = (signed_bps(2 * part - 1) for part in (share, low, high))
    return crowd.known(code, value, n=count, low=min(low_bps, value), high=max(high_bps, value))


# -- distribution -------------------------------------------------------------------------
def _distribution(crowd: Crowd, book: _Book) -> Estimate:
    """Return the share of what whales held within the last hour that they have sold net since, 0..10000 bps.

    What went to other wallets without payment is not sold; it shows in the Sybil share instead.
    """
    code = "whale_distribution_bps"
    if crowd.trades is None:
        return crowd.unknown(code, "swaps")
    if crowd.holders is None:
        return crowd.unknown(code, "holders")
    if not crowd.is_whole and (not crowd.trades or crowd.trades[0].at_ms > crowd.as_of_ms - HOUR_MS):
        return crowd.unknown(code, "swaps_before", otherwise="not all swaps of the last hour were read")
    held = sold = 0
    for key in book.whales:
        bought = book.hour_bought.get(key, 0)
        gross = book.hour_sold.get(key, 0)
        held += book.held.get(key, 0) + gross
        sold += max(gross - bought, 0)
    if held == 0:
        return crowd.known(code, 0, n=max(len(book.whales), 1))
    return crowd.known(code, min(-(-sold * BPS_ONE // held), BPS_ONE), n=len(book.whales))
