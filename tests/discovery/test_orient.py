from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from apps.discovery.logic.orient import fault_of_tokens, orient
from tests.discovery.fakes import PROFILE, STABLE, WRAPPED, address


def test_orient_when_wrapped_coin_is_token1_then_it_is_quote() -> None:
    seen = orient(token0=address(1), token1=WRAPPED, profile=PROFILE)
    assert (seen.base_address, seen.quote_address, seen.base_is_token0) == (address(1), WRAPPED, True)
    assert seen.refusal is None


def test_orient_when_wrapped_coin_is_token0_then_base_is_token1() -> None:
    seen = orient(token0=WRAPPED.upper().replace("0X", "0x"), token1=address(1), profile=PROFILE)
    assert (seen.base_address, seen.base_is_token0) == (address(1), False)


def test_orient_when_stablecoin_then_it_is_quote() -> None:
    assert orient(token0=STABLE, token1=address(1), profile=PROFILE).quote_address == STABLE


def test_orient_when_both_are_money_then_refused_with_wrapped_coin_as_quote() -> None:
    for token0, token1 in ((STABLE, WRAPPED), (WRAPPED, STABLE)):
        seen = orient(token0=token0, token1=token1, profile=PROFILE)
        assert seen.refusal is not None
        assert seen.refusal.code == "BASE_IS_MONEY"
        assert seen.quote_address == WRAPPED


def test_orient_when_no_money_then_refused() -> None:
    seen = orient(token0=address(1), token1=address(2), profile=PROFILE)
    assert seen.refusal is not None
    assert seen.refusal.code == "QUOTE_UNKNOWN"


def test_fault_when_tokens_are_equal_or_zero_then_named() -> None:
    assert fault_of_tokens(token0=address(10), token1=address(10).upper().replace("0X", "0x"))
    assert fault_of_tokens(token0="0x" + "0" * 40, token1=address(1))
    assert not fault_of_tokens(token0=address(1), token1=WRAPPED)


_TOKENS = st.sampled_from([WRAPPED, STABLE, *[address(number) for number in range(1, 5)]])


@given(token0=_TOKENS, token1=_TOKENS)
def test_orient_when_any_two_tokens_then_both_sides_are_kept(token0: str, token1: str) -> None:
    seen = orient(token0=token0, token1=token1, profile=PROFILE)
    assert sorted((seen.base_address, seen.quote_address)) == sorted((token0, token1))
    assert (seen.base_address == token0) or not seen.base_is_token0
    if seen.refusal is None:
        assert seen.quote_address in (WRAPPED, STABLE)
        assert seen.base_address not in (WRAPPED, STABLE)
