"""Wash trading in one pool: who trades with himself, told as bounds, never as one number.

In a pool everybody's counterparty is the pool, so cycles between traders do not exist: what shows a wash trader is that he
(one wallet, or an entity of several) buys about as much as he sells, again and again, within a short time. Three levels of
window and tolerance give the bounds: what is matched strictly is washed at least, what is matched loosely at most, and
only what is beyond that is organic. Trades that are somebody's arbitrage or sandwich, or an aggregator's, are a third class.

Wallets are judged alone, as merged entities, and as groups which one reason alone joins (a hint that merges nobody by
itself): there the matched trades are the second, independent reason. Sources: Victor and Weintraud, WWW 2021; Chainalysis,
crypto crime report 2025.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from enum import IntEnum
from itertools import accumulate, chain
from operator import add, attrgetter, sub
from typing import Final

from apps.domain.entities import Entities, Trade

#: Routers and aggregators of Ethereum and its kin: whoever stands behind them is not to be told from the swap.
AGGREGATORS: Final = frozenset(
    {
        "0x7a250d5630b4cf539739df2c5dacb4c659f2488d",  # Uniswap V2 router
        "0xe592427a0aece92de3edee1f18e0157c05861564",  # Uniswap V3 router
        "0x68b3465833fb72a70ecdf485e0e4c7bd8665fc45",  # Uniswap V3 router 2
        "0x3fc91a3afd70395cd496c647d5a6cc9d4b2b7fad",  # Uniswap universal router
        "0xd9e1ce17f2641f24ae83637ab66a2cca9c378b9f",  # SushiSwap router
        "0x11111112542d85b3ef69ae05771c2dccff4faa26",  # 1inch v3
        "0x1111111254fb6c44bac0bed2854e76f90643097d",  # 1inch v4
        "0x1111111254eeb25477b68fb85ed929f73a960582",  # 1inch v5
        "0xdef1c0ded9bec7f1a1670819833240f027b25eff",  # 0x exchange proxy
        "0x881d40237659c251811cec9c364ef91dc08d300c",  # MetaMask swaps
        "0x74de5d4fcbf63e00296fd95d33236b9794016631",  # MetaMask swaps, spender
        "0xdef171fe48cf0115b1d80b88dc8eab59176fee57",  # ParaSwap v5
    }
)
#: Below these nothing is said of wash trading.
SWAPS_MIN: Final = 30
ENTITIES_MIN: Final = 5
SWAPS_MAX: Final = 5_000
VISITOR_LEGS_MAX: Final = 8
LEGS_MIN: Final = 3  # purchases, and as many sales, in one window
#: From a window's far end so many legs are taken away in search of its balance: a ring's open round is shorter. Where
#: few wallets make thousands of swaps, fewer, so that the search stays short.
TRIMMED_MAX: Final = 24
TRIMMED_MIN: Final = 4
_COMPARISONS_MAX: Final = 30_000
#: Swaps of one block that are looked through for sandwiches.
SANDWICH_BLOCK_MAX: Final = 40
_BPS: Final = 10_000


class Class(IntEnum):
    """What a swap is taken for. The higher, the surer that it is a wash; extraction is the class beside them."""

    ORGANIC = 0
    LOOSE = 1
    LIKELY = 2
    STRICT = 3
    EXTRACTION = 9  # arbitrage, sandwiches, aggregators


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """What counts as matched: purchases and sales within a window differ by at most this share of their sum.

    A single wallet that gains or loses more than ``gain_max_bps`` of what it paid took the risk of a trader.
    """

    taken_for: Class
    window_s: int
    tolerance_bps: int
    gain_max_bps: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The detector's thresholds. Tuned on planted rings over one half of the pools (`manage.py evaluate wash`)."""

    levels: tuple[Level, ...] = (
        Level(taken_for=Class.STRICT, window_s=300, tolerance_bps=100, gain_max_bps=500),
        Level(taken_for=Class.LIKELY, window_s=900, tolerance_bps=500, gain_max_bps=1_000),
        Level(taken_for=Class.LOOSE, window_s=3_600, tolerance_bps=1_000, gain_max_bps=2_500),
    )
    #: A wallet's round trips of any length that end within this of where they began.
    round_tolerance_bps: int = 150
    round_gain_bps: int = 1_500
    rounds_min: int = 3
    #: A purchase and another wallet's sale of the same amount, to within this.
    leg_tolerance_bps: int = 5
    leg_gap_s: int = 1_800
    leg_pairs_min: int = 3
    #: Wallets that sell all within this time for about what they paid: so many, so near, and such a part of all trades.
    visit_s: int = 1_800
    visit_gain_bps: int = 300
    visit_gap_s: int = 900
    visits_min: int = 3
    visit_share_bps: int = 1_000


