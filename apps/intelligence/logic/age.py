"""How long the pair exists."""

from __future__ import annotations

from apps.domain.estimate import Estimate
from apps.intelligence.logic.subject import Subject

_CODE = "pair_age_s"


def estimates(subject: Subject) -> tuple[Estimate, ...]:
    """Return pair_age_s: from the creating block's time to now.

    The block that was read counts where its clock is ahead of ours, so that no clock makes an old pair young.
    """
    created, block = subject.listing.created_block, subject.facts.block
    if block.number < created.number:
        reason = "the node's newest block is older than the pair"
        return (subject.unknown(_CODE, reason, unit="s"),)
    age_ms = max(subject.now_ms, block.at_ms) - created.at_ms
    if age_ms < 0:
        return (subject.unknown(_CODE, "the pair's creation lies in the future", unit="s"),)
    return (subject.known(_CODE, age_ms // 1_000, unit="s"),)
