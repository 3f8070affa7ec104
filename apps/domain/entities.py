"""Who acts together: addresses that one person most likely commands, and what shows it.

Addresses are compared as written: lower case on EVM chains, exactly on Solana.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Trade:
    """One swap in one pool, seen from the base token; ``address`` received the output."""

    at_ms: int  # the block's own time
    block: int
    tx_hash: str
    log_index: int
    address: str
    side: Literal["buy", "sell"]
    base_raw: int
    quote_raw: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenMove:
    """The base token went from one address to another outside the pool: nobody paid for it there."""

    at_ms: int | None  # the block's own time; None where the node gives none with a log
    block: int
    tx_hash: str
    log_index: int
    source: str
    target: str
    base_raw: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FundingLink:
    """The first coins that an address ever received from outside, as far as was looked back."""

    source: str
    target: str
    at_ms: int
    amount_raw: int  # native coin
    block: int
    tx_hash: str = ""  # "" when the source of the link does not tell it
    is_hub: bool = (
        False  # the source pays very many, as exchanges and bridges do: it tells nothing of who stands behind
    )
    paid_in_tx: int = 1  # how many addresses the same transaction paid


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeReason:
    """One thing that speaks for addresses belonging together.

    ``code`` is "unpaid_transfer", "consolidation", "same_funder", "funded_by_member", "funded_together", "launch_bundle",
    "same_exit", "same_act" or "together_before".
    ``evidence`` are transaction hashes, bounded; ``weight_bps`` is how much it speaks for, 0..10000.
    """

    code: str
    addresses: tuple[str, ...]
    evidence: tuple[str, ...]
    weight_bps: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Entity:
    """Addresses that at least two independent reasons join. ``key`` is the smallest member, so it is the same anew."""

    key: str
    members: tuple[str, ...]  # sorted, at least two
    reasons: tuple[MergeReason, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entities:
    """All entities of one pair. An address that nothing joins to another is an entity of its own.

    ``suspected`` are addresses that one reason alone joins: a hint, which merges nobody.
    ``excluded`` are pools, routers, lockers, exchanges and the like: nobody's wallet.
    """

    merged: tuple[Entity, ...] = ()
    suspected: tuple[MergeReason, ...] = ()
    excluded: frozenset[str] = frozenset()
    _key_of: Mapping[str, str] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        keys = {address: entity.key for entity in self.merged for address in entity.members}
        object.__setattr__(self, "_key_of", keys)

    def key_of(self, address: str) -> str:
        """Return the key of the entity that this address belongs to."""
        return self._key_of.get(address, address)

    def keys_of(self, addresses: Iterable[str]) -> frozenset[str]:
        """Return the entities behind these addresses, those that are nobody's wallet left out."""
        return frozenset(self.key_of(address) for address in addresses if address not in self.excluded)

    def is_wallet(self, address: str) -> bool:
        """Tell whether an address may be somebody's: it is no pool, router, locker, exchange or burnt end."""
        return address not in self.excluded

    def is_merged(self, address: str) -> bool:
        """Tell whether the address belongs to an entity of several."""
        return address in self._key_of

    def entity(self, key: str) -> Entity | None:
        """Return the entity of several addresses with this key; None for one address by itself."""
        return next((entity for entity in self.merged if entity.key == key), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstCoins:
    """Who gave addresses their first coins. Every address asked about is the target of a link or stands in ``unknown``.

    ``unknown`` says why, by address, in plain words.
    """

    links: tuple[FundingLink, ...]
    unknown: Mapping[str, str]
