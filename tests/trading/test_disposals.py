"""Lots under every method conserve quantities, costs and proceeds; text in CSVs is never a formula."""

from __future__ import annotations

import csv
import io
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.domain.money import raw_to_units
from apps.trading.logic.csv_text import csv_of, exact, safe_text, usd, utc_text
from apps.trading.logic.disposals import METHODS, Acquisition, Disposal, Method, Piece, Rest, match

quantity = st.integers(1, 10**30)
money = st.integers(0, 10**24)
moments = st.integers(0, 50)
acquisitions_strategy = st.lists(st.tuples(moments, quantity, money, st.none() | money), max_size=7).map(
    lambda rows: [
        Acquisition(key=f"a{n}", place=at, at_ms=0, quantity_raw=q, cost_raw=c, cost_usd_micros=u)
        for n, (at, q, c, u) in enumerate(rows)
    ]
)
disposals_strategy = st.lists(
    st.tuples(moments, quantity, st.integers(-(10**20), 10**24), st.none() | money), max_size=7
).map(
    lambda rows: [
        Disposal(key=f"d{n}", place=at, at_ms=0, quantity_raw=q, proceeds_raw=p, proceeds_usd_micros=u)
        for n, (at, q, p, u) in enumerate(rows)
    ]
)


@given(came=acquisitions_strategy, went=disposals_strategy, method=st.sampled_from(METHODS))
def test_any_history_under_any_method_then_quantity_cost_and_proceeds_are_conserved(
    came: list[Acquisition], went: list[Disposal], method: Method
):
    found = match(came, went, method=method)
    for item in came:
        parts: list[Piece | Rest] = [one for one in found.pieces if one.acquisition.key == item.key]
        parts += [one for one in found.rests if one.acquisition.key == item.key]
        assert sum(one.quantity_raw for one in parts) == item.quantity_raw
        assert sum(one.cost_raw for one in parts) == item.cost_raw
        if item.cost_usd_micros is not None:
            assert sum(one.cost_usd_micros or 0 for one in parts) == item.cost_usd_micros
    short = {disposal.key: raw for disposal, raw in found.shortfalls}
    for gone in went:
        pieces = [piece for piece in found.pieces if piece.disposal.key == gone.key]
        assert sum(one.quantity_raw for one in pieces) + short.get(gone.key, 0) == gone.quantity_raw
        if gone.key not in short:
            assert sum(one.proceeds_raw for one in pieces) == gone.proceeds_raw
    for piece in found.pieces:
        assert piece.quantity_raw > 0
        assert piece.acquisition.place <= piece.disposal.place


@pytest.mark.parametrize(("method", "sold"), [("fifo", "old"), ("lifo", "new"), ("hifo", "dear")])
def test_sale_of_one_of_three_lots_then_the_method_chooses(method: Method, sold: str):
    costs = {"old": 5, "dear": 9, "new": 1}
    came = [
        Acquisition(key=key, place=at, at_ms=0, quantity_raw=10, cost_raw=cost, cost_usd_micros=None)
        for at, (key, cost) in enumerate(costs.items())
    ]
    went = [Disposal(key="d", place=9, at_ms=0, quantity_raw=10, proceeds_raw=7, proceeds_usd_micros=None)]
    [piece] = match(came, went, method=method).pieces
    assert (piece.acquisition.key, piece.gain_raw) == (sold, 7 - costs[sold])
    assert piece.gain_usd_micros is None


def test_hifo_when_a_later_lot_is_dearer_then_only_lots_that_had_come_are_sold():
    came = [
        Acquisition(key="cheap", place=1, at_ms=0, quantity_raw=10, cost_raw=1, cost_usd_micros=0),
        Acquisition(key="dear", place=5, at_ms=0, quantity_raw=10, cost_raw=99, cost_usd_micros=0),
    ]
    went = [Disposal(key="d", place=3, at_ms=0, quantity_raw=4, proceeds_raw=7, proceeds_usd_micros=0)]
    [piece] = match(came, went, method="hifo").pieces
    assert piece.acquisition.key == "cheap"


@given(raw=st.integers(-(2**256), 2**256), decimals=st.integers(0, 77))
def test_amount_as_text_then_reads_back_to_the_last_unit(raw: int, decimals: int):
    text = exact(raw, decimals)
    assert "e" not in text.lower()
    assert Decimal(text) == raw_to_units(raw, decimals)


@given(text=st.text(max_size=60))
def test_any_foreign_text_then_no_cell_is_a_formula_and_the_csv_keeps_its_shape(text: str):
    cell = safe_text(text)
    assert not cell.startswith(("=", "+", "-", "@", "\t", "\r"))
    [_, row] = csv.reader(io.StringIO(csv_of(["a", "b"], [[cell, "x"]])))
    assert row == [cell, "x"]


def test_symbol_that_is_a_formula_then_it_is_quoted():
    assert safe_text("=cmd|' /C calc'!A0") == "'=cmd|' /C calc'!A0"
    assert safe_text("\u200b\t=1+1") == "'=1+1"


def test_dollars_and_moments_then_unknown_is_empty_and_time_is_utc():
    assert (usd(None), usd(1_500_000), usd(-1)) == ("", "1.5", "-0.000001")
    assert utc_text(1_000) == "1970-01-01 00:00:01"
