"""How good a wallet's past trades were, with the scepticism that a short record deserves.

Copying good wallets earned 3 % a trade after frictions where it was measured; it is a hint, not a strategy.
Source: Luo et al., WWW 2026.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from decimal import ROUND_FLOOR, Decimal
from typing import Final

from apps.domain.money import BPS_ONE

#: A wallet's record counts from so many closed tokens on.
CLOSED_TOKENS_MIN: Final = 20


def wallet_quality_bps(*, wins: int, closed: int, prior_wins: Decimal, prior_closed: Decimal) -> int | None:
    """Return a wallet's rate of gains over closed tokens, drawn towards everybody's; None below 20 of them.

    ``prior_wins`` of ``prior_closed`` is the population's own rate with the weight that it is given.
    """
    assert 0 <= wins <= closed, (wins, closed)
    if closed < CLOSED_TOKENS_MIN:
        return None
    share = (wins + prior_wins) / (closed + prior_closed)
    return int((share * BPS_ONE).to_integral_value(rounding=ROUND_FLOOR))


def closed_tokens(trades: Iterable[tuple[str, str, int, int]]) -> tuple[int, int]:
    """Return (gains, closed) over tokens that a wallet both bought and sold nearly whole.

    Each trade is (token, side, base_raw, quote_raw). A token is closed once nine tenths of what was bought are sold.
    """
    book: defaultdict[str, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for token, side, base_raw, quote_raw in trades:
        own = book[token]
        at = 0 if side == "buy" else 2
        own[at] += base_raw
        own[at + 1] += quote_raw
    closed = [own for own in book.values() if own[0] > 0 and own[2] * 10 >= own[0] * 9]
    return sum(1 for own in closed if own[3] > own[1]), len(closed)
