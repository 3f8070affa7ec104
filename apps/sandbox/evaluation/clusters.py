"""How well entities are told on a living sandbox chain, whose truth is known: who commands which address.

The deciding code reads the chain alone; only this measurement knows the actors. Precision and recall count pairs of
addresses within one pool: two that are said to belong together, and two that do.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations

from apps.domain.entities import Entities, Entity, MergeReason
from apps.domain.ids import ChainKey, pair_key_of, trace_id_of
from apps.domain.market import BlockRef, Listing
from apps.domain.money import Token
from apps.domain.ports import ChainReader
from apps.intelligence.logic.bundles import opening_of
from apps.intelligence.logic.entities import Reading, entities_of
from apps.intelligence.services.entities import ACTS, looked_up, trades_of
from apps.sandbox.life import ChainLife, Running
from apps.sandbox.logic import parameters

_GROUP_MAX = 60


@dataclass(slots=True)
class Found:
    """Pairs of addresses over all pools: said and true, said and false, true in all."""

    pools: int = 0
    right: int = 0
    wrong: int = 0
    true: int = 0
    suspected_right: int = 0
    suspected_wrong: int = 0
    bundled_right: int = 0
    bundled_wrong: int = 0
    wrong_codes: Counter[str] = field(default_factory=Counter)
    right_codes: Counter[str] = field(default_factory=Counter)

    @property
    def precision(self) -> float | None:
        """Return the share of merged pairs that are one person's."""
        return _share(self.right, self.wrong)

    @property
    def recall(self) -> float | None:
        """Return the share of one person's pairs that are merged."""
        return self.right / self.true if self.true else None

    @property
    def bundle_precision(self) -> float | None:
        """Return the share of pairs in clustered bundles that are one person's."""
        return _share(self.bundled_right, self.bundled_wrong)


def _share(right: int, wrong: int) -> float | None:
    return right / (right + wrong) if right + wrong else None


def owners(life: ChainLife, launches: Iterable[Running]) -> Mapping[str, str]:
    """Return who commands each address (lower case) that acts on this chain."""
    labels: dict[str, str] = {}
    for index in range(parameters.RETAIL):
        labels[f"retail:{index}"] = f"retail:{index}"
    for index in range(parameters.WHALES):
        labels[f"whale:{index}"] = f"whale:{index}"
    for index in range(parameters.PUMPERS):
        labels[f"pump:{index}"] = "pump"
    for ring in range(parameters.WASH_RINGS):
        for index in range(parameters.WASH_RING_SIZE):
            labels[f"wash:{ring}:{index}"] = f"wash:{ring}"
    for running in launches:
        labels[running.plan.deployer] = running.plan.deployer
        for label, _ in running.plan.insiders:
            labels[label] = running.plan.deployer
    return {life.crew.address(label).lower(): owner for label, owner in labels.items()}


def measured(life: ChainLife, launches: Sequence[Running], *, reader: ChainReader, buyer: str) -> Found:
    """Return how well the entities of these launches are told, each read once, in the order of their launch."""
    truth = owners(life, launches)
    found, together = Found(), Counter[tuple[str, str]]()
    for running in launches:
        reading = _reading(life, running, reader=reader, buyer=buyer, together=together)
        if reading is None:
            continue
        entities = entities_of(reading)
        found.pools += 1
        _count(found, reading, entities, truth)
        groups: tuple[Entity | MergeReason, ...] = (*entities.merged, *entities.suspected)
        acted: set[tuple[str, str]] = set()
        for group in groups:
            if not ACTS.isdisjoint(_codes(group)):
                acted.update(combinations(sorted(_members(group))[:_GROUP_MAX], 2))
        together.update(acted)
    return found


def _members(group: Entity | MergeReason) -> tuple[str, ...]:
    return group.members if isinstance(group, Entity) else group.addresses


def _codes(group: Entity | MergeReason) -> set[str]:
    return {reason.code for reason in group.reasons} if isinstance(group, Entity) else {group.code}


def _reading(
    life: ChainLife, running: Running, *, reader: ChainReader, buyer: str, together: Counter[tuple[str, str]]
) -> Reading | None:
    listing = _listing(life, running)
    facts = reader.pair_facts(
        listing, buyer=buyer, probe_amount_raw=10**15, previous_swaps_from=running.created_block
    )
    if facts.swaps is None:
        return None
    trades = trades_of(listing.base.chain_key, facts.swaps)
    holders = [(address.lower(), raw) for address, raw in facts.holders or ()]
    asked = looked_up(trades, holders, creator=listing.creator.lower())
    coins = reader.first_coins(asked, before_block=facts.block.number)
    at = life.at
    return Reading(
        trades=trades,
        moves=facts.moves or (),
        funding=coins.links,
        excluded=frozenset(
            address.lower()
            for address in (at.router, at.factory, at.wrapped, at.locker, running.pool, running.token)
        ),
        creator=listing.creator.lower(),
        launch_block=trades[0].block if trades and "swaps_before" not in (facts.missing or {}) else None,
        together=dict(together),
    )


def _listing(life: ChainLife, running: Running) -> Listing:
    chain_key = ChainKey(life.at.spec.key)
    pair_key = pair_key_of(chain_key, running.pool)
    return Listing(
        trace_id=trace_id_of(pair_key, 1),
        pair_key=pair_key,
        dex_key=life.at.spec.dex_key,
        pool_address=running.pool,
        base=Token(chain_key, running.token, "T", running.plan.decimals),
        quote=Token(chain_key, life.at.wrapped, "W", 18),
        base_is_token0=int(running.token, 16) < int(life.at.wrapped, 16),
        fee_bps=30,
        created_block=BlockRef(running.created_block, "", int(running.created_at.timestamp() * 1_000)),
        creator=life.crew.address(running.plan.deployer),
    )


def _count(found: Found, reading: Reading, entities: Entities, truth: Mapping[str, str]) -> None:
    """Add one pool's pairs. Addresses that nobody commands belong to nobody: merging them is wrong."""

    def owner(address: str) -> str:
        return truth.get(address, address)

    people = {trade.address for trade in reading.trades} | {
        name for move in reading.moves for name in (move.source, move.target)
    }
    groups = Counter(owner(address) for address in people - reading.excluded)
    found.true += sum(count * (count - 1) // 2 for count in groups.values())
    for entity in entities.merged:
        right, wrong = _pairs(entity.members, owner)
        found.right += right
        found.wrong += wrong
        codes = found.wrong_codes if wrong else found.right_codes
        codes["+".join(sorted({reason.code for reason in entity.reasons}))] += right + wrong
    for reason in entities.suspected:
        right, wrong = _pairs(reason.addresses, owner)
        found.suspected_right += right
        found.suspected_wrong += wrong
    opening = opening_of(reading.trades, entities, insiders=frozenset({reading.creator}))
    if opening is not None:
        right, wrong = _pairs(opening.clustered, owner)
        found.bundled_right += right
        found.bundled_wrong += wrong


def _pairs(members: Iterable[str], owner: Callable[[str], str]) -> tuple[int, int]:
    pairs = list(combinations(members, 2))
    right = sum(1 for one, other in pairs if owner(one) == owner(other))
    return right, len(pairs) - right
