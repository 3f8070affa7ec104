"""Real swap histories from folders of public data, as trades seen from the token.

Two forms: a folder with swaps.* holds swaps with their addresses; one with sync_events.* holds reserves after each event,
from which amounts and sides follow, but nobody's address. For the latter addresses are drawn (see ``_drawn_traders``).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any, Final, Literal

from apps.domain.entities import Trade
from apps.domain.errors import ConfigurationError
from apps.intelligence.logic.wash import AGGREGATORS
from apps.intelligence.measuring.libraries import needed_library

#: Ethereum before its merge: blocks came every 13.2 seconds on average.
BLOCK_MS: Final = 13_200
#: A pool with fewer swaps holds nothing to measure.
SWAPS_MIN: Final = 30
POOLS_MAX: Final = 2_000
_FILES_MAX: Final = 20
_SUFFIXES: Final = (".parquet", ".csv", ".csv.gz")
_NEEDED: Final = (
    *("transaction_hash", "block_number", "contract_address", "abi_name", "transaction_position"),
    *("token_in_address", "token_in_amount", "token_out_address", "token_out_amount"),
)
_WRAPPED: Final = "0xc02aaa39b223fe8d0a0e5c4f27ead9083c756cc2"
_KINDS: Final = ("UniswapV2Pair", "UniswapV3Pool")
#: Of purchases by strangers to the pool: four fifths in the swaps whose addresses are known.
_NEW_BUYER_SHARE: Final = 0.8
#: Of sales that empty a wallet as nearly as possible.
_SELLS_ALL_SHARE: Final = 0.7
_EMPTIES_WITHIN: Final = 1.02  # the reserves are kept as floats of seven digits


@dataclass(frozen=True, slots=True, kw_only=True)
class SwapHistory:
    """One pool's swaps in the order of blocks. ``cross_pool`` are transactions that traded in other pools too.

    ``depths`` are the pool's reserves (quote, base) before each swap where they are known, else empty.
    """

    pool: str
    trades: tuple[Trade, ...]
    are_addresses_drawn: bool
    cross_pool: frozenset[str] = frozenset()
    contracts: frozenset[str] = frozenset()  # pools and aggregators: nobody's wallet
    depths: tuple[tuple[int, int], ...] = field(default=(), repr=False)
    #: Block and share (bps) of each removal of liquidity, and the quote side after the last event: known with reserves.
    removals: tuple[tuple[int, int], ...] = field(default=(), repr=False)
    last_quote_raw: int | None = None


def read_histories(folder: Path) -> list[SwapHistory]:
    """Return the histories of a folder, of pools with enough swaps. Raises ConfigurationError when it has none."""
    if _files(folder, "swaps"):
        found = _from_swaps(_rows(folder, "swaps", None))
    elif _files(folder, "sync_events"):
        found = _from_syncs(_rows(folder, "sync_events", ("pool", "block", "log_index", "weth", "token_raw")))
    else:
        raise ConfigurationError(
            f"{folder} holds no swaps.* and no sync_events.*.", remedy="Check --data and --test."
        )
    return sorted(found, key=lambda history: history.pool)[:POOLS_MAX]


# -- swaps with addresses -----------------------------------------------------------------
def _from_swaps(rows: Sequence[dict[str, Any]]) -> list[SwapHistory]:
    pools_of: defaultdict[str, set[str]] = defaultdict(set)
    by_pool: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        if row.get("error") or any(row[name] is None for name in _NEEDED):
            continue
        pools_of[row["transaction_hash"]].add(row["contract_address"])
        by_pool[row["contract_address"]].append(row)
    contracts = frozenset(by_pool) | AGGREGATORS
    cross_pool = frozenset(tx for tx, pools in pools_of.items() if len(pools) > 1)
    found: list[SwapHistory] = []
    for pool, own in by_pool.items():
        own.sort(key=lambda row: (row["block_number"], row["transaction_position"]))
        trades = tuple(
            trade
            for number, row in enumerate(own)
            if (trade := _trade_of(row, number, contracts)) is not None
        )
        if len(trades) >= SWAPS_MIN:
            found.append(
                SwapHistory(
                    pool=pool,
                    trades=trades,
                    are_addresses_drawn=False,
                    cross_pool=cross_pool.intersection(trade.tx_hash for trade in trades),
                    contracts=contracts,
                )
            )
    return found


def _trade_of(row: dict[str, Any], number: int, contracts: frozenset[str]) -> Trade | None:
    """Return a swap against the wrapped coin as a trade; the rest has no quote side that is comparable."""
    if row["abi_name"] not in _KINDS or _WRAPPED not in (row["token_in_address"], row["token_out_address"]):
        return None
    is_buy = row["token_in_address"] == _WRAPPED
    taken, given = int(float(row["token_in_amount"])), int(float(row["token_out_amount"]))
    if taken <= 0 or given <= 0:
        return None
    ends = (row.get("to_address"), row.get("from_address"))
    if not is_buy:
        ends = (ends[1], ends[0])
    # A router stands at the end where the coins are wrapped; the person stands at the other.
    trader = next((end for end in ends if end and end not in contracts), ends[0] or "")
    block = int(row["block_number"])
    return Trade(
        at_ms=block * BLOCK_MS,
        block=block,
        tx_hash=row["transaction_hash"],
        log_index=number,
        address=trader,
        side="buy" if is_buy else "sell",
        base_raw=given if is_buy else taken,
        quote_raw=taken if is_buy else given,
    )


# -- reserves without addresses -----------------------------------------------------------
def _from_syncs(rows: Sequence[dict[str, Any]]) -> list[SwapHistory]:
    by_pool: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        by_pool[row["pool"]].append(row)
    found: list[SwapHistory] = []
    for pool, own in by_pool.items():
        own.sort(key=lambda row: (row["block"], row["log_index"]))
        steps = [_swap_between(pool, before, after) for before, after in pairwise(own)]
        swaps = [(trade, before) for trade, before in zip(steps, own, strict=False) if trade is not None]
        if len(swaps) >= SWAPS_MIN:
            found.append(
                SwapHistory(
                    pool=pool,
                    trades=tuple(_drawn_traders((trade for trade, _ in swaps), Random(f"traders/{pool}"))),  # noqa: S311
                    are_addresses_drawn=True,
                    depths=tuple(
                        (int(before["weth"] * 1e18), int(before["token_raw"])) for _, before in swaps
                    ),
                    removals=tuple(
                        (int(after["block"]), int((1 - after["weth"] / before["weth"]) * 10_000))
                        for before, after in pairwise(own)
                        if after["weth"] < before["weth"] and after["token_raw"] < before["token_raw"]
                    ),
                    last_quote_raw=int(own[-1]["weth"] * 1e18),
                )
            )
    return found


def _swap_between(pool: str, before: dict[str, Any], after: dict[str, Any]) -> Trade | None:
    """Return the swap between two states of the reserves; None when both went one way: liquidity came or went."""
    quote = int((after["weth"] - before["weth"]) * 1e18)
    base = int(after["token_raw"] - before["token_raw"])
    if quote * base >= 0:
        return None
    side: Literal["buy", "sell"] = "buy" if quote > 0 else "sell"
    return Trade(
        at_ms=int(after["block"]) * BLOCK_MS,
        block=int(after["block"]),
        tx_hash=f"{pool}:{after['block']}:{after['log_index']}",
        log_index=int(after["log_index"]),
        address="",
        side=side,
        base_raw=abs(base),
        quote_raw=abs(quote),
    )


def _drawn_traders(trades: Iterable[Trade], chance: Random) -> list[Trade]:
    """Give each swap a drawn address: most buyers are new, most sellers sell all they hold, nobody sells what he lacks.

    A sale that no holder's balance covers comes from somebody who was given the tokens.
    """
    held: dict[str, int] = {}
    found: list[Trade] = []
    for trade in trades:
        if trade.side == "buy":
            is_new = not held or chance.random() < _NEW_BUYER_SHARE
            who = _address(chance) if is_new else chance.choice(list(held))
            held[who] = held.get(who, 0) + trade.base_raw
        else:
            who = _seller(trade, held, chance)
            held[who] = max(held.get(who, 0) - trade.base_raw, 0)
        found.append(replace(trade, address=who))
    return found


def _seller(trade: Trade, held: dict[str, int], chance: Random) -> str:
    able = [who for who, amount in held.items() if amount * _EMPTIES_WITHIN >= trade.base_raw and amount]
    if not able:
        return _address(chance)
    if chance.random() < _SELLS_ALL_SHARE:
        return min(able, key=lambda who: (held[who], who))
    return chance.choice(able)


def _address(chance: Random) -> str:
    return f"0x{chance.getrandbits(160):040x}"


# -- files --------------------------------------------------------------------------------
def _files(folder: Path, first_part: str) -> list[Path]:
    if not folder.is_dir():
        return []
    found = [item for item in folder.glob(f"{first_part}.*") if item.name.endswith(_SUFFIXES)]
    return sorted(found)[:_FILES_MAX]


def _rows(folder: Path, first_part: str, columns: Sequence[str] | None) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for path in _files(folder, first_part):
        if path.suffix == ".parquet":
            table = needed_library("pyarrow.parquet").read_table(path)
        else:
            table = needed_library("pyarrow.csv").read_csv(path)
        needed = _NEEDED if columns is None else columns
        absent = [name for name in needed if name not in table.column_names]
        if absent:
            raise ConfigurationError(
                f"{path.name} has no column {absent[0]}.",
                remedy="Give it the columns " + ", ".join(needed) + ".",
            )
        found += (table if columns is None else table.select(list(columns))).to_pylist()
    return found
