"""Which waiting pair is looked at first: the one that is most worth it.

The order matters only while more pairs are due than are looked at in one pass. Nobody starves: a part of each pass goes
to those who wait longest.
"""

from __future__ import annotations

from apps.domain.decision import SkipStage, TradeDecision
from apps.domain.money import BPS_ONE
from apps.domain.verdict import Action, RiskVerdict

#: A pair that nobody has looked at yet: before everything that was found wanting, behind what is nearly bought.
UNSEEN = 6_000
#: What only a limit or the moment holds back is good: it is bought as soon as there is room.
_HELD_BACK = 3_000
#: One in so many places of a pass goes to those who wait longest.
OLDEST_SHARE = 4


def priority(verdict: RiskVerdict, decision: TradeDecision) -> int:
    """Return the priority of the next look at a pair, higher first: its score, at its best where it is uncertain.

    What was only held back by a limit or the moment comes first; what cannot become good enough, last.
    """
    card = verdict.card
    if verdict.score_bps is None or card is None or card.risk.low_bps is None:
        return UNSEEN // 2
    if card.action in (Action.BLOCK, Action.AVOID):
        return 0
    best = BPS_ONE - card.risk.low_bps
    middle = (verdict.score_bps + best) // 2
    edge = 0 if card.edge.value_bps is None else min(max(card.edge.value_bps, 0), BPS_ONE) // 10
    held_back = decision.skip_stage in (SkipStage.LIMIT, SkipStage.ENGINE)
    return middle + edge + (_HELD_BACK if held_back else 0)
