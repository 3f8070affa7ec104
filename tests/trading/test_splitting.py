"""Entries in parts: only where an attack on the whole costs more than the further gas, and never dearer than that."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from apps.domain.order import OrderStatus
from apps.state.services.config import config_change
from apps.trading.logic import slippage
from apps.trading.logic.record import EntryInputs, decision_from_inputs, entry_inputs
from apps.trading.logic.splitting import Split, split
from apps.trading.models import AdvancedOrder
from apps.trading.services.advanced_orders import plan_of
from tests.trading import cases
from tests.trading.conftest import World
from tests.trading.test_steering import case, step

ETHER = cases.ETHER
GIVEN: dict[str, int] = {
    "free_raw": 100,
    "wanted_raw": 250,
    "least_raw": 10,
    "slippage_bps": 300,
    "gas_each_raw": 1,
    "round_trip_raw": 2,
    "fee_share_max_bps": 500,
    "slices_max": 4,
}


def test_split_when_an_attack_costs_more_than_gas_then_as_few_parts_as_are_safe() -> None:
    assert split(**GIVEN) == Split(slices=3, total_raw=250, spared_raw=4, gas_raw=2)


def test_split_when_it_is_not_worth_it_then_one_part() -> None:
    for changes in (
        {"gas_each_raw": 2},  # 4 for gas is not less than the 4 of an attack
        {"wanted_raw": 100},
        {"slices_max": 1},
        {"free_raw": 0},
        {"round_trip_raw": 20},  # gas would eat more than its share
        {"wanted_raw": 105},  # its second part would be too small
    ):
        assert split(**GIVEN | changes) is None, changes


@given(
    free=st.integers(1, 10**6),
    wanted=st.integers(0, 10**7),
    least=st.integers(1, 10**5),
    gas=st.integers(0, 10**4),
    most=st.integers(1, 10),
)
def test_split_then_every_part_is_free_of_attacks_and_the_whole_within_what_is_wanted(
    free: int, wanted: int, least: int, gas: int, most: int
) -> None:
    found = split(
        **GIVEN
        | {
            "free_raw": free,
            "wanted_raw": wanted,
            "least_raw": least,
            "gas_each_raw": gas,
            "slices_max": most,
        }
    )
    if found is None:
        return
    assert 2 <= found.slices <= most
    assert found.total_raw <= wanted
    part = -(-(found.total_raw - free) // (found.slices - 1))
    assert part <= free
    assert found.gas_raw < found.spared_raw


def split_case(**changes: Any) -> Any:
    config = cases.config(execution={"split_slices_max": 4, **changes})
    pool = cases.reserves(quote=10 * ETHER)
    return case(reserves=pool, has_public_mempool=True, block_time_ms=2_000, config=config)


def test_entry_when_seen_by_strangers_then_its_rest_follows_at_no_worse_a_price() -> None:
    decided = step(split_case())
    assert decided.further is not None
    assert decided.amount_in is not None
    assert decided.amount_in.raw + decided.further.total_raw <= 250 * ETHER // 3_000
    assert decided.further.interval_ms == slippage.INCLUSION_BLOCKS * 2_000
    assert [item.code for item in decided.adjustments][-1] == "SPLIT_OVER_BLOCKS"
    again = decision_from_inputs(entry_inputs(EntryInputs(case=split_case())))
    assert again.further == decided.further
    one = step(split_case(split_slices_max=1))
    assert (one.further, one.amount_in) == (None, decided.amount_in)


def test_first_part_when_filled_then_a_twap_buys_the_rest_once(world: World):
    config_change(payload={"execution": {"split_slices_max": 4}}, by="olga", reason="parts")
    world.profile = replace(world.profile, has_public_mempool=True)
    world.ports = replace(world.ports, profile=world.profile)
    order = world.decide(world.pair(quote=10 * ETHER))
    assert order is not None
    world.execute(order)
    world.chain.mine()
    assert world.settle(order) is OrderStatus.FILLED
    row = AdvancedOrder.objects.get()
    assert (row.kind, row.side, row.source, row.epoch) == ("twap", "buy", "entry", order.epoch)
    assert row.position is not None
    assert plan_of(row).total_raw + row.position.cost_raw <= 250 * ETHER // 3_000
    world.settle(order)
    assert AdvancedOrder.objects.count() == 1
