"""The environment: everything has a default, and every fault is named with its remedy, all at once."""

from __future__ import annotations

import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest

from dexsniper import env
from dexsniper.env import EnvironmentFaults


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    for name in list(env.child_environment()):
        if name.startswith(env.PREFIX):
            monkeypatch.delenv(name)
    monkeypatch.setattr(env, "BASE_DIR", tmp_path)

    def call(**variables: str) -> env.Environment:
        for name, value in variables.items():
            monkeypatch.setenv(env.PREFIX + name, value)
        return env._read()

    return call


def test_nothing_set_then_sandbox_on_loopback(read, tmp_path: Path) -> None:
    environment = read()
    assert environment.mode == "sandbox"
    assert environment.host == "127.0.0.1"
    assert not environment.live_trading
    assert environment.data_dir == tmp_path / "var" / "sandbox"
    assert len(environment.secret_key) >= 32


def test_generated_secrets_are_kept_and_private(read) -> None:
    first, second = read(), read()
    assert first.secret_key == second.secret_key
    assert first.keystore_password == second.keystore_password
    assert (first.data_dir / "django.secret").stat().st_mode & 0o077 == 0
    assert (first.data_dir / "keystore.secret").stat().st_mode & 0o077 == 0


def test_several_senseless_values_then_all_are_named_with_remedies(read) -> None:
    with pytest.raises(EnvironmentFaults) as caught:
        read(
            MODE="fast",
            PORT="99999",
            DEBUG="maybe",
            REDIS_URL="http://x",
            SANDBOX_PACE="-1",
            LOG_LEVEL="LOUD",
        )
    text = str(caught.value)
    assert len(caught.value.faults) == 6
    for name in ("MODE", "PORT", "DEBUG", "REDIS_URL", "SANDBOX_PACE", "LOG_LEVEL"):
        assert f"{env.PREFIX}{name}:" in text
    assert "use sandbox, paper or live" in text


def test_live_without_second_switch_then_refused(read) -> None:
    with pytest.raises(EnvironmentFaults, match="LIVE_TRADING"):
        read(MODE="live", KEYSTORE_PASSWORD="long enough to be one")


def test_live_with_weak_keystore_password_then_refused(read) -> None:
    with pytest.raises(EnvironmentFaults, match="12 characters"):
        read(MODE="live", LIVE_TRADING="true", KEYSTORE_PASSWORD="short")


def test_live_switch_outside_live_then_refused(read) -> None:
    with pytest.raises(EnvironmentFaults, match="while the mode is sandbox"):
        read(LIVE_TRADING="true")


def test_each_mode_has_its_own_database(read) -> None:
    assert read().database_url != read(MODE="paper").database_url


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("", ("base", "bsc")),
        ("all", ("base", "bsc", "ethereum", "polygon", "arbitrum")),
        (" Polygon, base", ("base", "polygon")),
    ],
)
def test_sandbox_chains_then_named_ones_in_one_order(read, given: str, expected: tuple[str, ...]) -> None:
    assert read(SANDBOX_CHAINS=given).sandbox_chains == expected


@pytest.mark.parametrize("given", ["solana", "base,moon", ","])
def test_sandbox_chains_when_unknown_then_refused_with_the_names(read, given: str) -> None:
    with pytest.raises(EnvironmentFaults, match="base, bsc, ethereum, polygon, arbitrum"):
        read(SANDBOX_CHAINS=given)


def test_secret_from_file_then_read_and_missing_file_named(read, tmp_path: Path) -> None:
    path = tmp_path / "password"
    path.write_text("from a file\n")
    assert read(ADMIN_PASSWORD_FILE=str(path)).admin_password == "from a file"
    with pytest.raises(EnvironmentFaults, match="No such file"):
        read(ADMIN_PASSWORD_FILE=str(tmp_path / "absent"))


def test_secrets_are_not_in_the_representation(read) -> None:
    environment = read(
        ADMIN_PASSWORD="hunter2hunter2", DATABASE_URL="postgres://u:sesame@h/n", SECRET_KEY="k" * 50
    )
    shown = repr(environment)
    for secret in ("hunter2", "sesame", "kkkk", environment.keystore_password):
        assert secret not in shown


def test_command_with_faulty_environment_then_plain_text_and_config_exit_code() -> None:
    result = subprocess.run(
        [sys.executable, "manage.py", "check"],
        env=env.child_environment(DEXSNIPER_MODE="fast", DEXSNIPER_PORT="x"),
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).resolve().parents[2],
        timeout=60,
    )
    assert result.returncode == 78
    assert "DEXSNIPER_MODE" in result.stderr
    assert "DEXSNIPER_PORT" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("given", "ethereum", "polygon"),
    [
        ("", 5, 100_000),
        ("3", 3, 3),
        ("eip155:137=70", 5, 70),
        ("2.5, eip155:1=0.1", "0.1", "2.5"),
        ("*=9,eip155:137=8", 9, 8),
    ],
)
def test_paper_coins_then_for_all_chains_or_for_some(
    read, given: str, ethereum: int | str, polygon: int
) -> None:
    environment = read(PAPER_COINS=given)
    assert environment.paper_coins_on("eip155:1") == Decimal(ethereum)
    assert environment.paper_coins_on("eip155:137") == Decimal(polygon)


@pytest.mark.parametrize("given", ["0", "-1", "many", "NaN", "Infinity", "1e99", "eip155:1=", "1,,2"])
def test_paper_coins_senseless_then_fault(read, given: str) -> None:
    with pytest.raises(EnvironmentFaults, match="DEXSNIPER_PAPER_COINS"):
        read(PAPER_COINS=given)


def test_outside_opinions_then_off_until_named_and_only_known_ones(read) -> None:
    assert read().opinion_sources == ()
    assert read(OPINION_SOURCES=" GoPlus, honeypot_is,goplus ").opinion_sources == ("goplus", "honeypot_is")
    with pytest.raises(EnvironmentFaults, match="OPINION_SOURCES"):
        read(OPINION_SOURCES="goplus,somebody")
