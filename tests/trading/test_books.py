"""Laws of lots, results and journal entries."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from apps.domain.money import Amount
from apps.trading.logic import ledger
from apps.trading.logic.lots import LotState, consume
from apps.trading.logic.pnl import FillAmounts, pnl_of, position_totals
from tests.trading import cases

raw = st.integers(min_value=0, max_value=2**256 - 1)
lots_strategy = st.lists(st.tuples(st.integers(1, 10**30), st.integers(0, 10**30)), max_size=6).map(
    lambda rows: tuple(LotState(quantity_raw=q, remaining_raw=q, cost_raw=c) for q, c in rows)
)


@given(lots=lots_strategy, cuts=st.lists(st.integers(0, 10**30), max_size=8))
def test_lots_however_cut_then_quantity_and_cost_are_conserved(lots: tuple[LotState, ...], cuts: list[int]):
    bought, cost = sum(lot.quantity_raw for lot in lots), sum(lot.cost_raw for lot in lots)
    taken = charged = 0
    state = lots
    for cut in cuts:
        result = consume(state, cut)
        state = result.lots
        taken += cut - result.shortfall_raw
        charged += result.cost_raw
        assert result.cost_raw >= 0
    left = sum(lot.remaining_raw for lot in state)
    assert taken + left == bought
    rest = consume(state, left)
    assert charged + rest.cost_raw == cost
    assert rest.shortfall_raw == 0


def test_lots_when_sold_in_part_then_the_oldest_goes_first():
    first = LotState(quantity_raw=10, remaining_raw=10, cost_raw=100)
    second = LotState(quantity_raw=10, remaining_raw=10, cost_raw=900)
    result = consume((first, second), 15)
    assert [lot.remaining_raw for lot in result.lots] == [0, 5]
    assert result.cost_raw == 100 + 450


fills_strategy = st.lists(
    st.builds(
        FillAmounts,
        side=st.sampled_from(["buy", "sell"]),
        amount_in_raw=st.integers(0, 10**30),
        amount_out_raw=st.integers(0, 10**30),
    ),
    max_size=8,
)


@given(fills=fills_strategy, found=st.integers(0, 10**30), lost=st.integers(0, 10**30))
def test_totals_of_any_fills_then_cost_is_split_and_result_is_proceeds_less_cost(
    fills: list[FillAmounts], found: int, lost: int
):
    totals = position_totals(fills, found_raw=found, lost_raw=lost)
    assert totals.held_cost_raw + totals.realised_cost_raw == totals.cost_raw
    assert totals.held_cost_raw >= 0
    assert totals.realised_raw == totals.proceeds_raw - totals.realised_cost_raw
    bought = sum(item.amount_out_raw for item in fills if item.side == "buy")
    sold = sum(item.amount_in_raw for item in fills if item.side == "sell")
    assert totals.quantity_raw == max(bought + found - sold - lost, 0)
    if totals.quantity_raw == 0:
        assert totals.realised_cost_raw == totals.cost_raw


def test_pnl_without_a_price_then_unrealised_is_unknown():
    totals = position_totals([FillAmounts(side="buy", amount_in_raw=100, amount_out_raw=5)])
    assert pnl_of(totals, native=cases.NATIVE, value_raw=None, marked_at=None).unrealised is None
    marked = pnl_of(totals, native=cases.NATIVE, value_raw=90, marked_at=cases.BLOCK)
    assert marked.unrealised == Amount(-10, cases.NATIVE)


@given(amount_in=raw, amount_out=raw, fee=raw, difference=st.integers(-(2**255), 2**255).filter(bool))
def test_entries_of_any_amounts_then_each_token_balances_and_a_reversal_undoes_it(
    amount_in: int, amount_out: int, fee: int, difference: int
):
    entries = (
        ledger.fill_postings(
            wallet_key="trader",
            pair_key=cases.PAIR,
            amount_in=Amount(amount_in, cases.NATIVE),
            amount_out=Amount(amount_out, cases.BASE),
        ),
        ledger.gas_postings(wallet_key="trader", fee=Amount(fee, cases.NATIVE)),
        ledger.deposit_postings(wallet_key="trader", amount=Amount(fee, cases.NATIVE)),
        ledger.withdrawal_postings(wallet_key="trader", amount=Amount(fee, cases.NATIVE)),
        ledger.adjustment_postings(wallet_key="trader", token=cases.BASE, difference_raw=difference),
    )
    for postings in entries:
        assert ledger.imbalance(postings) == {}
        undone = postings + ledger.reversed_postings(postings)
        for account in {item.account for item in postings}:
            assert sum(ledger.signed_raw(item) for item in undone if item.account == account) == 0


def test_adjustment_when_chain_has_less_then_the_wallet_loses_it():
    postings = ledger.adjustment_postings(wallet_key="trader", token=cases.BASE, difference_raw=-7)
    by_account = {item.account: ledger.signed_raw(item) for item in postings}
    assert by_account == {"wallet:trader": -7, "loss:unaccounted": 7}
