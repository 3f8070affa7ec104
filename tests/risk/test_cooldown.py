"""What was just sold, or just cost money, is left alone."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from apps.domain.config import Limits
from apps.risk.logic.cooldown import cooldown

LIMITS = Limits(token_cooldown_s=60, deployer_cooldown_s=600)
NOW = 1_700_000_000_000


def codes(*, token_ago_ms: int | None = None, deployer_ago_ms: int | None = None) -> list[str]:
    reasons = cooldown(
        now_ms=NOW,
        token_exit_at_ms=None if token_ago_ms is None else NOW - token_ago_ms,
        deployer_loss_at_ms=None if deployer_ago_ms is None else NOW - deployer_ago_ms,
        limits=LIMITS,
    )
    return [reason.code for reason in reasons]


def test_never_traded_then_no_wait() -> None:
    assert codes() == []


def test_token_just_sold_then_wait_until_the_last_millisecond() -> None:
    assert codes(token_ago_ms=0) == ["LIMIT_TOKEN_COOLDOWN"]
    assert codes(token_ago_ms=59_999) == ["LIMIT_TOKEN_COOLDOWN"]
    assert codes(token_ago_ms=60_000) == []


def test_deployer_cost_us_money_then_wait_longer() -> None:
    assert codes(token_ago_ms=90_000, deployer_ago_ms=90_000) == ["LIMIT_DEPLOYER_COOLDOWN"]


def test_both_then_both_are_named() -> None:
    assert codes(token_ago_ms=1, deployer_ago_ms=1) == ["LIMIT_TOKEN_COOLDOWN", "LIMIT_DEPLOYER_COOLDOWN"]


def test_clock_went_back_then_the_wait_is_no_longer_than_the_cooldown() -> None:
    [reason] = cooldown(now_ms=NOW, token_exit_at_ms=NOW + 10**9, deployer_loss_at_ms=None, limits=LIMITS)
    assert reason.detail == "remaining_s=60 cooldown_s=60"


def test_cooldown_is_zero_then_no_wait() -> None:
    assert (
        cooldown(
            now_ms=NOW,
            token_exit_at_ms=NOW,
            deployer_loss_at_ms=NOW,
            limits=Limits(token_cooldown_s=0, deployer_cooldown_s=0),
        )
        == ()
    )


@given(ago=st.integers(-(10**7), 10**7))
def test_any_moment_then_wait_exactly_while_the_cooldown_lasts(ago: int) -> None:
    assert bool(codes(token_ago_ms=ago)) is (ago < 60_000)
