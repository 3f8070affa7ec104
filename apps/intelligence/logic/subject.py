"""What an analysis is about, and how its estimates are stated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from apps.domain import estimate
from apps.domain.estimate import Estimate
from apps.domain.market import DeployerCluster, DeployerHistory, Listing, PairFacts
from apps.domain.money import BPS_ONE

#: Reasons come from nodes and contracts; longer ones say nothing more.
REASON_CHARS_MAX = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """One pair with everything known about it. ``history`` is None when the creator is unknown."""

    listing: Listing
    facts: PairFacts
    history: DeployerHistory | None
    wrapped_native_address: str
    now_ms: int
    lockers: frozenset[str] = frozenset()  # contracts known to hold liquidity for a time
    own_addresses: frozenset[str] = frozenset()  # our wallets: our own trades prove nothing
    code_history: DeployerHistory | None = None  # of other tokens with the same code; None: nobody looked
    routers: frozenset[str] = frozenset()  # tokens pass through them
    pools: frozenset[str] = frozenset()  # the token's other pools
    cluster: DeployerCluster | None = None  # None: nobody looked

    @property
    def missing(self) -> Mapping[str, str]:
        """Return why parts of the facts could not be read, by the part's name."""
        return self.facts.missing or {}

    @property
    def insiders(self) -> frozenset[str]:
        """Return the creator's side in comparable form: creator, owner, whom they supplied and whom they funded."""
        supplied = (item.address for item in self.facts.supplied or ())
        funded = () if self.cluster is None else self.cluster.funded
        return self.comparables(self.listing.creator, self.facts.owner or "", *supplied, *funded)

    def comparable(self, address: str) -> str:
        """Return an address in the form in which it is compared: EVM addresses without case."""
        return address.lower() if self.listing.pair_key.startswith("eip155:") else address

    def comparables(self, *addresses: str) -> frozenset[str]:
        """Return these addresses in comparable form, empty ones left out."""
        return frozenset(self.comparable(address) for address in addresses if address)

    def known(
        self,
        code: str,
        value: int | Decimal,
        *,
        unit: str,
        source: str = "rpc",
        confidence: Decimal = Decimal(1),
        n: int = 1,
        low: int | Decimal | None = None,
        high: int | Decimal | None = None,
    ) -> Estimate:
        """Return a known estimate as of the facts' block."""
        return estimate.known(
            code,
            value,
            unit=unit,
            source=source,
            as_of_ms=self.facts.block.at_ms,
            confidence=confidence,
            n=n,
            low=low,
            high=high,
        )

    def unknown(self, code: str, reason: str, *, unit: str, source: str = "rpc") -> Estimate:
        """Return an unknown estimate as of the facts' block, its reason made fit to be stored and shown."""
        printable = "".join(letter if letter.isprintable() else " " for letter in reason)
        words = printable.strip()[:REASON_CHARS_MAX] or "no reason was given"
        return estimate.unknown(code, words, unit=unit, source=source, as_of_ms=self.facts.block.at_ms)

    def absent(self, code: str, *parts: str, unit: str, source: str = "rpc") -> Estimate:
        """Return an unknown estimate because the first of these parts of the facts that has a reason is missing."""
        reason = next(
            (self.missing[part] for part in parts if self.missing.get(part)), "it could not be read"
        )
        return self.unknown(code, reason, unit=unit, source=source)


def share_up_bps(part: int, whole: int) -> int | None:
    """Return ``part / whole`` in basis points, rounded up because shares count against us.

    None when there is no whole, or less of it than of its part: then the figures contradict each other.
    """
    if whole <= 0 or not 0 <= part <= whole:
        return None
    return -(-part * BPS_ONE // whole)


def share_down_bps(part: int, whole: int) -> int | None:
    """Return ``part / whole`` in basis points rounded down, for shares that count in our favour; None as above."""
    if whole <= 0 or not 0 <= part <= whole:
        return None
    return part * BPS_ONE // whole