SETTINGS: Final = Settings()


@dataclass(frozen=True, slots=True, kw_only=True)
class WashGroup:
    """Addresses whose trades match. ``reason`` says what joined them, ``transactions`` are theirs that matched."""

    reason: str
    addresses: tuple[str, ...]
    transactions: tuple[str, ...]
    quote_raw: int
    taken_for: Class


@dataclass(frozen=True, slots=True, kw_only=True)
class WashReport:
    """All swaps by class. Volumes are in raw quote; ``classes`` has one entry a trade, in the order given."""

    swaps: int
    entities: int
    volume_raw: int
    extraction_raw: int
    strict_raw: int
    likely_raw: int  # contains strict
    loose_raw: int  # contains likely
    classes: tuple[Class, ...]
    groups: tuple[WashGroup, ...]


@dataclass(slots=True)
class _Scan:
    """The pool while it is looked through."""

    trades: Sequence[Trade]
    keys: Sequence[str]  # of the entity behind each trade
    settings: Settings
    classes: list[Class]
    are_buys: Sequence[bool]
    bases: Sequence[int]
    trimmed_max: int = TRIMMED_MAX
    groups: list[WashGroup] = field(default_factory=list)


def wash_report(
    trades: Sequence[Trade],
    entities: Entities,
    *,
    cross_pool: frozenset[str] = frozenset(),
    settings: Settings = SETTINGS,
) -> WashReport:
    """Return every swap's class and the groups that trade with themselves.

    ``trades`` are in log order, the newest 5,000 count; ``cross_pool`` are transactions that traded in other pools too.
    """
    trades = trades[-SWAPS_MAX:]
    keys = [trade.address for trade in trades]
    addresses = set(keys)
    if entities.merged:
        key_of = {address: entities.key_of(address) for address in addresses}
        keys = [key_of[address] for address in keys]
    scan = _Scan(
        trades=trades,
        keys=keys,
        settings=settings,
        classes=[Class.ORGANIC] * len(trades),
        are_buys=[trade.side == "buy" for trade in trades],
        bases=list(map(attrgetter("base_raw"), trades)),
    )
    nobodys = (addresses & AGGREGATORS) | (addresses & entities.excluded)
    _mark_extraction(scan, nobodys, cross_pool)
    units: defaultdict[str, list[int]] = defaultdict(list)
    extraction = Class.EXTRACTION
    for place, (key, taken_for) in enumerate(zip(keys, scan.classes, strict=True)):
        if taken_for is not extraction:
            units[key].append(place)
    busy = {key: places for key, places in units.items() if len(places) >= 2 * LEGS_MIN}
    legs = sum(len(places) for places in busy.values())
    affordable = _COMPARISONS_MAX // max(legs * len(settings.levels), 1)
    scan.trimmed_max = min(max(affordable, TRIMMED_MIN), TRIMMED_MAX)
    for key, places in busy.items():
        _judge(scan, places, "one_entity" if entities.is_merged(key) else "one_wallet")
    for reason, joined in _joined_units(scan, units, entities):
        _judge(scan, sorted(place for key in joined for place in units[key]), reason)
    for crowd in _visitors(scan, units):
        _keep(scan, dict.fromkeys(crowd, Class.LIKELY), "single_visits")
    return _reported(scan, entity_count=len(units))


# -- extraction ---------------------------------------------------------------------------
def _mark_extraction(scan: _Scan, nobodys: Set[str], cross_pool: frozenset[str]) -> None:
    trades, keys, classes = scan.trades, scan.keys, scan.classes
    if nobodys or cross_pool:
        for place, trade in enumerate(trades):
            if trade.address in nobodys or trade.tx_hash in cross_pool:
                classes[place] = Class.EXTRACTION
    blocks = list(map(attrgetter("block"), trades))
    assert blocks == sorted(blocks), "trades are not in log order"
    newest: dict[str, int] = {}
    twice: set[int] = set()
    for key, block in zip(keys, blocks, strict=True):
        if newest.get(key) == block:
            twice.add(block)
        newest[key] = block
    for block in twice:  # somebody came twice
        start = bisect_left(blocks, block)
        count = min(bisect_right(blocks, block, start) - start, SANDWICH_BLOCK_MAX)
        _mark_sandwiches(trades, keys, classes, range(start, start + count))


