"""Labelled histories read from folders of public data, cut at an age: nothing after the cut becomes an input."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from apps.domain.errors import ConfigurationError
from apps.intelligence.measuring.libraries import needed_library
from apps.risk.model.features import features
from apps.risk.model.history import Features, LpTransfer, PoolHistory, ReserveStep
from apps.risk.model.lp import maker_of

#: Ethereum before its merge: blocks came every 13.2 seconds on average.
BLOCK_S = 13.2
#: A pool whose quote side is at most this share of its peak is empty.
EMPTY_SHARE = 0.01
#: The locking contracts of 2021 (UNCX V2, Team Finance) on Ethereum.
LOCKERS = frozenset(
    {"0x663a5c229c09b049e36dcc11a9b0d4a8eb9db214", "0xe2fe530c047f2d85298b07d9333c05737f1435fb"}
)
_FILES_MAX = 20
_SUFFIXES = (".parquet", ".csv", ".csv.gz")
_OUTCOMES = {"drained": True, "alive": False}


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """One pool or token with its inputs and what became of it. ``group``: rows that never part in a split."""

    key: str
    group: str
    features: Features
    lost: bool
    era: str = ""  # the data set's part, for figures by part


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """One pool's whole record. Only ``cut`` hands it out, and only up to an age."""

    key: str
    era: str
    created_block: int
    first_block: int
    base_decimals: int | None
    steps: Sequence[tuple[int, float, float]]  # block, quote, base; in log order
    transfers: Sequence[tuple[int, str, str, float]] | None  # block, sender, recipient, amount; in log order
    outcome: str
    drain_block: int  # -1: never

    @property
    def maker(self) -> str | None:
        """Return who received the first LP tokens."""
        return maker_of([LpTransfer(0.0, item[1], item[2], item[3]) for item in self.transfers or ()])


@dataclass(frozen=True, slots=True)
class Pools:
    """A data set of pool histories."""

    pools: Sequence[Pool]

    def cut(self, horizon_blocks: int) -> Iterator[Labelled]:
        """Give the pools that are judged at this age, as they looked then.

        Left out are those without a clear outcome, and those that were already empty: there is nothing left to lose.
        """
        by_maker: defaultdict[str, list[Pool]] = defaultdict(list)
        makers = {pool.key: pool.maker for pool in self.pools}
        for pool in self.pools:
            by_maker[makers[pool.key] or ""].append(pool)
        for pool in self.pools:
            lost = _OUTCOMES.get(pool.outcome)
            if lost is None or 0 <= pool.drain_block <= pool.first_block + horizon_blocks:
                continue
            maker = makers[pool.key]
            earlier = [] if maker is None else by_maker[maker]
            history = history_at(pool, horizon_blocks, same_maker=None if maker is None else earlier)
            yield Labelled(
                key=pool.key, group=maker or pool.key, features=features(history), lost=lost, era=pool.era
            )


def history_at(pool: Pool, horizon_blocks: int, *, same_maker: Sequence[Pool] | None) -> PoolHistory:
    """Return the pool as it could be seen ``horizon_blocks`` after its first reserves."""
    first, cut = pool.first_block, pool.first_block + horizon_blocks
    transfers = None
    if pool.transfers is not None:
        transfers = [
            LpTransfer(_age(block, first), sender, recipient, amount)
            for block, sender, recipient, amount in pool.transfers
            if block <= cut
        ]
    earlier = None if same_maker is None else [item for item in same_maker if item.first_block < first]
    return PoolHistory(
        pool=pool.key,
        cut_age_s=horizon_blocks * BLOCK_S,
        steps=[
            ReserveStep(block, _age(block, first), quote, base)
            for block, quote, base in pool.steps
            if block <= cut
        ],
        lp_transfers=transfers,
        lockers=LOCKERS,
        created_before_s=max(first - pool.created_block, 0) * BLOCK_S,
        base_decimals=pool.base_decimals,
        earlier_pools=None if earlier is None else len(earlier),
        earlier_dead=None if earlier is None else sum(_is_empty(item, cut) for item in earlier),
    )


def _age(block: int, first: int) -> float:
    return max(block - first, 0) * BLOCK_S


def _is_empty(pool: Pool, block: int) -> bool:
    seen = [quote for at, quote, _ in pool.steps if at <= block]
    return bool(seen) and seen[-1] <= EMPTY_SHARE * max(seen)


