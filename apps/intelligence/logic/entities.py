"""Who acts together in one pool: addresses that at least two independent reasons join.

A reason belongs to a family: the token's unpaid transfers, first coins, purchases at launch, exits, and what the same
addresses did together in other pools. Two reasons of one family are one, because they rest on the same observations.
What one family alone joins stays a suspicion. Identical gas settings and nonces would be a family more; no part of the
facts carries them yet. Sources: Victor, FC 2020; Chainalysis, crypto crime report 2025; Liu et al., ICBC 2025.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final

from apps.domain.entities import Entities, Entity, FundingLink, MergeReason, TokenMove, Trade

FAMILIES: Final[Mapping[str, str]] = {
    "unpaid_transfer": "token",
    "consolidation": "token",
    "funded_by_member": "coins",
    "same_funder": "coins",
    "funded_together": "coins",
    "launch_bundle": "launch",
    "same_exit": "exit",
    "same_act": "exit",
    "together_before": "before",
}
#: Trades and transfers of one reading, the newest count.
TRADES_MAX, MOVES_MAX = 5_000, 2_000
#: Reasons of one kind that are looked at, those that name most people: gifts at random cannot crowd out the rest.
REASONS_PER_KIND_MAX = 60
#: Addresses and transactions that one reason names.
REASON_ADDRESSES_MAX, EVIDENCE_MAX = 200, 5
#: Who gives to more people makes an airdrop: it says less of each.
GIFTS_PLAIN_MAX = 20
#: Who gives to more is a distributor: it says nothing.
GIFTS_MAX = 100
#: First coins of the same source count as alike within an hour and with amounts that differ by at most a tenth
#: (a coefficient of variation below 5 %).
FUNDED_WITHIN_MS = 3_600_000
FUNDED_RATIO_MAX = 1.1
#: A payer of more of the addresses that we know is an exchange, a bridge or a faucet, whatever else is known of it.
FUNDED_HUB_MIN = 500
#: A transaction that pays more at once is a payroll or an exchange's batch.
PAID_IN_TX_MAX = 50
#: Wallets that buy about the same amount in one block of the launch.
BUNDLE_WALLETS_MIN = 4
BUNDLE_RATIO_MAX = 1.15
LAUNCH_BLOCKS = 3
#: People who acted together once and again: so many, and so unlikely by chance over all that was looked at.
ACT_WALLETS_MIN = 3
ACT_CHANCE_MAX = 0.001
EXIT_WALLETS_MIN = 2
EXIT_CHANCE_MAX = 0.02
#: In so many other pools the same two must have acted together, each time rarer than chance allows.
TOGETHER_POOLS_MIN = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What is known of one pool's people. Trades and moves are in chain order; addresses in comparable form.

    ``excluded`` are pools, routers, lockers, exchanges and burnt ends. ``together`` counts in how many other pools two
    addresses (sorted) acted together. ``launch_block`` is None when the first trades were not read.
    """

    trades: Sequence[Trade]
    moves: Sequence[TokenMove] = ()
    funding: Sequence[FundingLink] = ()
    excluded: frozenset[str] = frozenset()
    creator: str = ""
    launch_block: int | None = None
    together: Mapping[tuple[str, str], int] | None = None


def entities_of(reading: Reading) -> Entities:
    """Return who belongs together, and who is merely suspected to."""
    trades = [trade for trade in reading.trades[-TRADES_MAX:] if trade.address not in reading.excluded]
    gifts = _largest(_gifts(reading))
    reasons = [
        *gifts,
        *_largest(_consolidations(reading)),
        *_coins(reading, {trade.address for trade in trades}),
        *_largest(_launch_bundles(trades, reading.launch_block)),
        *_largest(_exits(trades, gifts)),
        *_largest(_acts(trades)),
        *_largest(_together(reading, trades)),
    ]
    return merged(reasons, excluded=reading.excluded)


