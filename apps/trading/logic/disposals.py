"""Which bought quantity a sale sold: first in first out, last in first out, or the dearest first.

The books of the system are first in, first out (``logic.lots``); this is for tax, where the law of one's country
decides. A quantity and its cost are split without losing a unit: pieces are differences of cumulative shares.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cmp_to_key
from typing import Literal, get_args

Method = Literal["fifo", "lifo", "hifo"]
METHODS: tuple[Method, ...] = get_args(Method)


@dataclass(frozen=True, slots=True, kw_only=True)
class Acquisition:
    """A quantity that came. ``cost_raw`` is in the chain's coin, 0 for what came as a gift; USD None: no price then."""

    key: str
    place: int  # in the journal: what was booked before came before, whatever two clocks say
    at_ms: int
    quantity_raw: int
    cost_raw: int
    cost_usd_micros: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Disposal:
    """A quantity that went. ``proceeds_raw`` may be negative when its gas was dearer than what it brought."""

    key: str
    place: int
    at_ms: int
    quantity_raw: int
    proceeds_raw: int
    proceeds_usd_micros: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """What one disposal took out of one acquisition, with its share of cost and proceeds."""

    acquisition: Acquisition
    disposal: Disposal
    quantity_raw: int
    cost_raw: int
    proceeds_raw: int
    cost_usd_micros: int | None
    proceeds_usd_micros: int | None

    @property
    def gain_raw(self) -> int:
        """Return proceeds less cost, in the chain's coin."""
        return self.proceeds_raw - self.cost_raw

    @property
    def gain_usd_micros(self) -> int | None:
        """Return proceeds less cost at the prices of their days; None when one of them had no price."""
        if self.proceeds_usd_micros is None or self.cost_usd_micros is None:
            return None
        return self.proceeds_usd_micros - self.cost_usd_micros


@dataclass(frozen=True, slots=True, kw_only=True)
class Rest:
    """What is still held of an acquisition."""

    acquisition: Acquisition
    quantity_raw: int
    cost_raw: int
    cost_usd_micros: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Matching:
    """All pieces in the order of their disposals, what is held, and what was disposed of without having come."""

    pieces: tuple[Piece, ...]
    rests: tuple[Rest, ...]
    shortfalls: tuple[tuple[Disposal, int], ...]


@dataclass(slots=True)
class _Open:
    acquisition: Acquisition
    order: int
    taken_raw: int = field(default=0)

    @property
    def left_raw(self) -> int:
        return self.acquisition.quantity_raw - self.taken_raw


def match(acquisitions: Sequence[Acquisition], disposals: Sequence[Disposal], *, method: Method) -> Matching:
    """Match what went with what had come before; of one place, what came counts as earlier."""
    coming = sorted(enumerate(acquisitions), key=lambda item: (item[1].place, item[0]))
    opened: list[_Open] = []
    pieces: list[Piece] = []
    shortfalls: list[tuple[Disposal, int]] = []
    number = 0
    for disposal in sorted(disposals, key=lambda item: item.place):
        while number < len(coming) and coming[number][1].place <= disposal.place:
            opened.append(_Open(coming[number][1], number))
            number += 1
        taken, short = _take(opened, disposal, method)
        pieces += taken
        if short:
            shortfalls.append((disposal, short))
        opened = [item for item in opened if item.left_raw]
    opened += [_Open(item, place) for place, (_, item) in enumerate(coming[number:], start=number)]
    return Matching(
        pieces=tuple(pieces),
        rests=tuple(_rest(item) for item in opened if item.left_raw),
        shortfalls=tuple(shortfalls),
    )


def _take(opened: list[_Open], disposal: Disposal, method: Method) -> tuple[list[Piece], int]:
    wanted, sold, pieces = disposal.quantity_raw, 0, []
    for item in _in_order(opened, method):
        if sold == wanted:
            break
        quantity = min(item.left_raw, wanted - sold)
        before, after = item.taken_raw, item.taken_raw + quantity
        whole = item.acquisition
        pieces.append(
            Piece(
                acquisition=whole,
                disposal=disposal,
                quantity_raw=quantity,
                cost_raw=_between(whole.cost_raw, before, after, whole.quantity_raw),
                proceeds_raw=_between(disposal.proceeds_raw, sold, sold + quantity, wanted),
                cost_usd_micros=None
                if whole.cost_usd_micros is None
                else _between(whole.cost_usd_micros, before, after, whole.quantity_raw),
                proceeds_usd_micros=None
                if disposal.proceeds_usd_micros is None
                else _between(disposal.proceeds_usd_micros, sold, sold + quantity, wanted),
            )
        )
        item.taken_raw = after
        sold += quantity
    return pieces, wanted - sold


def _in_order(opened: Sequence[_Open], method: Method) -> list[_Open]:
    if method == "fifo":
        return sorted(opened, key=lambda item: item.order)
    if method == "lifo":
        return sorted(opened, key=lambda item: -item.order)
    return sorted(opened, key=cmp_to_key(_dearer_first))


def _dearer_first(one: _Open, other: _Open) -> int:
    """Compare unit costs without dividing; of equal ones the older goes first."""
    a, b = one.acquisition, other.acquisition
    difference = b.cost_raw * a.quantity_raw - a.cost_raw * b.quantity_raw
    return difference or one.order - other.order


def _between(whole: int, before: int, after: int, of: int) -> int:
    """Return the share of ``whole`` that lies between two cumulative quantities: adjacent shares add up exactly."""
    return whole * after // of - whole * before // of


def _rest(item: _Open) -> Rest:
    whole, taken, quantity = item.acquisition, item.taken_raw, item.acquisition.quantity_raw
    usd = whole.cost_usd_micros
    return Rest(
        acquisition=whole,
        quantity_raw=item.left_raw,
        cost_raw=_between(whole.cost_raw, taken, quantity, quantity),
        cost_usd_micros=None if usd is None else _between(usd, taken, quantity, quantity),
    )
