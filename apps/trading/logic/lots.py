"""Bought quantities and their cost, consumed first in, first out, without losing a unit."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True, kw_only=True)
class LotState:
    """``cost_raw`` was paid for the whole ``quantity_raw``, of which ``remaining_raw`` is still held."""

    quantity_raw: int
    remaining_raw: int
    cost_raw: int

    def __post_init__(self) -> None:
        assert 0 <= self.remaining_raw <= self.quantity_raw, (self.remaining_raw, self.quantity_raw)
        assert self.cost_raw >= 0, self.cost_raw

    @property
    def consumed_cost_raw(self) -> int:
        """Return the cost of what is gone, rounded down; all of it once nothing remains."""
        if self.remaining_raw == 0:
            return self.cost_raw
        return self.cost_raw * (self.quantity_raw - self.remaining_raw) // self.quantity_raw


@dataclass(frozen=True, slots=True, kw_only=True)
class Consumption:
    """What is left of the lots, what the consumed part had cost, and what could not be found in any lot."""

    lots: tuple[LotState, ...]
    cost_raw: int
    shortfall_raw: int


def consume(lots: tuple[LotState, ...], quantity_raw: int) -> Consumption:
    """Take ``quantity_raw`` from the lots, oldest first.

    Cost is the difference of two cumulative shares, so however a lot is cut its parts add up to its cost exactly.
    """
    assert quantity_raw >= 0, quantity_raw
    left, cost, after = quantity_raw, 0, []
    for lot in lots:
        taken = min(lot.remaining_raw, left)
        smaller = replace(lot, remaining_raw=lot.remaining_raw - taken) if taken else lot
        cost += smaller.consumed_cost_raw - lot.consumed_cost_raw
        left -= taken
        after.append(smaller)
    return Consumption(lots=tuple(after), cost_raw=cost, shortfall_raw=left)
