"""Reports and exports equal the journal: whatever was traded, lost, given or reorganised away."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from apps.domain.ids import NATIVE_ADDRESS
from apps.domain.order import OrderStatus
from apps.trading.logic import ledger
from apps.trading.logic.disposals import METHODS, Method
from apps.trading.logic.exports import COINTRACKING, KOINLY
from apps.trading.logic.movements import wallet_sums
from apps.trading.logic.pnl_report import BYS, By
from apps.trading.models import Position
from apps.trading.selectors import lots, lots_export, movements, pnl_report, trades_export
from apps.trading.services.ledger import account_balances
from apps.trading.services.reconciliation import wallet_reconcile
from apps.trading.services.settlement import fills_reverse
from tests.trading.conftest import World


def sell(world: World, position: Position) -> None:
    order = world.ask_exit(position)
    world.execute(order)
    world.chain.mine()
    assert world.settle(order) is OrderStatus.FILLED


def book(world: World) -> dict[str, int]:
    return account_balances(
        account=ledger.wallet_account(world.wallet_key), chain_key=world.profile.chain_key
    )


def sums(world: World) -> dict[str, int]:
    found = wallet_sums(movements())
    return {token: raw for (_, wallet, token), raw in found.items() if wallet == world.wallet_key}


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


@pytest.fixture
def traded(world: World) -> World:
    """One pair bought and sold with taxes, one held, one of which a part was lost and something found."""
    sell(world, world.buy(world.pair(buy_tax_bps=300, sell_tax_bps=500)))
    world.buy()
    pair = world.pair()
    position = world.buy(pair)
    world.chain.tokens[world.chain.owner, pair.base.address.lower()] -= position.quantity_raw // 3
    compare(world)
    world.chain.tokens[world.chain.owner, pair.base.address.lower()] += 1_000
    compare(world)
    return world


def compare(world: World) -> None:
    wallet_reconcile(chain_key=world.profile.chain_key, wallet_key="trader", ports=world.ports)


def test_movements_then_add_up_to_the_book_of_every_token(traded: World):
    assert sums(traded) == book(traded)
    kinds = [item.kind for item in movements()]
    assert (kinds.count("trade"), kinds.count("found"), kinds.count("lost")) == (4, 1, 1)
    assert all(item.fee_raw for item in movements() if item.kind == "trade")


def test_movements_when_a_block_is_reorganised_away_then_its_trade_never_was(world: World):
    world.buy()
    before = len(movements())
    fills_reverse(chain_key=world.profile.chain_key, above_block=0)
    assert len(movements()) < before
    assert [item.kind for item in movements()] == ["deposit"]
    assert sums(world) == book(world)


@pytest.mark.parametrize("method", METHODS)
def test_lots_then_hold_what_the_book_holds_and_every_coin_is_cost_or_gain(traded: World, method: Method):
    found = lots(movements(), method=method)
    held = {
        item.token_address: sum(rest.quantity_raw for rest in item.matching.rests)
        for item in found
        if item.matching.rests
    }
    tokens = book(traded)
    tokens.pop(NATIVE_ADDRESS)
    assert held == tokens
    assert not any(item.matching.shortfalls for item in found)
    gained = sum(piece.gain_raw for item in found for piece in item.matching.pieces)
    bound = sum(rest.cost_raw for item in found for rest in item.matching.rests)
    lone_gas = sum(item.fee_raw for item in movements() if item.kind == "fee")
    deposit = next(item.received_raw for item in movements() if item.kind == "deposit")
    assert deposit + gained - bound - lone_gas == book(traded)[NATIVE_ADDRESS]


@pytest.mark.parametrize("by", BYS)
def test_report_by_anything_then_its_sum_is_what_the_wallet_gained(traded: World, by: By):
    rows = pnl_report(by=by)
    deposit = next(item.received_raw for item in movements() if item.kind == "deposit")
    held = sum(row.cost_raw - row.realised_cost_raw for row in Position.objects.exclude(status="closed"))
    assert sum(row.net_raw for row in rows) == book(traded)[NATIVE_ADDRESS] + held - deposit
    assert sum(row.sales for row in rows) == 1
    assert sum(row.holdings for row in rows) == 2
    assert sum(row.unmarked for row in rows) == 2  # no mark was made: unknown, not zero
    groups = {row.group for row in rows}
    if by == "exit":
        assert groups == {"force_exit", "lost without a sale", "open"}
    # The chain in memory lives in a year of its own, so that there are two days.
    assert len(groups) == {"day": 3, "chain": 1, "token": 3, "exit": 3}[by]


def test_report_of_a_closed_position_then_equals_its_own_figures(world: World):
    position = world.buy()
    sell(world, position)
    position.refresh_from_db()
    [row] = pnl_report(by="token")
    assert row.net_raw == position.proceeds_raw - position.cost_raw - position.fees_raw
    assert row.fees_raw == position.fees_raw
    assert abs(row.net_usd_micros - (position.realised_usd_micros or 0)) <= 1_000_000


def test_export_for_koinly_then_columns_and_amounts_are_exact(traded: World):
    text = trades_export(form="koinly")
    rows = rows_of(text)
    assert tuple(rows[0]) == KOINLY
    coin = traded.profile.native.symbol
    total = sum(
        (Decimal(row["Received Amount"]) if row["Received Currency"] == coin else Decimal(0))
        - (Decimal(row["Sent Amount"]) if row["Sent Currency"] == coin else Decimal(0))
        - (Decimal(row["Fee Amount"]) if row["Fee Amount"] else Decimal(0))
        for row in rows
    )
    assert total * 10**18 == book(traded)[NATIVE_ADDRESS]
    assert {row["Label"] for row in rows} >= {"", "airdrop", "lost"}
    assert all(row["Date"].endswith(" UTC") for row in rows)


def test_export_for_cointracking_then_gas_is_a_line_of_its_own(traded: World):
    rows = rows_of(trades_export(form="cointracking"))
    assert tuple(rows[0]) == COINTRACKING
    coin = traded.profile.native.symbol
    total = sum(
        (Decimal(row["Buy Amount"]) if row["Buy Currency"] == coin else Decimal(0))
        - (Decimal(row["Sell Amount"]) if row["Sell Currency"] == coin else Decimal(0))
        for row in rows
    )
    assert total * 10**18 == book(traded)[NATIVE_ADDRESS]
    assert {"Trade", "Deposit", "Airdrop", "Lost", "Other Fee"} == {row["Type"] for row in rows}


def test_export_of_lots_then_held_and_sold_stand_there_and_bounds_hold(traded: World):
    rows = rows_of(lots_export(method="hifo"))
    assert [row["state"] for row in rows].count("sold") == 2
    assert [row["state"] for row in rows].count("held") >= 2
    late = rows_of(lots_export(method="fifo", since=datetime(2100, 1, 1, tzinfo=UTC)))
    assert {row["state"] for row in late} == {"held"}


def test_symbol_of_a_hostile_token_then_no_cell_is_a_formula(world: World):
    pair = world.pair()
    pair.base.symbol = '=HYPERLINK("x")'
    pair.base.save()
    world.buy(pair)
    for row in rows_of(trades_export(form="plain")):
        assert not any((cell or "").startswith(("=", "+", "@")) for cell in row.values())


def test_commands_then_print_what_was_asked(world: World, capsys: Any, tmp_path: Any):
    sell(world, world.buy())
    call_command("report", "pnl", "--by", "exit", "--json")
    answer = json.loads(capsys.readouterr().out)
    assert [row["group"] for row in answer["rows"]] == ["force_exit"]
    call_command("report", "pnl")
    assert "1 sales" in capsys.readouterr().out
    call_command("export", "lots", "--method", "lifo", "--out", str(tmp_path / "lots.csv"))
    assert (tmp_path / "lots.csv").read_text().startswith("state,method,chain")
    capsys.readouterr()
    call_command("export", "trades", "--format", "plain", "--since", "2020-01-01")
    assert capsys.readouterr().out.startswith("time_utc,kind")
    with pytest.raises(CommandError, match="make lots themselves"):
        call_command("export", "lots", "--format", "koinly")
