"""How fast the market launches, set from any process."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from apps.domain.errors import ConfigurationError
from apps.sandbox.pace import market_pause, market_resume, pace_forget, pace_set, pace_view


@pytest.fixture(autouse=True)
def data_dir(settings, tmp_path: Path) -> Path:
    settings.DATA_DIR = tmp_path
    settings.ENV = replace(settings.ENV, data_dir=tmp_path, sandbox_pace=0.5)
    return tmp_path


def test_pace_when_nobody_set_one_then_the_environments() -> None:
    assert pace_view().per_second == 0.5
    assert not pace_view().is_paused


def test_pace_when_set_and_paused_then_both_are_remembered() -> None:
    pace_set(2.0)
    market_pause()
    assert (pace_view().per_second, pace_view().is_paused) == (2.0, True)
    market_resume()
    assert (pace_view().per_second, pace_view().is_paused) == (2.0, False)
    pace_forget()
    assert pace_view().per_second == 0.5


@pytest.mark.parametrize("per_second", [-0.1, 20.1, float("nan")])
def test_pace_when_senseless_then_refused_with_remedy(per_second: float) -> None:
    with pytest.raises(ConfigurationError) as refusal:
        pace_set(per_second)
    assert refusal.value.remedy


def test_pace_when_file_is_damaged_then_the_environments(data_dir: Path) -> None:
    (data_dir / "sandbox_pace.json").write_text('{"per_second": ', encoding="utf-8")
    assert pace_view().per_second == 0.5


def test_command_when_used_then_changes_the_pace(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("sandbox", "pace", "1.5")
    call_command("sandbox", "pause")
    assert (pace_view().per_second, pace_view().is_paused) == (1.5, True)
    call_command("sandbox", "resume")
    assert not pace_view().is_paused
    with pytest.raises(CommandError):
        call_command("sandbox", "pace", "99")


def test_command_when_not_in_the_sandbox_then_refused(settings) -> None:
    settings.ENV = replace(settings.ENV, mode="paper")
    with pytest.raises(CommandError, match="paper"):
        call_command("sandbox", "pause")


def test_reset_when_chains_are_stopped_then_their_state_is_gone(data_dir: Path) -> None:
    (data_dir / "chains").mkdir()
    state = data_dir / "chains" / "chain-bsc.json"
    state.write_text("{}", encoding="utf-8")
    call_command("sandbox", "reset")
    assert not state.exists()