def _mark_sandwiches(
    trades: Sequence[Trade], keys: Sequence[str], classes: list[Class], block: range
) -> None:
    """Mark who trades before and, the other way, after somebody else's trade of the same side within one block."""
    for front in block:
        for back in range(front + 2, block.stop):
            if keys[front] != keys[back] or trades[front].side == trades[back].side:
                continue
            victims = range(front + 1, back)
            if any(keys[at] != keys[front] and trades[at].side == trades[front].side for at in victims):
                classes[front] = classes[back] = Class.EXTRACTION


# -- who may belong together --------------------------------------------------------------
def _joined_units(
    scan: _Scan, units: Mapping[str, list[int]], entities: Entities
) -> Iterable[tuple[str, frozenset[str]]]:
    """Yield groups that one reason alone joins, and those that several such reasons chain together."""
    links: list[tuple[str, str]] = []
    for hint in entities.suspected:
        joined = frozenset(key for address in hint.addresses if (key := entities.key_of(address)) in units)
        if len(joined) > 1:
            yield f"suspected_{hint.code}", joined
            first, *others = sorted(joined)
            links += [(first, other) for other in others]
    matched = _matched_legs(scan)
    for component in _components(matched):
        if len(component.pairs) >= scan.settings.leg_pairs_min:
            yield "matched_legs", component.keys
    if links and matched:
        for component in _components([*matched, *links]):
            yield "matched_legs_and_suspected", component.keys


def _matched_legs(scan: _Scan) -> list[tuple[str, str]]:
    """Return who bought and who soon after sold the same amount. Each leg is used once, the nearest in amount first."""
    trades, keys, classes, tolerance = scan.trades, scan.keys, scan.classes, scan.settings.leg_tolerance_bps
    bases, are_buys = scan.bases, scan.are_buys
    gap_ms = scan.settings.leg_gap_s * 1_000
    # Floats sort and compare several times as fast; whoever is near is compared exactly.
    rough = list(map(float, bases))
    order = sorted(range(len(trades)), key=rough.__getitem__)
    ordered = list(map(rough.__getitem__, order))
    near = 1 + (tolerance + 1) / _BPS
    neighbours = zip(order, order[1:], ordered, ordered[1:], strict=False)
    found: list[tuple[str, str]] = []
    used = -1
    for one, other in [
        (one, other)
        for one, other, low, high in neighbours
        if high <= low * near and are_buys[one] is not are_buys[other]
    ]:
        buy, sell = (one, other) if are_buys[one] else (other, one)
        if sell < buy or one == used or trades[sell].at_ms - trades[buy].at_ms > gap_ms:
            continue
        smaller, larger = bases[one], bases[other]
        if smaller <= 0 or abs(larger - smaller) * _BPS > tolerance * smaller:
            continue
        used = other
        is_extraction = Class.EXTRACTION in (classes[buy], classes[sell])
        if keys[buy] != keys[sell] and not is_extraction:
            found.append((keys[buy], keys[sell]))
    return found


@dataclass(slots=True)
class _Component:
    keys: frozenset[str]
    pairs: list[tuple[str, str]]


def _components(pairs: Sequence[tuple[str, str]]) -> list[_Component]:
    root: dict[str, str] = {}

    def find(key: str) -> str:
        while root.setdefault(key, key) != key:
            root[key] = root[root[key]]
            key = root[key]
        return key

    for one, other in pairs:
        root[find(one)] = find(other)
    members: defaultdict[str, set[str]] = defaultdict(set)
    inside: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
    for key in root:
        members[find(key)].add(key)
    for pair in pairs:
        inside[find(pair[0])].append(pair)
    return [_Component(frozenset(keys), inside[top]) for top, keys in members.items()]


