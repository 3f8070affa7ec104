"""The merged configuration, without a secret in any of its places."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command

from apps.state.services.engine import installation_prepare
from dexsniper.env import BASE_DIR, child_environment
from tests import factories

SECRET = "sesame"
#: A secret of its own in each place that can hold one.
PLANTED = {
    "DEXSNIPER_KEYSTORE_PASSWORD": f"{SECRET}-keystore-password",
    "DEXSNIPER_SECRET_KEY": f"{SECRET}-secret-key",
    "DEXSNIPER_ADMIN_PASSWORD": f"{SECRET}-admin-password",
    "DEXSNIPER_DATABASE_URL": f"postgres://sniper:{SECRET}-database@127.0.0.1:1/trades?password={SECRET}-query",
    "DEXSNIPER_REDIS_URL": f"redis://:{SECRET}-redis@127.0.0.1:1/0",
    "DEXSNIPER_DEXSCREENER_URL": f"https://user:{SECRET}-feed@feeds.example/dex?key={SECRET}-key",
}


def shown(*options: str) -> str:
    output = io.StringIO()
    call_command("show_config", "--no-color", *options, stdout=output)
    return output.getvalue()


@pytest.mark.parametrize("options", [(), ("--json",)], ids=["text", "json"])
def test_secrets_in_every_variable_then_none_is_shown(options: tuple[str, ...], tmp_path: Path) -> None:
    process = subprocess.run(
        [sys.executable, "manage.py", "show_config", "--no-color", *options],
        cwd=BASE_DIR,
        env=child_environment(DEXSNIPER_DATA_DIR=str(tmp_path), **PLANTED),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    assert SECRET not in process.stdout + process.stderr
    assert process.stdout.count("(hidden)") == 3
    assert "postgres://127.0.0.1:1/trades" in process.stdout
    assert "https://feeds.example/dex" in process.stdout
    assert "The database cannot be read" in process.stdout


@pytest.mark.django_db
@pytest.mark.parametrize("options", [(), ("--json",)], ids=["text", "json"])
def test_secrets_in_endpoints_then_hosts_alone_are_shown(options: tuple[str, ...]) -> None:
    chain = factories.ChainFactory(name="Real")
    for number, url in enumerate(
        (
            f"https://rpc.example/v2/{SECRET}",
            f"https://user:{SECRET}@rpc.example",
            f"https://rpc.example?key={SECRET}",
            f"https://[{SECRET}",
        )
    ):
        factories.EndpointFactory(
            chain=chain, url_http=url, url_ws=url.replace("https", "wss"), enabled=number > 0
        )
    text = shown(*options)
    assert SECRET not in text
    assert "https://rpc.example" in text
    assert "(off)" in text


@pytest.mark.django_db
def test_everything_set_up_then_all_three_parts_in_json() -> None:
    installation_prepare(mode="sandbox")
    factories.DexDeploymentFactory(chain=factories.ChainFactory(name="Real"))
    merged = json.loads(shown("--json"))
    assert set(merged["environment"]) == {item.name for item in fields(settings.ENV)}
    assert merged["environment"]["mode"] == "sandbox"
    assert merged["trading"]["revision"] == 1
    assert merged["trading"]["limits"]["position_max_usd"] == "250"
    [chain] = merged["chains"].values()
    assert chain == {"name": "Real", "enabled": True, "endpoints": [], "exchanges": ["Uniswap V2"]}


@pytest.mark.django_db
def test_not_set_up_yet_then_said_in_words() -> None:
    assert "unavailable" in shown()


def test_every_field_that_may_hold_a_secret_is_marked(settings: Any) -> None:
    """What is not hidden must be known to be no secret: a new variable has to be looked at here."""
    open_fields = {item.name for item in fields(settings.ENV) if item.repr and not item.name.endswith("_url")}
    assert open_fields == {
        "telegram_channels",
        "telegram_api_id",
        "alert_telegram_chat",
        "alert_email_to",
        "alert_email_from",
        "smtp_host",
        "smtp_port",
        "smtp_security",
        "smtp_user",
        "mode",
        "live_trading",
        "data_dir",
        "admin_user",
        "opinion_sources",
        "discord_channels",
        "sentiment_onnx",
        "debug",
        "host",
        "port",
        "allowed_hosts",
        "log_level",
        "log_json",
        "autostart",
        "tls",
        "relay_exits",
        "process_memory_max_mb",
        "sandbox_seed",
        "sandbox_pace",
        "sandbox_port_base",
        "sandbox_chains",
        "paper_coins",
    }
