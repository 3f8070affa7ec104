"""Made-up launches for the tests of the probability of loss: no data of others is kept here."""

from __future__ import annotations

import random
from collections.abc import Sequence

from apps.risk.model.dataset import Labelled, Pool, Pools
from apps.risk.model.history import ZERO_ADDRESS

POOL = "0x" + "ab" * 20
MAKER = "0x" + "11" * 20
LOCKER = "0x663a5c229c09b049e36dcc11a9b0d4a8eb9db214"


#: LP tokens of the funding: the smallest amount is burned, the rest is the maker's.
MINTED = ((100, ZERO_ADDRESS, ZERO_ADDRESS, 1e3), (100, ZERO_ADDRESS, MAKER, 3e21))


def pool(
    *,
    key: str = POOL,
    steps: Sequence[tuple[int, float, float]] = (
        (100, 10.0, 1e24),
        (105, 11.0, 0.91e24),
        (140, 10.5, 0.955e24),
    ),
    transfers: Sequence[tuple[int, str, str, float]] | None = None,
    outcome: str = "alive",
    drain_block: int = -1,
    era: str = "2021",
) -> Pool:
    """Return a pool funded in block 100 with 10 coins, one buy, one sell."""
    return Pool(
        key=key,
        era=era,
        created_block=98,
        first_block=steps[0][0],
        base_decimals=18,
        steps=steps,
        transfers=MINTED if transfers is None else transfers,
        outcome=outcome,
        drain_block=drain_block,
    )


def market(*, size: int, seed: int = 1) -> Pools:
    """Return pools of which the honest ones lock their liquidity and are traded more."""
    chance = random.Random(seed)
    pools = []
    for number in range(size):
        lost = chance.random() < 0.6
        quote, base, block = chance.uniform(2, 20), 1e24, 100
        steps = [(block, quote, base)]
        for _ in range(chance.randrange(2, 12 if lost else 30)):
            block += chance.randrange(1, 20)
            factor = 1 + chance.uniform(0.01, 0.2) * (1 if chance.random() < 0.6 else -0.9)
            quote, base = quote * factor, base / factor
            steps.append((block, quote, base))
        maker = f"0x{number:040x}"
        transfers = [(100, ZERO_ADDRESS, maker, 3e21)]
        if chance.random() < (0.2 if lost else 0.8):
            transfers.append((110, maker, LOCKER, 3e21))
        pools.append(
            pool(
                key=f"0x{number + 10**6:040x}",
                steps=steps,
                transfers=transfers,
                outcome="drained" if lost else "alive",
                drain_block=10_000 if lost else -1,
                era="2021" if number % 3 else "2020",
            )
        )
    return Pools(pools)


def rows(*, size: int, seed: int = 1, horizon: int = 300) -> list[Labelled]:
    """Return the market's pools as they looked at an age."""
    return list(market(size=size, seed=seed).cut(horizon))
