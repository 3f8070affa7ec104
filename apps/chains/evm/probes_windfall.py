"""Whether tokens come into being while we trade: what known accounts gain must be what others lose. Requests and results only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from apps.chains.evm import parse
from apps.chains.evm.probes_ground import Ground
from apps.chains.evm.simulate_script import Account, Scene, Script, Step
from apps.domain.money import BPS_ONE
from apps.domain.probes import Windfall

WATCHED_MAX = 16
#: Gains below this share of what our trade moved are rounding.
MATERIAL_BPS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class WindfallPlay:
    """A purchase and a sale with looks at all accounts that may profit. ``accounts`` are lower case."""

    ground: Ground
    received_raw: int
    accounts: tuple[str, ...]

    @property
    def watched(self) -> tuple[str, ...]:
        """Return whose balances are looked at: the pool first, then the buyer, then all others."""
        plan = self.ground.plan
        ours = (plan.pool.lower(), plan.buyer.lower(), plan.token.lower())
        return tuple(dict.fromkeys((*ours, *parse.BURN_ADDRESSES, *self.accounts)))[:WATCHED_MAX]

    def script(self) -> Script:
        """Return the play."""
        ground, us = self.ground, self.ground.plan.buyer
        looks: tuple[Step, ...] = (ground.supply(), *map(ground.balance, self.watched))
        buy = ground.buy(us, ground.plan.amount_in_raw)
        sale = (ground.approve(us, self.received_raw), ground.sell(us, self.received_raw))
        scenes = [
            Scene(ahead=1, steps=(*looks, buy, *looks)),
            Scene(ahead=2, steps=(*sale, *looks)),
        ]
        return ground.script(scenes, paying_raw=ground.plan.amount_in_raw)

    def windfall(self, account: Account | None) -> Windfall | None:
        """Return what came to whom, None when nothing did or nothing is known."""
        if account is None or isinstance(account, str):
            return None
        count = 1 + len(self.watched)
        first, second = account
        looks = [
            [told.word for told in part] for part in (first[:count], first[count + 1 :], second[-count:])
        ]
        for before, after in pairwise(looks):
            found = self._between(before, after)
            if found is not None:
                return found
        return None

    def _between(self, before: Sequence[int | None], after: Sequence[int | None]) -> Windfall | None:
        held = {
            holder: (was, now)
            for holder, was, now in zip(self.watched, before[1:], after[1:], strict=True)
            if was is not None and now is not None
        }
        traded = max(abs(now - was) for was, now in held.values()) if held else 0
        pool, buyer = (held.get(holder, (0, 0)) for holder in self.watched[:2])
        moved = max(abs(pool[1] - pool[0]), abs(buyer[1] - buyer[0]))
        gained = sum(now - was for was, now in held.values())
        if traded == 0 or gained * BPS_ONE <= moved * MATERIAL_BPS or _is_rebase(held, before[0], after[0]):
            return None
        holder = max(held, key=lambda who: (who not in self.watched[:2], held[who][1] - held[who][0]))
        return Windfall(holder=holder, gained_raw=gained, traded_raw=moved)


def _is_rebase(held: Mapping[str, tuple[int, int]], before: int | None, after: int | None) -> bool:
    """Tell whether holders beside the trade changed by the same share as the supply."""
    if not before or after is None or after == before:
        return False
    beside = [(was, now) for was, now in list(held.values())[2:] if was > 0]
    return bool(beside) and all(
        abs(now * before - was * after) * BPS_ONE <= was * max(before, after) for was, now in beside
    )
