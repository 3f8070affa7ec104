"""The crash formula: inputs, shipped parameters, fitting anew, unknown where it cannot know."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.domain.entities import Entities, Trade
from apps.domain.errors import BadDataError, ConfigurationError
from apps.intelligence.fitting import pumps as fitting
from apps.intelligence.logic.crash import (
    INPUTS,
    crash_estimate,
    crash_inputs,
    model_from_json,
    model_to_json,
)
from apps.intelligence.logic.crowd import Crowd

_COIN = 10**18


def trades(count: int = 30, *, every_s: int = 12, rise: float = 1.01) -> tuple[Trade, ...]:
    price, found = 1.0, []
    for number in range(count):
        found.append(
            Trade(
                at_ms=number * every_s * 1_000,
                block=number,
                tx_hash=f"0x{number}",
                log_index=0,
                address=f"a{number}",
                side="buy",
                base_raw=int(_COIN / price),
                quote_raw=_COIN,
            )
        )
        price *= rise
    return tuple(found)


def crowd(own: tuple[Trade, ...] | None, **changes: object) -> Crowd:
    base = Crowd(
        as_of_ms=400_000,
        created_ms=0,
        fee_bps=30,
        entities=Entities(),
        trades=own,
        reserve_base_raw=100 * _COIN,
        reserve_quote_raw=100 * _COIN,
    )
    return replace(base, **changes)  # type: ignore[arg-type]


def test_shipped_formula_when_young_and_wild_then_a_crash_is_likelier_than_when_old_and_calm() -> None:
    model = fitting.shipped_model()
    wild = crash_estimate(crowd(trades(40, every_s=2, rise=1.08)), model)
    calm = crash_estimate(
        crowd(trades(40, every_s=3_000, rise=1.0), as_of_ms=40 * 3_000_000, reserve_quote_raw=900 * _COIN),
        model,
    )
    assert wild.value is not None
    assert calm.value is not None
    assert wild.value > 3 * calm.value
    assert wild.low is not None
    assert wild.high is not None
    assert wild.low < wild.value < wild.high
    assert "doubts" in model.card
    assert (
        model.card["cross_validated_by_pool"]["auc"]
        > model.card["cross_validated_by_pool"]["auc_of_a_single_rush"]
    )


@pytest.mark.parametrize(
    ("own", "changes", "reason"),
    [
        (None, {"reasons": {"swaps": "no endpoint answered"}}, "no endpoint answered"),
        (trades(), {"is_whole": False}, "the first swaps were not read"),
        (trades(), {"reserve_quote_raw": 0}, "the pool is empty"),
        (trades(11), {}, "11 swaps: 12 with a price are needed"),
    ],
)
def test_something_is_missing_then_unknown_with_the_reason(
    own: tuple[Trade, ...] | None, changes: dict[str, object], reason: str
) -> None:
    found = crash_estimate(crowd(own, **changes), fitting.shipped_model())
    assert found.value is None
    assert found.reason_unknown == reason


@given(
    steps=st.lists(
        st.tuples(
            st.integers(0, 10**6),
            st.booleans(),
            st.integers(0, 10**30),
            st.integers(0, 10**30),
        ),
        max_size=40,
    ),
    reserve=st.integers(0, 10**30),
)
def test_any_trades_then_a_probability_or_nothing(
    steps: list[tuple[int, bool, int, int]], reserve: int
) -> None:
    own = tuple(
        Trade(
            at_ms=at,
            block=at,
            tx_hash=str(number),
            log_index=number,
            address="a",
            side="buy" if buys else "sell",
            base_raw=base,
            quote_raw=quote,
        )
        for number, (at, buys, base, quote) in enumerate(sorted(steps))
    )
    inputs = crash_inputs(own, quote_reserve_raw=reserve, now_ms=10**6)
    if inputs is not None:
        assert len(inputs) == len(INPUTS)
        assert 0 <= fitting.shipped_model().probability(inputs) <= 1


def test_parameters_then_read_back_the_same() -> None:
    model = fitting.shipped_model()
    assert model_from_json(model_to_json(model)) == model


@pytest.mark.parametrize("text", ["", "{}", '{"format": 1, "inputs": ["other"]}'])
def test_damaged_parameters_then_an_error_that_says_so(text: str) -> None:
    with pytest.raises(BadDataError):
        model_from_json(text)


def _pools(folder: Path, count: int) -> None:
    chance = Random(7)
    with (folder / "sync_events.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["pool", "block", "log_index", "weth", "token_raw"])
        for pool in range(count):
            weth, token, wild = 10.0, 1e24, pool % 2 == 0
            for number in range(70):
                spread = 0.3 if wild else 0.01
                after = weth * (1 + chance.uniform(-spread, spread * 1.1))
                weth, token = after, weth * token / after
                writer.writerow([f"0x{pool}", 100 + 20 * number, 1, weth, token])


def test_pools_that_swing_then_the_fitted_formula_learns_it_and_is_the_same_anew(tmp_path: Path) -> None:
    _pools(tmp_path, 120)
    first, second = (fitting.run({"data": tmp_path}) for _ in range(2))
    assert first.content == second.content
    model = model_from_json(first.content.decode())
    assert model.weights[INPUTS.index("swing_25s")] > 0
    assert first.positives > 100


def test_few_pools_then_a_clear_error(tmp_path: Path) -> None:
    _pools(tmp_path, 4)
    with pytest.raises(ConfigurationError, match="too few to learn from"):
        fitting.run({"data": tmp_path})
