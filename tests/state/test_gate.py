"""Laws of the gate: the stricter of latch and database always decides."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from apps.domain.engine import EngineStatus
from apps.state.logic.gate import Latch, refusal_of, settled

EPOCHS = st.integers(1, 6)
STATUSES = st.sampled_from(EngineStatus)
LATCHES = st.builds(
    Latch, pulled=st.sampled_from(["", "closing", "emergency_stopped"]), epoch=st.integers(0, 6)
)
SIDES = st.sampled_from(["buy", "sell"])


def is_open(latch: Latch | None, status: EngineStatus, engine_epoch: int, epoch: int, side: str) -> bool:
    refusal = refusal_of(latch=latch, status=status, engine_epoch=engine_epoch, epoch=epoch, side=side)  # type: ignore[arg-type]
    return refusal == ""


@given(LATCHES, STATUSES, EPOCHS, EPOCHS, SIDES)
def test_gate_when_latch_is_there_then_it_never_opens_what_the_database_shuts(
    latch: Latch, status: EngineStatus, engine_epoch: int, epoch: int, side: str
) -> None:
    if is_open(latch, status, engine_epoch, epoch, side):
        assert is_open(None, status, engine_epoch, epoch, side)


@given(LATCHES, STATUSES, EPOCHS, EPOCHS)
def test_gate_when_a_buy_passes_then_running_and_not_pulled_and_newest_epoch(
    latch: Latch, status: EngineStatus, engine_epoch: int, epoch: int
) -> None:
    passes = is_open(latch, status, engine_epoch, epoch, "buy")
    expected = (
        status is EngineStatus.RUNNING
        and not latch.pulled
        and epoch == engine_epoch
        and engine_epoch >= latch.epoch
    )
    assert passes == expected
    if passes:
        assert is_open(latch, status, engine_epoch, epoch, "sell")


@given(LATCHES, STATUSES, EPOCHS, EPOCHS)
def test_gate_when_emergency_or_stopped_anywhere_then_not_even_a_sell_passes(
    latch: Latch, status: EngineStatus, engine_epoch: int, epoch: int
) -> None:
    shut = (EngineStatus.EMERGENCY_STOPPED, EngineStatus.STOPPED)
    if latch.pulled == "emergency_stopped" or status in shut:
        assert not is_open(latch, status, engine_epoch, epoch, "sell")


@given(st.none() | LATCHES, STATUSES, EPOCHS, EPOCHS, SIDES)
def test_settle_when_done_then_nothing_passes_that_did_not_before(
    latch: Latch | None, status: EngineStatus, engine_epoch: int, epoch: int, side: str
) -> None:
    aim = settled(latch=latch, status=status, epoch=engine_epoch)
    if is_open(aim.latch, aim.status, aim.epoch, epoch, side) and aim.status is not EngineStatus.CLOSING:
        assert is_open(latch, status, engine_epoch, epoch, side)
    if aim.epoch != engine_epoch:
        assert aim.epoch > engine_epoch


@given(st.none() | LATCHES, STATUSES, EPOCHS)
def test_settle_when_repeated_then_changes_nothing_more(
    latch: Latch | None, status: EngineStatus, engine_epoch: int
) -> None:
    aim = settled(latch=latch, status=status, epoch=engine_epoch)
    assert settled(latch=aim.latch, status=aim.status, epoch=aim.epoch) == aim


@given(LATCHES, STATUSES, EPOCHS)
def test_settle_when_pulled_anywhere_then_pulled_everywhere(
    latch: Latch, status: EngineStatus, engine_epoch: int
) -> None:
    aim = settled(latch=latch, status=status, epoch=engine_epoch)
    if latch.pulled == "emergency_stopped" or (
        status is EngineStatus.EMERGENCY_STOPPED and latch.epoch <= engine_epoch
    ):
        assert aim.status is EngineStatus.EMERGENCY_STOPPED
        if engine_epoch >= latch.epoch or latch.pulled:
            assert aim.latch.pulled == "emergency_stopped"
