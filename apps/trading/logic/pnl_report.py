"""Results by day, chain, token or exit: realised on the pieces that were sold, unrealised on what is held."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, get_args

By = Literal["day", "chain", "token", "exit"]
BYS: tuple[By, ...] = get_args(By)


@dataclass(frozen=True, slots=True, kw_only=True)
class PnlItem:
    """One thing that counts: a sold piece, gas, or a holding. Raw figures are units of the chain's own coin.

    ``unrealised_raw`` None on a holding: it has no fresh mark, which is not zero.
    """

    group: str
    chain_key: str
    sales: int = 0
    realised_raw: int = 0  # proceeds less cost, token taxes in both, before gas
    realised_usd_micros: int | None = 0
    fees_raw: int = 0
    fees_usd_micros: int | None = 0
    holdings: int = 0
    unrealised_raw: int | None = 0
    unrealised_usd_micros: int | None = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PnlRow:
    """The sums of a group on one chain. ``unpriced``: parts whose worth in dollars is unknown, left out of USD sums.

    ``unmarked``: holdings without a fresh mark, left out of the unrealised sums.
    """

    group: str
    chain_key: str
    sales: int
    realised_raw: int
    fees_raw: int
    realised_usd_micros: int
    fees_usd_micros: int
    holdings: int
    unrealised_raw: int
    unrealised_usd_micros: int
    unpriced: int
    unmarked: int

    @property
    def net_raw(self) -> int:
        """Return the realised result after gas."""
        return self.realised_raw - self.fees_raw

    @property
    def net_usd_micros(self) -> int:
        """Return the realised result after gas in dollars, of what had a price."""
        return self.realised_usd_micros - self.fees_usd_micros


def pnl_rows(items: Iterable[PnlItem]) -> tuple[PnlRow, ...]:
    """Return the sums by group and chain, in the order of their names."""
    groups: dict[tuple[str, str], list[PnlItem]] = {}
    for item in items:
        groups.setdefault((item.group, item.chain_key), []).append(item)
    return tuple(_row(group, chain_key, found) for (group, chain_key), found in sorted(groups.items()))


def _row(group: str, chain_key: str, items: list[PnlItem]) -> PnlRow:
    return PnlRow(
        group=group,
        chain_key=chain_key,
        sales=sum(item.sales for item in items),
        realised_raw=sum(item.realised_raw for item in items),
        fees_raw=sum(item.fees_raw for item in items),
        realised_usd_micros=sum(item.realised_usd_micros or 0 for item in items),
        fees_usd_micros=sum(item.fees_usd_micros or 0 for item in items),
        holdings=sum(item.holdings for item in items),
        unrealised_raw=sum(item.unrealised_raw or 0 for item in items),
        unrealised_usd_micros=sum(item.unrealised_usd_micros or 0 for item in items),
        unpriced=sum(
            None in (item.realised_usd_micros, item.fees_usd_micros)
            or (item.unrealised_raw is not None and item.unrealised_usd_micros is None)
            for item in items
        ),
        unmarked=sum(item.unrealised_raw is None for item in items),
    )