def merged(reasons: Sequence[MergeReason], *, excluded: frozenset[str] = frozenset()) -> Entities:
    """Return the entities that these reasons make: two of different families that share two addresses join them."""
    families: defaultdict[str, set[str]] = defaultdict(set)
    for reason in reasons:
        for address in reason.addresses:
            families[address].add(FAMILIES[reason.code])
    doubly = {address for address, found in families.items() if len(found) > 1}
    narrow = [(FAMILIES[reason.code], doubly.intersection(reason.addresses)) for reason in reasons]
    roots = Groups()
    for (family, one), (other_family, other) in combinations(
        [item for item in narrow if len(item[1]) > 1], 2
    ):
        if family != other_family and len(shared := one & other) > 1:
            roots.join(shared)
    entities = tuple(_entity(members, reasons) for members in roots.groups())
    key_of = {address: entity.key for entity in entities for address in entity.members}
    suspected = tuple(
        reason
        for reason in reasons
        if len({key_of.get(address, address) for address in reason.addresses}) > 1
    )
    return Entities(merged=entities, suspected=suspected, excluded=excluded)


class Groups:
    """Sets that grow together (union-find)."""

    def __init__(self) -> None:
        self._parent: dict[str, str] = {}

    def root(self, address: str) -> str:
        """Return who stands for the address's set."""
        parent = self._parent
        while parent.setdefault(address, address) != address:
            parent[address] = parent[parent[address]]
            address = parent[address]
        return address

    def join(self, addresses: Iterable[str]) -> None:
        """Make one set of all that these addresses belong to."""
        roots = sorted({self.root(address) for address in addresses})
        for other in roots[1:]:
            self._parent[other] = roots[0]

    def groups(self) -> list[tuple[str, ...]]:
        """Return the sets of several addresses, sorted."""
        found: defaultdict[str, list[str]] = defaultdict(list)
        for address in list(self._parent):
            found[self.root(address)].append(address)
        return sorted(tuple(sorted(members)) for members in found.values() if len(members) > 1)


def _entity(members: tuple[str, ...], reasons: Sequence[MergeReason]) -> Entity:
    own = set(members)
    kept = [
        MergeReason(
            code=reason.code,
            addresses=tuple(address for address in reason.addresses if address in own),
            evidence=reason.evidence,
            weight_bps=reason.weight_bps,
        )
        for reason in reasons
        if len(own.intersection(reason.addresses)) > 1
    ]
    return Entity(key=members[0], members=members, reasons=tuple(kept))


def _largest(reasons: Iterable[MergeReason]) -> list[MergeReason]:
    return sorted(reasons, key=lambda reason: -len(reason.addresses))[:REASONS_PER_KIND_MAX]


def _reason(code: str, addresses: Iterable[str], evidence: Iterable[str], weight_bps: int) -> MergeReason:
    named = tuple(sorted(set(addresses)))[:REASON_ADDRESSES_MAX]
    shown = tuple(dict.fromkeys(tx_hash for tx_hash in evidence if tx_hash))[:EVIDENCE_MAX]
    return MergeReason(code=code, addresses=named, evidence=shown, weight_bps=weight_bps)


# -- the token's unpaid transfers ---------------------------------------------------------
def _gifts(reading: Reading) -> Iterator[MergeReason]:
    """Yield each giver with those to whom he gave tokens outside the pool."""
    for giver, moves in _moves_by(reading, by_source=True).items():
        targets = {move.target for move in moves}
        if len(targets) <= GIFTS_MAX:
            weight = 5_000 if len(targets) <= GIFTS_PLAIN_MAX else 2_500
            yield _reason("unpaid_transfer", {giver, *targets}, (move.tx_hash for move in moves), weight)


def _consolidations(reading: Reading) -> Iterator[MergeReason]:
    """Yield those who sent their tokens to one address, together with it."""
    for taker, moves in _moves_by(reading, by_source=False).items():
        sources = {move.source for move in moves}
        if 1 < len(sources) <= GIFTS_MAX:
            yield _reason("consolidation", {taker, *sources}, (move.tx_hash for move in moves), 5_000)


def _moves_by(reading: Reading, *, by_source: bool) -> dict[str, list[TokenMove]]:
    found: defaultdict[str, list[TokenMove]] = defaultdict(list)
    for move in reading.moves[-MOVES_MAX:]:
        if move.source not in reading.excluded and move.target not in reading.excluded and move.base_raw > 0:
            found[move.source if by_source else move.target].append(move)
    return dict(found)