def _visitors(scan: _Scan, units: Mapping[str, list[int]]) -> list[list[int]]:
    """Return the trades of crowds of visitors: wallets that soon sell all they bought for what they paid, and keep nothing.

    One such visit is a person who changed his mind. Many in a row that make up a good part of the trades are not.
    """
    settings, trades, are_buys = scan.settings, scan.trades, scan.are_buys
    visits: list[tuple[int, list[int]]] = []
    for places in units.values():
        if not 2 <= len(places) <= VISITOR_LEGS_MAX:
            continue
        if not are_buys[places[0]] or are_buys[places[-1]]:
            continue
        trips = _trips(scan, places)
        if sum(map(len, trips)) == len(places) and all(_is_visit(trades, trip, settings) for trip in trips):
            visits += [(trip[0], trip) for trip in trips]
    visits.sort()
    found: list[list[int]] = []
    crowd: list[list[int]] = []
    for _, trip in [*visits, (-1, [])]:
        is_near = bool(crowd and trip) and (
            trades[trip[0]].at_ms - trades[crowd[-1][-1]].at_ms <= settings.visit_gap_s * 1_000
        )
        if not is_near:
            legs = sorted(place for own in crowd for place in own)
            between = legs[-1] - legs[0] + 1 if legs else 0
            if len(crowd) >= settings.visits_min and len(legs) * _BPS >= settings.visit_share_bps * between:
                found.append(legs)
            crowd = []
        crowd.append(trip)
    return found


def _is_visit(trades: Sequence[Trade], trip: Sequence[int], settings: Settings) -> bool:
    if trades[trip[-1]].at_ms - trades[trip[0]].at_ms > settings.visit_s * 1_000:
        return False
    return _gain_bps(trades, trip) <= settings.visit_gain_bps


def _gain_bps(trades: Sequence[Trade], trip: Sequence[int]) -> int:
    """Return what a round trip gained or lost, as a share of what was paid."""
    paid = sum(trades[place].quote_raw for place in trip if trades[place].side == "buy")
    got = sum(trades[place].quote_raw for place in trip if trades[place].side == "sell")
    return abs(paid - got) * _BPS // max(paid, 1)


# -- what matches -------------------------------------------------------------------------
def _judge(scan: _Scan, places: Sequence[int], reason: str) -> None:
    """Mark the trades of one group that match, at the surest level at which they do."""
    trades = scan.trades
    buys = sum(map(scan.are_buys.__getitem__, places))
    if buys < LEGS_MIN or len(places) - buys < LEGS_MIN:
        return
    # What joins several addresses speaks against chance; one wallet alone must not live on prices, as traders do.
    is_alone = reason == "one_wallet"
    best: dict[int, Class] = {}
    sums = _Sums.of(scan, places)
    for level in reversed(scan.settings.levels):  # the widest first: what it does not find, the others cannot
        windows = _balanced(sums, level, trimmed_max=scan.trimmed_max, is_alone=is_alone)
        if not windows and len(places) <= scan.trimmed_max:
            break
        for start, stop in windows:
            for place in places[start:stop]:
                best[place] = level.taken_for
    trips = [
        trip
        for trip in _trips(scan, places)
        if not is_alone or _gain_bps(trades, trip) <= scan.settings.round_gain_bps
    ]
    if len(trips) >= scan.settings.rounds_min:
        for place in chain.from_iterable(trips):
            best[place] = max(best.get(place, Class.LIKELY), Class.LIKELY)
    _keep(scan, best, reason)


def _keep(scan: _Scan, best: Mapping[int, Class], reason: str) -> None:
    """Mark these trades and remember whose they are."""
    trades = scan.trades
    if not best:
        return
    for place, taken_for in best.items():
        scan.classes[place] = max(scan.classes[place], taken_for)
    own = [trades[place] for place in sorted(best)]
    scan.groups.append(
        WashGroup(
            reason=reason,
            addresses=tuple(sorted({trade.address for trade in own})),
            transactions=tuple(dict.fromkeys(trade.tx_hash for trade in own)),
            quote_raw=sum(trade.quote_raw for trade in own),
            taken_for=max(best.values()),
        )
    )


