"""What a pool's first hours look like from outside: the raw material of the probability of loss."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

#: So many reserve updates and so many LP transfers are looked at, the oldest first: training data holds no more.
STEPS_MAX = 250
LP_TRANSFERS_MAX = 250

ZERO_ADDRESS = "0x0000000000000000000000000000000000000000"
#: Where burned LP tokens lie: nobody has the keys.
BURN_ADDRESSES = frozenset(
    {
        ZERO_ADDRESS,
        "0x000000000000000000000000000000000000dead",
        "0xdead000000000000000042069420694206942069",
    }
)

#: By name. None: cannot be known.
Features = Mapping[str, float | None]


@dataclass(frozen=True, slots=True)
class ReserveStep:
    """A pool's reserves after one change. Quote in whole coins, base in raw units; ``age_s`` since the first step."""

    block: int
    age_s: float
    quote: float
    base: float


@dataclass(frozen=True, slots=True)
class LpTransfer:
    """One transfer of the pool's own LP token; addresses in comparable form (lower case on EVM)."""

    age_s: float
    sender: str
    recipient: str
    amount: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LpShares:
    """Who holds the pool's LP tokens, as shares 0..1 of all; None when unknown."""

    maker: float | None
    locked: float | None
    burned: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolHistory:
    """Everything known of a pool at the age ``cut_age_s`` after its first reserves, oldest first.

    A part that is not known is None. Where the reserve path is put together from swaps alone, ``sees_liquidity`` is
    False: liquidity that came or went in between was not seen. ``earlier_pools`` counts the same maker's pools before
    this one, ``earlier_dead`` those of them that were empty by now.
    """

    pool: str
    cut_age_s: float
    steps: Sequence[ReserveStep] | None
    sees_liquidity: bool = True
    lp_transfers: Sequence[LpTransfer] | None = None
    lp_shares: LpShares | None = None  # read from balances; used where the transfers are unknown
    lockers: frozenset[str] = frozenset()  # contracts that hold LP tokens until a time
    created_before_s: float | None = None  # from the pool's creation to its first reserves
    base_decimals: int | None = None
    earlier_pools: int | None = None
    earlier_dead: int | None = None

    def __post_init__(self) -> None:
        assert all(step.age_s <= self.cut_age_s for step in self.steps or ()), (
            "a reserve update of the future"
        )
        assert all(item.age_s <= self.cut_age_s for item in self.lp_transfers or ()), (
            "an LP transfer of the future"
        )
