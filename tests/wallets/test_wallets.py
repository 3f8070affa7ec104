"""Making wallets, choosing the one that trades, and the command."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command, load_command_class

from apps.domain.errors import ConfigurationError
from apps.state.models import Event
from apps.wallets.models import Wallet
from apps.wallets.services.wallets import sandbox_wallet_prepare, wallet_create, wallet_default
from tests.factories import WalletFactory

pytestmark = pytest.mark.django_db


def test_create_when_named_twice_then_refused_and_no_second_key(data_dir: Path) -> None:
    wallet_create(key="trader", mode="sandbox", by="ada")
    with pytest.raises(ConfigurationError, match="already"):
        wallet_create(key="trader", mode="sandbox")
    assert len(list((data_dir / "keystore").iterdir())) == 1
    event = Event.objects.get(kind="key_used")
    assert event.actor == "ada"
    assert event.payload["address"] == Wallet.objects.get().address


@pytest.mark.parametrize("name", ["", "../evil", "Trader", "a/b", "x" * 41, "1st"])
def test_create_when_name_is_senseless_then_refused(name: str, data_dir: Path) -> None:
    with pytest.raises(ConfigurationError, match="no name for a wallet"):
        wallet_create(key=name, mode="sandbox")
    assert not (data_dir / "keystore").exists()


def test_create_when_for_another_mode_then_refused() -> None:
    with pytest.raises(ConfigurationError) as raised:
        wallet_create(key="trader", mode="live")
    assert "DEXSNIPER_MODE=live" in raised.value.remedy


def test_default_when_several_then_oldest_enabled_one_of_the_mode() -> None:
    WalletFactory(key="real", is_sandbox=False, is_live=True)
    WalletFactory(key="off", enabled=False)
    WalletFactory(key="first")
    WalletFactory(key="second")
    assert wallet_default(family="evm").key == "first"
    with pytest.raises(ConfigurationError) as raised:
        wallet_default(family="solana")
    assert "wallet create" in raised.value.remedy


def test_prepare_when_repeated_then_same_wallet() -> None:
    first = sandbox_wallet_prepare()
    assert sandbox_wallet_prepare() == first
    assert first.is_sandbox
    assert not first.is_live


# -- the command -----------------------------------------------------------------------------


def answer_of(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    call_command("wallet", *words, "--json")
    answer: dict[str, Any] = json.loads(capsys.readouterr().out)
    return answer


def test_command_when_used_then_makes_lists_exports_and_checks(capsys: pytest.CaptureFixture[str]) -> None:
    made = answer_of(capsys, "create", "trader")
    assert answer_of(capsys, "list") == {"wallets": [made]}
    assert answer_of(capsys, "export-address", "trader")["address"] == made["address"]
    assert answer_of(capsys, "check") == {
        "ok": True,
        "wallets": [{"key": "trader", "fault": "", "remedy": ""}],
    }
    assert (
        Event.objects.filter(kind="key_used", subject="wallet:trader").count() == 3
    )  # created, exported, unlocked


def test_command_when_key_is_gone_then_check_fails_with_remedy(
    capsys: pytest.CaptureFixture[str], data_dir: Path
) -> None:
    answer_of(capsys, "create", "trader")
    next((data_dir / "keystore").iterdir()).unlink()
    with pytest.raises(CommandError, match="1 of 1 wallets cannot sign"):
        call_command("wallet", "check")
    assert "remedy: Bring it back from your backup" in capsys.readouterr().out


def test_command_when_locking_limiting_and_rotating_then_the_list_says_so(
    capsys: pytest.CaptureFixture[str],
) -> None:
    answer_of(capsys, "create", "trader")
    assert answer_of(capsys, "lock", "trader")["is_locked"]
    assert not answer_of(capsys, "unlock", "trader", "--hours", "2")["is_locked"]
    limited = answer_of(capsys, "limit", "trader", "--daily-usd", "12.5", "--chain", "eip155:8453")
    assert (limited["daily_spend_max_usd_micros"], limited["chain_key"]) == (12_500_000, "eip155:8453")
    assert answer_of(capsys, "rotate", "trader", "second")["key"] == "second"
    call_command("wallet", "list")
    shown = capsys.readouterr().out
    assert "exits only" in shown
    assert "12.50 USD a day" in shown
    labels = answer_of(capsys, "label", "0x" + "a" * 40, "exchange")
    assert labels == {"labels": {"0x" + "a" * 40: "exchange"}} == answer_of(capsys, "labels")


def test_command_then_no_verb_moves_money_out() -> None:
    parser = load_command_class("apps.engine", "wallet").create_parser("manage.py", "wallet")
    verbs = set(parser._subparsers._group_actions[0].choices)  # type: ignore[union-attr,arg-type]
    assert not verbs & {"withdraw", "send", "transfer", "pay", "sweep", "export-key", "export"}
