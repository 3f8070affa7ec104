"""What carrying out an order asks of the outside."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from apps.domain.errors import ConfigurationError
from apps.domain.evidence import EvidenceReader
from apps.domain.market import ChainProfile
from apps.domain.ports import ChainReader, PrivateRelay, Signer, SwapBuilder, TxSender


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionPorts:
    """The ports of one chain. Sandbox, paper and live differ only in what stands here."""

    profile: ChainProfile
    reader: ChainReader
    builders: Mapping[str, SwapBuilder]  # by dex_key
    signer: Signer
    sender: TxSender
    evidence: EvidenceReader | None = None  # why balances changed; None: nobody can tell
    relays: tuple[PrivateRelay, ...] = ()  # best first; with one, swaps go there and not to ``sender``
    #: Swaps may lead through other pools than their pair's; fills on paper do not.
    takes_other_ways: bool = True

    def builder(self, dex_key: str) -> SwapBuilder:
        """Return the builder of a DEX. Raises ConfigurationError when it is switched off or unknown."""
        try:
            return self.builders[dex_key]
        except KeyError:
            raise ConfigurationError(
                f"{self.profile.name} has no enabled DEX {dex_key!r}",
                remedy="Switch the DEX on in the admin under DEX deployments; positions on it cannot be sold otherwise.",
            ) from None
