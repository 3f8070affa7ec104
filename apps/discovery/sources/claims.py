"""What both feeds share: addresses, numbers and leftovers of an answer, checked at the edge."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Context, Decimal, InvalidOperation
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from apps.discovery.logic.sample import printable_sample
from apps.domain.errors import SniperError
from apps.domain.market import FeedItem, FeedLeftovers, FeedReject
from apps.domain.money import usd_to_micros

_Model = TypeVar("_Model", bound=BaseModel)
_Result = TypeVar("_Result")

#: No pool and no price is beyond these; a figure outside is a fault of the feed or an attack.
LIQUIDITY_MAX_USD = Decimal(10) ** 12
PRICE_MAGNITUDE_MAX = 60  # powers of ten, up and down
_PRICE = Context(prec=40)
CREATED_MIN_MS = 1_420_070_400_000  # 2015
CREATED_MAX_MS = 4_102_444_800_000  # 2100
ITEMS_PER_ANSWER_MAX = 1_000
REJECTS_MAX = 50  # samples kept of one call: a feed that is broken throughout needs no more
_SAMPLE_LENGTH_MAX = 1_500
#: An EVM account, or the 32-byte id of a pool without an address of its own (Uniswap v4).
_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}|0x[0-9a-fA-F]{64}|[1-9A-HJ-NP-Za-km-z]{32,44}")


class SenselessError(ValueError):
    """One item of an answer cannot be used; the text says why."""


@dataclass(slots=True)
class Harvest:
    """Gathers the items of one call, and what is left over."""

    items: list[FeedItem] = field(default_factory=list)
    rejected: list[FeedReject] = field(default_factory=list)
    unknown_chains: dict[str, int] = field(default_factory=dict)
    faults: list[SniperError] = field(default_factory=list)
    answers: int = 0

    def each(self, entries: Sequence[Any], read: Callable[[Any], _Result | None]) -> list[_Result]:
        """Return what ``read`` makes of each entry; one that makes no sense is kept as a reject."""
        results: list[_Result] = []
        for entry in entries[:ITEMS_PER_ANSWER_MAX]:
            try:
                result = read(entry)
            except SenselessError as error:
                if len(self.rejected) < REJECTS_MAX:
                    self.rejected.append(FeedReject(reason=str(error), sample=sample_of(entry)))
                continue
            if result is not None:
                results.append(result)
        return results

    def skip_chain(self, name: str) -> None:
        """Count an item of a chain that we do not trade on."""
        known = printable_sample(name, length_max=40)
        if known in self.unknown_chains or len(self.unknown_chains) < REJECTS_MAX:
            self.unknown_chains[known] = self.unknown_chains.get(known, 0) + 1

    def leftovers(self) -> FeedLeftovers:
        """Return everything that is not an item."""
        return FeedLeftovers(
            rejected=tuple(self.rejected),
            unknown_chains=dict(self.unknown_chains),
            faults=tuple(self.faults),
        )


def model_of(kind: type[_Model], entry: Any) -> _Model:
    """Return the entry as its model. Raises SenselessError that names the fields, not their contents."""
    try:
        return kind.model_validate(entry)
    except ValidationError as error:
        faults = [".".join(str(part) for part in fault["loc"]) or "item" for fault in error.errors()[:5]]
        raise SenselessError(f"not readable: {', '.join(faults)}") from None


def address_of(text: str | None, *, what: str) -> str:
    """Return a well-formed address. Raises SenselessError."""
    if text is None or _ADDRESS.fullmatch(text) is None:
        raise SenselessError(f"{what} is not an address")
    return text


def liquidity_micros(usd: Decimal | None) -> int | None:
    """Return US dollars as micros; a missing figure stays unknown. Raises SenselessError."""
    if usd is None:
        return None
    if not 0 <= usd <= LIQUIDITY_MAX_USD:
        raise SenselessError("liquidity is absurd")
    return usd_to_micros(usd)


def price_text(text: str | None) -> str | None:
    """Return a price as plain decimal text; missing or zero stays unknown. Raises SenselessError."""
    if text is None:
        return None
    try:
        price = Decimal(text)
    except InvalidOperation:
        raise SenselessError("price is not a number") from None
    if not price.is_finite() or price < 0 or (price != 0 and abs(price.adjusted()) > PRICE_MAGNITUDE_MAX):
        raise SenselessError("price is absurd")
    return None if price == 0 else format(_PRICE.plus(price), "f")


def created_ms(moment_ms: int | None) -> int | None:
    """Return a creation time; a missing one stays unknown. Raises SenselessError."""
    if moment_ms is not None and not CREATED_MIN_MS <= moment_ms <= CREATED_MAX_MS:
        raise SenselessError("creation time is absurd")
    return moment_ms


def sample_of(entry: Any) -> str:
    """Return an entry as bounded, printable text."""
    try:
        text = json.dumps(entry, default=str)
    except (TypeError, ValueError, RecursionError):
        text = type(entry).__name__
    return printable_sample(text, length_max=_SAMPLE_LENGTH_MAX)


def once_each(items: Iterable[FeedItem]) -> tuple[FeedItem, ...]:
    """Return the items without repeats of one pool and kind; the first stands."""
    by_pool: dict[tuple[str, str, str], FeedItem] = {}
    for item in items:
        by_pool.setdefault((item.kind, item.chain_key, item.pool_address.lower()), item)
    return tuple(by_pool.values())