# -- first coins --------------------------------------------------------------------------
def _coins(reading: Reading, traders: set[str]) -> Iterator[MergeReason]:
    """Yield who was funded alike by one source, who by another participant, and who in one transaction."""
    people = {
        *traders,
        reading.creator,
        *(link.target for link in reading.funding),
        *(move.target for move in reading.moves),
    } - reading.excluded
    by_source: defaultdict[str, list[FundingLink]] = defaultdict(list)
    by_tx: defaultdict[str, list[FundingLink]] = defaultdict(list)
    for link in reading.funding:
        if link.target in reading.excluded:
            continue
        if link.source not in reading.excluded:
            by_source[link.source].append(link)
        if link.tx_hash and link.paid_in_tx <= PAID_IN_TX_MAX:
            by_tx[link.tx_hash].append(link)
    yield from _largest(_by_source(by_source, people))
    yield from _largest(
        _reason("funded_together", (link.target for link in links), (tx_hash,), 5_000)
        for tx_hash, links in by_tx.items()
        if len({link.target for link in links}) > 1
    )


def _by_source(by_source: Mapping[str, Sequence[FundingLink]], people: set[str]) -> Iterator[MergeReason]:
    for source, links in by_source.items():
        if len(links) > FUNDED_HUB_MIN or any(_pays_many(link) for link in links):
            continue
        if source in people:
            targets = (link.target for link in links)
            yield _reason("funded_by_member", {source, *targets}, (link.tx_hash for link in links), 6_000)
        for alike in _alike(links):
            targets = (link.target for link in alike)
            yield _reason("same_funder", targets, (link.tx_hash for link in alike), 5_000)


def _pays_many(link: FundingLink) -> bool:
    return link.is_hub or link.paid_in_tx > PAID_IN_TX_MAX


def _alike(links: Sequence[FundingLink]) -> Iterator[list[FundingLink]]:
    """Yield runs of links with nearly the same amount that lie within an hour."""
    run: list[FundingLink] = []
    for link in sorted(links, key=lambda item: (item.amount_raw, item.at_ms, item.target)):
        fits = (
            run
            and link.amount_raw <= run[0].amount_raw * FUNDED_RATIO_MAX
            and abs(link.at_ms - run[0].at_ms) <= FUNDED_WITHIN_MS
        )
        if run and not fits:
            if len(run) > 1:
                yield run
            run = []
        run.append(link)
    if len(run) > 1:
        yield run


# -- the launch ---------------------------------------------------------------------------
def _launch_bundles(trades: Sequence[Trade], launch_block: int | None) -> Iterator[MergeReason]:
    """Yield wallets that bought about the same amount in one of the launch's first blocks."""
    if launch_block is None:
        return
    for purchases in by_block(
        trade for trade in trades if trade.side == "buy" and trade.block < launch_block + LAUNCH_BLOCKS
    ).values():
        for run in _alike_amounts(purchases):
            weight = min(2_000 + 500 * len(run), 6_000)
            yield _reason("launch_bundle", (t.address for t in run), (t.tx_hash for t in run), weight)


def _alike_amounts(purchases: Sequence[Trade]) -> Iterator[list[Trade]]:
    """Yield the runs of at least four wallets whose amounts differ little; each wallet by its first purchase."""
    firsts: dict[str, Trade] = {}
    for trade in purchases:
        firsts.setdefault(trade.address, trade)
    run: list[Trade] = []
    for trade in sorted(firsts.values(), key=lambda item: (item.quote_raw, item.address)):
        if run and trade.quote_raw > run[0].quote_raw * BUNDLE_RATIO_MAX:
            if len(run) >= BUNDLE_WALLETS_MIN:
                yield run
            run = []
        run.append(trade)
    if len(run) >= BUNDLE_WALLETS_MIN:
        yield run


def by_block(trades: Iterable[Trade]) -> dict[int, list[Trade]]:
    """Return trades by their block, in order."""
    found: defaultdict[int, list[Trade]] = defaultdict(list)
    for trade in trades:
        found[trade.block].append(trade)
    return dict(found)