@dataclass(frozen=True, slots=True)
class _Sums:
    """A group's trades added up: entry n speaks of the first n trades."""

    times: list[int]
    net_bps: list[int]  # purchases less sales, times 10,000
    gross: list[int]
    buys: list[int]
    own: Sequence[Trade]

    @classmethod
    def of(cls, scan: _Scan, places: Sequence[int]) -> _Sums:
        own = [scan.trades[place] for place in places]
        are_buys, amounts = (
            [scan.are_buys[place] for place in places],
            [scan.bases[place] for place in places],
        )
        signed = [
            amount * _BPS if is_buy else -amount * _BPS
            for amount, is_buy in zip(amounts, are_buys, strict=True)
        ]
        return cls(
            times=[trade.at_ms for trade in own],
            net_bps=list(accumulate(signed, initial=0)),
            gross=list(accumulate(amounts, initial=0)),
            buys=list(accumulate(are_buys, initial=0)),
            own=own,
        )

    def gain_bps(self, start: int, stop: int) -> int:
        """Return by how much the average sale was dearer or cheaper than the average purchase."""
        bought = sold = paid = got = 0
        for trade in self.own[start:stop]:
            if trade.side == "buy":
                bought, paid = bought + trade.base_raw, paid + trade.quote_raw
            else:
                sold, got = sold + trade.base_raw, got + trade.quote_raw
        return abs(got * bought - paid * sold) * _BPS // max(paid * sold, 1)


def _balanced(sums: _Sums, level: Level, *, trimmed_max: int, is_alone: bool) -> list[tuple[int, int]]:
    """Return the windows that balance: from each start the longest balanced run, not overlapping."""
    windows = _windows(sums, level.window_s * 1_000)
    if not windows:
        return []
    # |net| <= tolerance * gross over a window is two comparisons of what stands at its ends.
    allowed = [level.tolerance_bps * gross for gross in sums.gross]
    low, high = list(map(sub, sums.net_bps, allowed)), list(map(add, sums.net_bps, allowed))
    buys, found, free = sums.buys, [], 0
    for start, end in windows:
        if start < free:
            continue
        first = start + 2 * LEGS_MIN - 1
        if end - first > trimmed_max:
            first = end - trimmed_max
        at, low_start, high_start = end, low[start], high[start]
        while at > first and (low[at] > low_start or high[at] < high_start):
            at -= 1
        if at == first:
            continue
        bought = buys[at] - buys[start]
        is_match = bought >= LEGS_MIN and at - start - bought >= LEGS_MIN
        if is_match and (not is_alone or sums.gain_bps(start, at) <= level.gain_max_bps):
            found.append((start, at))
            free = at
    return found


def _windows(sums: _Sums, window_ms: int) -> list[tuple[int, int]]:
    """Return from each start the longest window, where that has enough legs both ways: shorter ones have fewer."""
    times, buys, count = sums.times, sums.buys, len(sums.times)
    found: list[tuple[int, int]] = []
    end = 0
    for start in range(count - 2 * LEGS_MIN + 1):
        until = times[start] + window_ms
        while end < count and times[end] <= until:
            end += 1
        bought = buys[end] - buys[start]
        if bought >= LEGS_MIN and end - start - bought >= LEGS_MIN:
            found.append((start, end))
    return found


def _trips(scan: _Scan, places: Sequence[int]) -> list[list[int]]:
    """Return the round trips in these trades: runs in which what was bought is sold again, to the last part."""
    bases, are_buys, tolerance_bps = scan.bases, scan.are_buys, scan.settings.round_tolerance_bps
    found: list[list[int]] = []
    run: list[int] = []
    held = bought = 0
    for place in places:
        amount = bases[place]
        run.append(place)
        if are_buys[place]:  # a purchase leads away from where the trip began: it never ends one
            held += amount
            bought += amount
            continue
        held -= amount
        is_closed = bool(bought) and abs(held) * _BPS <= tolerance_bps * bought
        if is_closed:
            found.append(run)
        if is_closed or held < 0:
            run, held, bought = [], 0, 0
    return found


def _reported(scan: _Scan, *, entity_count: int) -> WashReport:
    organic = Class.ORGANIC
    volumes = [0] * (Class.EXTRACTION + 1)
    for place in [place for place, taken_for in enumerate(scan.classes) if taken_for is not organic]:
        volumes[scan.classes[place]] += scan.trades[place].quote_raw
    likely = volumes[Class.STRICT] + volumes[Class.LIKELY]
    return WashReport(
        swaps=len(scan.trades),
        entities=entity_count,
        volume_raw=sum(map(attrgetter("quote_raw"), scan.trades)),
        extraction_raw=volumes[Class.EXTRACTION],
        strict_raw=volumes[Class.STRICT],
        likely_raw=likely,
        loose_raw=likely + volumes[Class.LOOSE],
        classes=tuple(scan.classes),
        groups=tuple(sorted(scan.groups, key=lambda group: -group.quote_raw)),
    )
