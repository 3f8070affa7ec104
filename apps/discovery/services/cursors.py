"""How far each chain has been read, and the ring of block hashes that proves it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from django.db import transaction
from django.utils import timezone

from apps.discovery.logic.ring import RING_BLOCKS_MAX, ChainCheck, Footing, find_fork
from apps.discovery.models import BlockHash, StreamCursor
from apps.domain.market import BlockRef

BLOCKS = "blocks"  # the stream that drives discovery and settlement
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def cursor_get(*, chain_key: str, stream: str = BLOCKS) -> BlockRef | None:
    """Return the newest block read, or None when nothing was. Its time is when the cursor moved, not the block's."""
    row = StreamCursor.objects.filter(chain_key=chain_key, stream=stream).first()
    if row is None:
        return None
    return BlockRef(row.block_number, row.block_hash, _ms_of(row.updated_at))


def cursor_advance(*, chain_key: str, blocks: Sequence[BlockRef], stream: str = BLOCKS) -> bool:
    """Remember these blocks (ascending) and move the cursor to the last of them.

    The cursor never moves back here: return False, with nothing changed, when it stands there or further already.
    """
    if not blocks:
        return False
    last, now = blocks[-1], timezone.now()
    with transaction.atomic():
        place = {"block_number": last.number, "block_hash": last.hash, "updated_at": now}
        moved = StreamCursor.objects.filter(
            chain_key=chain_key, stream=stream, block_number__lt=last.number
        ).update(**place)
        if not moved:
            _, moved = StreamCursor.objects.get_or_create(chain_key=chain_key, stream=stream, defaults=place)
        if not moved:
            return False
        if stream == BLOCKS:
            _remember(chain_key, blocks[-RING_BLOCKS_MAX:])
    return True


def cursor_rebase(*, chain_key: str, to: BlockRef, stream: str = BLOCKS) -> None:
    """Set the cursor to this block, back or forth, and forget all hashes above it: after a reorganisation or a reset.

    After a reset call ``ring_forget`` first.
    """
    with transaction.atomic():
        StreamCursor.objects.update_or_create(
            chain_key=chain_key,
            stream=stream,
            defaults={"block_number": to.number, "block_hash": to.hash, "updated_at": timezone.now()},
        )
        if stream == BLOCKS:
            BlockHash.objects.filter(chain_key=chain_key, number__gte=to.number).delete()
            _remember(chain_key, [to])


def ring_forget(*, chain_key: str) -> None:
    """Forget all block hashes of a chain: it was reset."""
    BlockHash.objects.filter(chain_key=chain_key).delete()


def ring_of(chain_key: str, *, blocks_max: int = RING_BLOCKS_MAX) -> tuple[BlockRef, ...]:
    """Return the newest remembered blocks of a chain, ascending."""
    newest = BlockHash.objects.filter(chain_key=chain_key).order_by("-number")[:blocks_max]
    return tuple(BlockRef(row.number, row.hash, _ms_of(row.at)) for row in reversed(newest))


def chain_check(
    *, chain_key: str, fetch_hash: Callable[[int], str | None], head_number: int, genesis_hash: str = ""
) -> ChainCheck:
    """Return how the chain stands to what was read of it (see ``logic.ring``). Raises what ``fetch_hash`` raises."""
    newest = ring_of(chain_key, blocks_max=1)
    check = find_fork(newest, fetch_hash, head_number=head_number)
    if newest and check.footing is Footing.UNBROKEN:  # nearly always: the whole ring need not be loaded
        return check
    return find_fork(ring_of(chain_key), fetch_hash, head_number=head_number, genesis_hash=genesis_hash)


def hashes_since(chain_key: str, number: int) -> dict[int, str]:
    """Return the hashes of the blocks that were read, by height, from ``number`` on."""
    rows = BlockHash.objects.filter(chain_key=chain_key, number__gte=number)
    return dict(rows.values_list("number", "hash"))


def _remember(chain_key: str, blocks: Sequence[BlockRef]) -> None:
    rows = [
        BlockHash(
            chain_key=chain_key,
            number=block.number,
            hash=block.hash,
            at=_EPOCH + timedelta(milliseconds=block.at_ms),
        )
        for block in blocks
    ]
    BlockHash.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["chain_key", "number"], update_fields=["hash", "at"]
    )
    BlockHash.objects.filter(chain_key=chain_key, number__lte=blocks[-1].number - RING_BLOCKS_MAX).delete()


def _ms_of(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(milliseconds=1)