# -- exits --------------------------------------------------------------------------------
def _exits(trades: Sequence[Trade], gifts: Sequence[MergeReason]) -> Iterator[MergeReason]:
    """Yield those of one giver's circle who never bought and sold in the same block, rarer than chance allows.

    Chance: each sale of the circle falls into any block with trades alike.
    """
    bought = {trade.address for trade in trades if trade.side == "buy"}
    sales: defaultdict[str, dict[int, str]] = defaultdict(dict)
    for trade in trades:
        if trade.side == "sell" and trade.address not in bought:
            sales[trade.address].setdefault(trade.block, trade.tx_hash)
    blocks = len({trade.block for trade in trades})
    for gift in gifts:
        by: defaultdict[int, dict[str, str]] = defaultdict(dict)
        for address in gift.addresses:
            for block, tx_hash in sales.get(address, {}).items():
                by[block][address] = tx_hash
        count = sum(len(own) for own in by.values())
        for own in by.values():
            if len(own) < EXIT_WALLETS_MIN:
                continue
            log_chance = log_comb(count, len(own)) - (len(own) - 1) * math.log(blocks)
            if log_chance <= math.log(EXIT_CHANCE_MAX):
                yield _reason("same_exit", own, own.values(), 5_000)


def _acts(trades: Sequence[Trade]) -> Iterator[MergeReason]:
    """Yield those who bought in one block and sold in one block, rarer than chance allows.

    Chance: the sellers of a block are any of those who bought before it (hypergeometric), over all pairs of blocks.
    """
    bought: dict[str, int] = {}
    sold: defaultdict[int, dict[str, str]] = defaultdict(dict)
    buyers: Counter[int] = Counter()
    known_before: dict[int, int] = {}
    for trade in trades:
        if trade.side == "buy":
            if trade.address not in bought:
                bought[trade.address] = trade.block
                buyers[trade.block] += 1
        elif trade.address in bought and bought[trade.address] < trade.block:
            sold[trade.block].setdefault(trade.address, trade.tx_hash)
            known_before.setdefault(trade.block, len(bought))
    crowded = sum(1 for count in buyers.values() if count >= ACT_WALLETS_MIN)
    busy = {block: own for block, own in sold.items() if len(own) >= ACT_WALLETS_MIN}
    for block, own in busy.items():
        circles: defaultdict[int, list[str]] = defaultdict(list)
        for address in own:
            circles[bought[address]].append(address)
        for bought_in, circle in circles.items():
            if len(circle) < ACT_WALLETS_MIN:
                continue
            chance = hypergeometric_tail(
                population=max(known_before[block], buyers[bought_in], len(own)),
                marked=buyers[bought_in],
                drawn=len(own),
                hits=len(circle),
            )
            if chance * max(crowded, 1) * len(busy) <= ACT_CHANCE_MAX:
                yield _reason("same_act", circle, (own[address] for address in circle), 5_000)


def hypergeometric_tail(*, population: int, marked: int, drawn: int, hits: int) -> float:
    """Return the chance of at least ``hits`` marked ones among ``drawn`` of a population without replacement."""
    assert 0 <= hits <= drawn <= population, (hits, drawn, population)
    assert marked <= population, (marked, population)
    whole = log_comb(population, drawn)
    return min(
        1.0,
        math.fsum(
            math.exp(log_comb(marked, k) + log_comb(population - marked, drawn - k) - whole)
            for k in range(hits, min(marked, drawn) + 1)
            if drawn - k <= population - marked
        ),
    )


def log_comb(n: int, k: int) -> float:
    """Return the logarithm of how many ways there are to draw ``k`` of ``n``."""
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)


# -- other pools --------------------------------------------------------------------------
def _together(reading: Reading, trades: Sequence[Trade]) -> Iterator[MergeReason]:
    """Yield circles of traders of this pool who acted together in other pools again and again."""
    if not reading.together:
        return
    people = {trade.address for trade in trades}
    roots = Groups()
    for pair, count in reading.together.items():
        if count >= TOGETHER_POOLS_MIN and people.issuperset(pair):
            roots.join(pair)
    for group in roots.groups():
        yield _reason("together_before", group, (), 6_000)
