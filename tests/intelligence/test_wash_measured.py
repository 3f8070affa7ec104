"""`evaluate wash` and `evaluate pumps` on small folders in the form of public data."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from random import Random
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from apps.intelligence.evaluation import wash
from apps.intelligence.measuring.swap_histories import read_histories

WRAPPED = "0xc02aaa39b223fe8d0a0e5c4f27ead9083c756cc2"
ROUTER = "0x7a250d5630b4cf539739df2c5dacb4c659f2488d"


def pools_of_both_halves(count: int) -> list[str]:
    return [f"0x{number:040x}" for number in range(1, count + 1)]


def write_swaps(folder: Path, *, pools: int = 8, swaps: int = 60) -> None:
    chance = Random(3)
    fields = [
        *("abi_name", "transaction_hash", "block_number", "contract_address", "from_address", "to_address"),
        *("token_in_address", "token_in_amount", "token_out_address", "token_out_amount", "error"),
        "transaction_position",
    ]
    with (folder / "swaps.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, fields)
        writer.writeheader()
        for pool in pools_of_both_halves(pools):
            for number in range(swaps):
                buys = number % 3 != 2
                quote = chance.lognormvariate(0, 1) * 1e18
                base = quote * 1_000 * chance.uniform(0.99, 1.01)
                person = f"0xa{chance.randrange(45):039x}"
                writer.writerow(
                    {
                        "abi_name": "UniswapV2Pair",
                        "transaction_hash": f"0x{pool[-3:]}{number:061x}",
                        "block_number": 1_000 + 3 * number,
                        "contract_address": pool,
                        "from_address": ROUTER if buys else person,
                        "to_address": person if buys else ROUTER,
                        "token_in_address": WRAPPED if buys else "0xtoken",
                        "token_in_amount": quote if buys else base,
                        "token_out_address": "0xtoken" if buys else WRAPPED,
                        "token_out_amount": base if buys else quote,
                        "error": "",
                        "transaction_position": number % 9,
                    }
                )


def write_syncs(folder: Path, *, pools: int = 6, events: int = 90) -> None:
    chance = Random(4)
    with (folder / "sync_events.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["pool", "block", "log_index", "weth", "token_raw"])
        for at, pool in enumerate(pools_of_both_halves(pools)):
            weth, token = 10.0, 1e24
            for number in range(events):
                if at % 2 and number == events - 1:
                    weth, token = weth * 0.001, token * 0.001  # the liquidity is taken out
                else:
                    after = weth * (1 + chance.uniform(-0.02, 0.03))
                    weth, token = after, weth * token / after
                writer.writerow([pool, 2_000 + number, 7, weth, token])


def evaluated(*arguments: str, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    call_command("evaluate", *arguments, "--json")
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_swaps_with_addresses_then_rings_are_found_on_the_other_half(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_swaps(tmp_path)
    report = evaluated("wash", "--data", str(tmp_path), "--seeds", "1", capsys=capsys)
    held = [pool for pool in pools_of_both_halves(8) if not wash.is_for_tuning(pool)]
    assert report["n"] == len(held)
    assert report["n_rings"] == 8 * len(held)
    assert report["are_addresses_drawn"] is False
    assert report["metrics"]["recall"] > report["baselines"]["per_wallet"]["recall"]
    assert report["metrics"]["recall"] > 0.5
    assert set(report["missing"]) == {"no_funding", "no_funding_no_transfers"}
    low, high = report["ci95"]["recall"]
    assert low <= report["metrics"]["recall"] <= high
    assert report["calibration"]["brier"] < report["calibration"]["brier_base_rate"]


def test_same_data_then_same_figures(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_swaps(tmp_path, pools=4)
    arguments = ("wash", "--data", str(tmp_path), "--test", str(tmp_path), "--seeds", "1")
    first, second = (evaluated(*arguments, capsys=capsys) for _ in range(2))
    assert first["metrics"] == second["metrics"]
    assert first["n"] == 4  # of a folder to test on all pools count


def test_reserves_alone_then_addresses_are_drawn_and_said_to_be(tmp_path: Path) -> None:
    write_syncs(tmp_path)
    histories = read_histories(tmp_path)
    assert len(histories) == 6
    for history in histories:
        assert history.are_addresses_drawn
        held: dict[str, int] = {}
        for trade in history.trades:
            held[trade.address] = held.get(trade.address, 0) + (
                trade.base_raw if trade.side == "buy" else -trade.base_raw
            )
        assert len({trade.address for trade in history.trades}) > 10
    assert read_histories(tmp_path) == histories


def test_pools_that_were_emptied_then_labelled_after_the_fact(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_syncs(tmp_path)
    report = evaluated("pumps", "--data", str(tmp_path), capsys=capsys)
    assert (report["n"], report["n_labelled"]) == (6, 3)
    assert report["baselines"]["always"]["recall"] == 1.0
    assert set(report["baselines"]) == {"after_launch", "rush", "buys_over_sells", "always"}


def test_announced_pumps_then_dates_alone_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "events.csv").write_text(
        "source,channel,symbol,exchange,ts\nA,c,ABC,x,2018-01-01 17:00\nB,d,abc,X,2018-01-01 17:00\n"
        "A,c,DEF,x,2018-01-02 18:30\n"
    )
    report = evaluated("pumps", "--data", str(tmp_path), capsys=capsys)
    assert (report["n"], report["n_distinct"]) == (3, 2)
    assert report["metrics"]["share_on_the_hour"] == 0.5


def test_folder_without_swaps_then_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"holds no swaps"):
        call_command("evaluate", "wash", "--data", str(tmp_path), "--json")


def test_column_is_missing_then_it_is_named(tmp_path: Path) -> None:
    (tmp_path / "swaps.csv").write_text("abi_name,block_number\nUniswapV2Pair,1\n")
    with pytest.raises(CommandError, match=r"has no column transaction_hash"):
        call_command("evaluate", "wash", "--data", str(tmp_path), "--json")
