"""Finds out the truth about a staged token with real transactions: do those who bought get out again?

Two holders buy, the owner does what the file says he does then, sells whatever that gave him, and both holders sell
everything. How much of their coins comes back is the truth that labels are held against.
"""

from __future__ import annotations

from dataclasses import dataclass

from apps.domain.money import BPS_ONE
from apps.sandbox.accounts import Actor, calldata
from apps.sandbox.evaluation.chain import LocalChain
from apps.sandbox.evaluation.stage import Staged, steps_make
from apps.sandbox.transactions import approve_call, buy_call, sell_call

SPENT_WEI = 10**17
#: Who gets less than this share of his coins back was robbed; two taxes of 5 % and the pool's fees leave far more.
ROBBED_BELOW_BPS = 5_000
_HOLDER_WEI = 10 * 10**18
_BLOCKS_HELD = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What two holders got back of what they spent, in basis points."""

    other_returned_bps: int
    fresh_returned_bps: int

    @property
    def is_robbed(self) -> bool:
        """Tell whether one of them was robbed."""
        return min(self.other_returned_bps, self.fresh_returned_bps) < ROBBED_BELOW_BPS


def prove(chain: LocalChain, staged: Staged, *, number: int) -> Outcome:
    """Play a token's story to its end; ``number`` as when it was staged. Raises BadDataError when a step fails."""
    fresh = chain.actor(f"{number}:fresh", balance_wei=_HOLDER_WEI)
    holders = (staged.other, fresh)
    owned = _tokens(chain, staged, staged.owner)
    for holder in holders:
        buy = buy_call(chain.at, token=staged.token, buyer=holder.address, native_wei=SPENT_WEI)
        chain.try_send(holder, to=buy.to, data=buy.data, value_wei=SPENT_WEI)
    chain.mine(_BLOCKS_HELD)
    steps_make(chain, staged, staged.case.after_buy, part="after_buy")
    gained = _tokens(chain, staged, staged.owner) - owned
    if gained > 0:
        _sell(chain, staged, staged.owner, gained)
    other, returned = (_sell(chain, staged, holder, _tokens(chain, staged, holder)) for holder in holders)
    return Outcome(
        other_returned_bps=other * BPS_ONE // SPENT_WEI, fresh_returned_bps=returned * BPS_ONE // SPENT_WEI
    )


def _tokens(chain: LocalChain, staged: Staged, holder: Actor) -> int:
    return chain.word(staged.token, calldata("balanceOf(address)", holder.address))


def _sell(chain: LocalChain, staged: Staged, holder: Actor, amount_raw: int) -> int:
    """Sell and return the coins received, gas left aside; 0 when the sale fails."""
    approve = approve_call(staged.token, chain.at.router)
    sell = sell_call(chain.at, token=staged.token, seller=holder.address, raw=amount_raw)
    assert approve.to is not None
    chain.try_send(holder, to=approve.to, data=approve.data)
    before = chain.balance_wei(holder.address)
    receipt = chain.try_send(holder, to=sell.to, data=sell.data)
    fee = int(receipt["gasUsed"], 16) * int(receipt["effectiveGasPrice"], 16)
    return max(0, chain.balance_wei(holder.address) + fee - before)