# -- reading ------------------------------------------------------------------------------
def read_pools(folder: Path) -> Pools:
    """Return the pools of a folder with pools.*, sync_events.* and, where known, lp_transfers.*."""
    steps = _grouped(folder, "sync_events", ("block", "weth", "token_raw"))
    transfers = _grouped(folder, "lp_transfers", ("block", "from", "to", "lp_value"), is_needed=False)
    columns = ("pool", "source_set", "created_block", "first_block", "decimals", "outcome", "drain_block")
    pools = [
        Pool(
            key=row["pool"],
            era=str(row["source_set"]),
            created_block=int(row["created_block"]),
            first_block=int(row["first_block"]),
            base_decimals=None if row["decimals"] is None else int(row["decimals"]),
            steps=[
                (int(block), float(quote), float(base)) for block, quote, base in steps.get(row["pool"], ())
            ],
            transfers=transfers.get(row["pool"]),
            outcome=str(row["outcome"]),
            drain_block=int(row["drain_block"]),
        )
        for row in _rows(folder, "pools", columns)
    ]
    return Pools(sorted(pools, key=lambda pool: pool.key))


#: What says whether a token's liquidity was removed, and whose token it was; everything else is an input.
_TOKEN_KEY, _TOKEN_LABEL = "id", "rug"


def read_tokens(folder: Path) -> list[Labelled]:
    """Return the tokens of a folder with data.*: one row of figures each, and whether liquidity was removed.

    Tokens with exactly the same figures never part in a split: they may be one launch listed twice.
    """
    rows = []
    for row in sorted(_rows(folder, "data", None), key=lambda row: str(row[_TOKEN_KEY])):
        figures = {
            name: None if value is None else float(value)
            for name, value in row.items()
            if name not in (_TOKEN_KEY, _TOKEN_LABEL)
        }
        rows.append(
            Labelled(
                key=str(row[_TOKEN_KEY]),
                group=repr(tuple(figures.values())),
                features=figures,
                lost=bool(int(row[_TOKEN_LABEL])),
            )
        )
    return rows


def is_pools(folder: Path) -> bool:
    """Tell whether the folder holds pool histories; otherwise tables of tokens. Raises when it holds neither."""
    if _files(folder, "pools") and _files(folder, "sync_events"):
        return True
    if _files(folder, "data"):
        return False
    raise ConfigurationError(
        f"{folder} holds no data set that is known here.",
        remedy="Name a folder with pools.* and sync_events.* (and lp_transfers.*), or one with data.* of tokens.",
    )


def _files(folder: Path, first_part: str) -> list[Path]:
    if not folder.is_dir():
        return []
    found = [item for item in folder.glob(f"{first_part}.*") if item.name.endswith(_SUFFIXES)]
    return sorted(found)[:_FILES_MAX]


def _rows(
    folder: Path, first_part: str, columns: Sequence[str] | None, *, is_needed: bool = True
) -> list[dict[str, Any]]:
    """Return these columns of all files whose names begin so; a column that is absent is None."""
    files = _files(folder, first_part)
    if is_needed and not files:
        raise ConfigurationError(f"{folder} has no file {first_part}.*.", remedy="Check --data and --test.")
    found: list[dict[str, Any]] = []
    for path in files:
        table = _library("pyarrow.parquet").read_table(path) if path.suffix == ".parquet" else _read_csv(path)
        names = (
            table.column_names
            if columns is None
            else [name for name in columns if name in table.column_names]
        )
        absent: Mapping[str, None] = {name: None for name in columns or () if name not in table.column_names}
        found += [{**absent, **row} for row in table.select(names).to_pylist()]
    return found


def _read_csv(path: Path) -> Any:
    return _library("pyarrow.csv").read_csv(path)


def _grouped(
    folder: Path, first_part: str, columns: Sequence[str], *, is_needed: bool = True
) -> dict[str, list[tuple[Any, ...]]]:
    """Return a file's rows by pool, in log order."""
    rows = _rows(folder, first_part, ("pool", "log_index", *columns), is_needed=is_needed)
    rows.sort(key=lambda row: (row["pool"], row["block"], row["log_index"]))
    found: defaultdict[str, list[tuple[Any, ...]]] = defaultdict(list)
    for row in rows:
        found[row["pool"]].append(tuple(row[name] for name in columns))
    return dict(found)


def _library(name: str) -> Any:
    return needed_library(name)
