"""Pump and dump in one pool: many wallets that buy in one block while the price jumps, and what the pool itself explains.

The features are those of La Morgia et al. (ICCCN 2020) turned to a chain: there rush orders are market buys of one
millisecond, here a rush is the number of distinct wallets that buy in one block; chunks are 5 and 25 seconds long. Their
most telling feature is the rush, and one threshold on it did nearly as well as their forest, so the alarm is a threshold
on the rush against the pool's own past, together with a rise of price and volume. The thresholds were fixed before any
figure was looked at and have not been changed since.

The label after the fact is Chainalysis': five buys by unrelated people, more than 70 % of the liquidity removed at once,
and next to nothing left.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from math import log, sqrt
from statistics import fmean, pstdev
from typing import Final

from apps.domain.entities import Entities, Trade
from apps.domain.market import PoolReserves

#: Under so many swaps nothing is told.
SWAPS_MIN: Final = 10
SWAPS_MAX: Final = 5_000
CHUNKS_S: Final = (5, 25)
#: Chunks that are looked back over, and how many there must be for a feature to mean anything.
CHUNKS_MAX: Final = 600
CHUNKS_MIN: Final = 12
#: Wallets that buy in one block: so many at least, and so many deviations above what is usual in this pool.
RUSH_MIN: Final = 5
RUSH_DEVIATIONS: Final = 4.0
#: What is usual before a pool has a past: mean and deviation of buyers in blocks with buys, worth so many blocks.
USUAL_RUSH, USUAL_DEVIATION, USUAL_BLOCKS = 1.3, 0.9, 10
#: The price rises by so much over the rush's chunk and the block is so many times the usual volume.
RISE_MIN_BPS: Final = 500
VOLUME_TIMES_MIN: Final = 3
#: Rushes within so long of the first trade come with every launch; they are told apart.
LAUNCH_MS: Final = 30_000
ALARMS_MAX: Final = 20
EVIDENCE_MAX: Final = 20
#: The label after the fact.
LABEL_BUYERS_MIN: Final = 5
LABEL_REMOVED_BPS: Final = 7_000
LABEL_LEFT_USD_MICROS: Final = 300_000_000
_BPS: Final = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class PumpAlarm:
    """One rush. ``entities`` are how many stand behind the wallets: fewer than wallets means a group that is known."""

    at_ms: int
    block: int
    wallets: tuple[str, ...]
    entities: int
    transactions: tuple[str, ...]
    deviations: float  # above the pool's usual rush
    rise_bps: int
    volume_times: float
    is_at_launch: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PumpReport:
    """Alarms in the order of time. ``elasticity`` is None where the pool's reserves or enough trades are not known."""

    swaps: int
    alarms: tuple[PumpAlarm, ...]
    elasticity: float | None


def pump_report(
    trades: Sequence[Trade], entities: Entities, *, reserves: PoolReserves | None = None
) -> PumpReport:
    """Return rushes and the price's elasticity. Trades are in log order, newest last."""
    trades = trades[-SWAPS_MAX:]
    return PumpReport(
        swaps=len(trades),
        alarms=_alarms(trades, entities),
        elasticity=None if reserves is None else elasticity(trades, reserves),
    )


def is_pump_and_dump(*, unrelated_buyers: int, removed_bps: int, left_usd_micros: int) -> bool:
    """Tell after the fact whether it was one. Source: Chainalysis, crypto market manipulation, 2025."""
    return (
        unrelated_buyers >= LABEL_BUYERS_MIN
        and removed_bps > LABEL_REMOVED_BPS
        and left_usd_micros <= LABEL_LEFT_USD_MICROS
    )


def elasticity(trades: Sequence[Trade], reserves: PoolReserves) -> float | None:
    """Return how much the price moved for each part that its trades explain in a constant-product pool.

    1 means that trades alone moved it; less, that liquidity has left since, so that the rise was made in a deeper pool
    than the one that is left; more, that liquidity has come since and a thin pool made the rise. None when there are too few trades or the net flow is too small to divide by.
    """
    priced = [trade for trade in trades if trade.base_raw > 0 and trade.quote_raw > 0]
    if len(priced) < SWAPS_MIN or reserves.base_raw <= 0 or reserves.quote_raw <= 0:
        return None
    flow = sum(trade.quote_raw if trade.side == "buy" else -trade.quote_raw for trade in priced[1:])
    before = reserves.quote_raw - flow
    if before <= 0 or abs(flow) * 20 < before:
        return None
    # Logarithms of ratios, not of one plus a change: a pool that was emptied has a change of -1 in floats.
    predicted = 2 * log(reserves.quote_raw / before)
    price_now = reserves.quote_raw / reserves.base_raw
    price_then = priced[0].quote_raw / priced[0].base_raw
    return log(price_now / price_then) / predicted


