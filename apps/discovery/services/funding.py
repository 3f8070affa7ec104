"""Looks up, once for each maker of a chain, who gave it its first coins, and keeps it with its pairs."""

from __future__ import annotations

from typing import Protocol

from apps.discovery.models import Pair
from apps.domain.market import Funding
from apps.state.services.events import cut

_REASON_LENGTH = 200


class FundingReader(Protocol):
    """The part of ``ports.ChainReader`` that this needs."""

    def first_funding(self, account: str, *, before_block: int) -> Funding:
        """Return who gave an account its first coins."""


def funding_find(*, pair_id: int, reader: FundingReader) -> Funding | None:
    """Return who paid for the pair's maker, looked up when no pair of his says so already, and keep it.

    None when the pair is gone or was looked up before. Raises NetworkError, with nothing kept, when no endpoint answers.
    """
    pair = Pair.objects.filter(pk=pair_id, funding_state="").first()
    if pair is None:
        return None
    found = _known_of(pair) or _looked_up(pair, reader)
    Pair.objects.filter(pk=pair.pk, funding_state="").update(
        funding_state=found.state,
        funder=found.funder,
        funding_tx_hash=found.tx_hash,
        funding_reason=cut(found.reason, _REASON_LENGTH),
    )
    return found


def _known_of(pair: Pair) -> Funding | None:
    """Return what another pair of the same maker says; it does not change any more."""
    if not pair.creator:
        return Funding(
            state="unknown", funder="", block_number=None, tx_hash="", reason="the creator is unknown"
        )
    rows = Pair.objects.filter(
        chain_key=pair.chain_key, creator=pair.creator, funding_state__in=("found", "hub"), removed_at=None
    )
    row = rows.order_by("-pk").first()
    if row is None:
        return None
    return Funding(
        state="hub" if row.funding_state == "hub" else "found",
        funder=row.funder,
        block_number=None,
        tx_hash=row.funding_tx_hash,
        reason=row.funding_reason,
    )


def _looked_up(pair: Pair, reader: FundingReader) -> Funding:
    """Ask the chain. When the pair was created its maker had coins for sure, for he paid for that."""
    return reader.first_funding(pair.creator, before_block=pair.created_block_number)
