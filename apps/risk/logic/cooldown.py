"""A token just sold, or a deployer who just cost us money, is left alone for a while."""

from __future__ import annotations

from apps.domain.config import Limits
from apps.domain.decision import Reason


def cooldown(
    *, now_ms: int, token_exit_at_ms: int | None, deployer_loss_at_ms: int | None, limits: Limits
) -> tuple[Reason, ...]:
    """Return why an entry must wait, empty when it need not.

    ``token_exit_at_ms`` is our last exit from this token, ``deployer_loss_at_ms`` our last loss on this deployer's
    tokens; None: there was none. A time in the future, from a clock that went back, counts as now.
    """
    reasons: list[Reason] = []
    token = _remaining_s(now_ms=now_ms, since_ms=token_exit_at_ms, cooldown_s=limits.token_cooldown_s)
    if token > 0:
        reasons.append(
            Reason(
                code="LIMIT_TOKEN_COOLDOWN",
                explanation="This token was sold a short while ago.",
                detail=f"remaining_s={token} cooldown_s={limits.token_cooldown_s}",
            )
        )
    deployer = _remaining_s(
        now_ms=now_ms, since_ms=deployer_loss_at_ms, cooldown_s=limits.deployer_cooldown_s
    )
    if deployer > 0:
        reasons.append(
            Reason(
                code="LIMIT_DEPLOYER_COOLDOWN",
                explanation="A token of the same deployer brought a loss a short while ago.",
                detail=f"remaining_s={deployer} cooldown_s={limits.deployer_cooldown_s}",
            )
        )
    return tuple(reasons)


def _remaining_s(*, now_ms: int, since_ms: int | None, cooldown_s: int) -> int:
    """Return how many seconds are left, rounded up."""
    if since_ms is None:
        return 0
    ends_ms = min(since_ms, now_ms) + cooldown_s * 1_000
    return max(-((now_ms - ends_ms) // 1_000), 0)