# -- the alarm ----------------------------------------------------------------------------
@dataclass(slots=True)
class _Past:
    """What was usual in this pool so far, block by block, beginning with what is usual anywhere."""

    blocks: float = USUAL_BLOCKS
    rush_sum: float = USUAL_BLOCKS * USUAL_RUSH
    rush_squares: float = USUAL_BLOCKS * (USUAL_RUSH**2 + USUAL_DEVIATION**2)
    volume_sum: float = 0.0
    volume_blocks: int = 0

    def deviations(self, rush: int) -> float:
        mean = self.rush_sum / self.blocks
        spread = sqrt(max(self.rush_squares / self.blocks - mean**2, 0.25))
        return (rush - mean) / spread

    def volume_times(self, volume: int) -> float:
        if not self.volume_blocks or not self.volume_sum:
            return 0.0
        return volume * self.volume_blocks / self.volume_sum

    def add(self, *, rush: int, volume: int) -> None:
        self.blocks += 1
        self.rush_sum += rush
        self.rush_squares += rush**2
        self.volume_sum += volume
        self.volume_blocks += 1


def _alarms(trades: Sequence[Trade], entities: Entities) -> tuple[PumpAlarm, ...]:
    past, found = _Past(), []
    by_block: dict[int, list[Trade]] = {}
    for trade in trades:
        by_block.setdefault(trade.block, []).append(trade)
    last_price: float | None = None
    for own in by_block.values():
        buys = [trade for trade in own if trade.side == "buy" and entities.is_wallet(trade.address)]
        wallets = {trade.address for trade in buys}
        volume = sum(trade.quote_raw for trade in own)
        prices = [trade.quote_raw / trade.base_raw for trade in own if trade.base_raw > 0]
        opened = last_price if last_price is not None else (prices[0] if prices else None)
        if len(wallets) >= RUSH_MIN and prices and opened:
            alarm = PumpAlarm(
                at_ms=own[0].at_ms,
                block=own[0].block,
                wallets=tuple(sorted(wallets)[:EVIDENCE_MAX]),
                entities=len({entities.key_of(wallet) for wallet in wallets}),
                transactions=tuple(dict.fromkeys(trade.tx_hash for trade in buys))[:EVIDENCE_MAX],
                deviations=past.deviations(len(wallets)),
                rise_bps=int((max(prices) / opened - 1) * _BPS),
                volume_times=past.volume_times(volume),
                is_at_launch=own[0].at_ms - trades[0].at_ms < LAUNCH_MS,
            )
            if is_alarming(alarm):
                found.append(alarm)
        if wallets:
            past.add(rush=len(wallets), volume=volume)
        last_price = prices[-1] if prices else last_price
    return tuple(found[-ALARMS_MAX:])


def is_alarming(rush: PumpAlarm) -> bool:
    """Tell whether a rush is far above what is usual, and moved price and volume. At launch there is no usual volume."""
    moved = rush.rise_bps >= RISE_MIN_BPS
    loud = rush.volume_times >= VOLUME_TIMES_MIN or rush.is_at_launch
    return rush.deviations >= RUSH_DEVIATIONS and moved and loud


# -- features -----------------------------------------------------------------------------
def chunk_features(trades: Sequence[Trade]) -> dict[str, float]:
    """Return mean and deviation over the newest chunks of rush, trades, volume and price's change; none when too few.

    For measuring: `evaluate pumps` shows what a forest makes of them. The alarm needs the rush alone.
    """
    found: dict[str, float] = {}
    if not trades:
        return found
    for length_s in CHUNKS_S:
        chunks: defaultdict[int, list[Trade]] = defaultdict(list)
        for trade in trades:
            chunks[trade.at_ms // (length_s * 1_000)].append(trade)
        last = max(chunks)
        first = max(min(chunks), last - CHUNKS_MAX + 1)
        if last - first + 1 < CHUNKS_MIN:
            continue
        columns = _columns([chunks.get(number, ()) for number in range(first, last + 1)])
        for name, values in columns.items():
            found[f"{name}_{length_s}s_mean"] = fmean(values)
            found[f"{name}_{length_s}s_deviation"] = pstdev(values)
    return found


def _columns(chunks: Sequence[Sequence[Trade]]) -> dict[str, list[float]]:
    columns: dict[str, list[float]] = {"rush": [], "trades": [], "volume": [], "price_change": []}
    last: float | None = None
    for own in chunks:
        buyers: defaultdict[int, set[str]] = defaultdict(set)
        for trade in own:
            if trade.side == "buy":
                buyers[trade.block].add(trade.address)
        prices = [trade.quote_raw / trade.base_raw for trade in own if trade.base_raw > 0]
        columns["rush"].append(float(max(map(len, buyers.values()), default=0)))
        columns["trades"].append(float(len(own)))
        columns["volume"].append(float(sum(trade.quote_raw for trade in own)))
        columns["price_change"].append(0.0 if last is None or not prices else prices[-1] / last - 1)
        last = prices[-1] if prices else last
    return columns
