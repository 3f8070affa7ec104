"""The doctor: every fault is found, names its remedy, and hides no other."""

from __future__ import annotations

import io
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

from apps.chains.models import Chain, DexDeployment, Endpoint, Locker, Relay
from apps.chains.services.defaults import chains_load
from apps.domain.ids import ChainKey
from apps.domain.opinion import Opinion
from apps.engine.housekeeping import LEASE
from apps.intelligence.services.opinions import opinion_store
from apps.state.latch import FILE_NAME
from apps.state.models import Incident
from apps.state.services.engine import installation_prepare, killswitch_pull
from apps.state.services.heartbeats import lease_take
from apps.wallets.models import Wallet
from apps.wallets.services.wallets import wallet_create
from dexsniper import health
from dexsniper.env import BASE_DIR, child_environment
from dexsniper.health import Check, machine
from dexsniper.health.chains import relay_exits
from dexsniper.supervisor import InstanceLock
from tests import factories
from tests.fakes.rpc import FakeRpc, Fault

CHAIN_ID = 4_242


@pytest.fixture
def folder(settings: Any, tmp_path: Path) -> Path:
    settings.DATA_DIR = tmp_path
    settings.ENV = replace(settings.ENV, data_dir=tmp_path)
    return tmp_path


@pytest.fixture
def installed(folder: Path, db: None) -> Path:
    installation_prepare(mode="sandbox")
    return folder


@pytest.fixture
def paper(folder: Path, settings: Any, transactional_db: None) -> Path:
    """Paper mode, in which endpoints are asked although the system does not run."""
    settings.ENV = replace(settings.ENV, mode="paper")
    installation_prepare(mode="paper")
    return folder


@pytest.fixture
def node() -> Iterator[FakeRpc]:
    with FakeRpc(chain_id=CHAIN_ID) as running:
        yield running


def follow(node: FakeRpc, **changes: Any) -> Endpoint:
    chain = factories.ChainFactory(chain_id=CHAIN_ID, is_sandbox=False, genesis_hash="", name="Real")
    row: Endpoint = factories.EndpointFactory(chain=chain, url_http=node.url, url_ws="", **changes)
    return row


def found(area: str, name: str) -> Check:
    """Return the one check of this name; every check that is not good must name its remedy."""
    checks = list(health.all_checks())
    assert all(check.remedy for check in checks if check.level != "ok"), checks
    [match] = [check for check in checks if check.area == area and name in check.name]
    return match


def run(**environment: str) -> tuple[int, dict[str, Any]]:
    process = subprocess.run(
        [sys.executable, "manage.py", "doctor", "--json"],
        cwd=BASE_DIR,
        env=child_environment(**environment),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "Traceback" not in process.stderr
    return process.returncode, json.loads(process.stdout)


# -- the command ----------------------------------------------------------------------------------


def test_sound_installation_then_exit_code_0_and_one_json_object(installed: Path) -> None:
    output = io.StringIO()
    call_command("doctor", "--json", stdout=output)
    report = json.loads(output.getvalue())
    assert report["ok"] is True
    areas = {check["area"] for check in report["checks"]}
    assert areas == {
        "environment",
        "programs",
        "database",
        "broker",
        "configuration",
        "engine",
        "chains",
        "social",
        "wallets",
        "alerts",
    }


def test_fault_then_exit_code_1_and_remedy_beside_it(
    installed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "DISK_FREE_MIN_BYTES", 2**62)
    output = io.StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("doctor", "--no-color", stdout=output)
    assert ended.value.code == 1
    lines = output.getvalue().splitlines()
    [index] = [number for number, line in enumerate(lines) if line.startswith("FAULT")]
    assert "disk" in lines[index]
    assert "Free space" in lines[index + 1]
    assert lines[-1].endswith("1 faults")


# -- database and broker --------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["postgres away", "file damaged"])
def test_database_down_then_said_once_and_the_rest_goes_on(kind: str, tmp_path: Path) -> None:
    url = "postgres://sniper:sesame@127.0.0.1:1/none"
    if kind == "file damaged":
        (tmp_path / "db.sqlite3").write_bytes(b"this is no database" * 1_000)
        url = f"sqlite:///{tmp_path / 'db.sqlite3'}"
    code, report = run(DEXSNIPER_DATABASE_URL=url, DEXSNIPER_DATA_DIR=str(tmp_path))
    assert code == 1
    faults = [check for check in report["checks"] if check["level"] == "fault"]
    assert [(check["area"], check["name"]) for check in faults] == [("database", "connection")]
    assert "DEXSNIPER_DATABASE_URL" in faults[0]["remedy"]
    [unlooked] = [check for check in report["checks"] if check["name"] == "not looked at"]
    assert unlooked["detail"] == "configuration, engine, chains, social, wallets, alerts"
    assert "sesame" not in json.dumps(report)


def test_fresh_folder_then_migrations_wait(tmp_path: Path) -> None:
    code, report = run(
        DEXSNIPER_DATABASE_URL=f"sqlite:///{tmp_path / 'new.sqlite3'}", DEXSNIPER_DATA_DIR=str(tmp_path)
    )
    assert code == 1
    [check] = [check for check in report["checks"] if check["name"] == "migrations"]
    assert check["level"] == "fault"
    assert "migrate" in check["remedy"]


def test_migration_waiting_then_fault_names_it(installed: Path) -> None:
    MigrationRecorder(connection).record_unapplied("wallets", "0002_locks_limits_remote_signers_labels")
    check = found("database", "migrations")
    assert check.level == "fault"
    assert "wallets" in check.detail


def test_broker_down_then_only_a_warning(installed: Path) -> None:
    check = found("broker", "answer")
    assert check.level == "warning"
    assert "manage.py up" in check.remedy


def test_external_broker_down_then_its_variable_is_named(installed: Path, settings: Any) -> None:
    settings.REDIS_URL = "redis://:sesame@127.0.0.1:1/0"
    settings.ENV = replace(settings.ENV, redis_url=settings.REDIS_URL)
    check = found("broker", "answer")
    assert "DEXSNIPER_REDIS_URL" in check.remedy
    assert "sesame" not in repr(check)


# -- the machine ----------------------------------------------------------------------------------


def test_system_running_then_said_with_its_process(installed: Path) -> None:
    assert "does not run" in found("environment", "system").detail
    with InstanceLock(installed):
        assert f"process {os.getpid()}" in found("environment", "system").detail


def test_port_taken_by_another_program_then_fault(installed: Path, settings: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        settings.ENV = replace(settings.ENV, port=server.getsockname()[1])
        check = found("environment", f"port {settings.ENV.port}")
    assert check.level == "fault"
    assert "DEXSNIPER_PORT" in check.remedy


def test_secret_open_to_others_then_warning_with_the_command(installed: Path) -> None:
    path = installed / "keystore.secret"
    path.write_text("x")
    path.chmod(0o644)
    assert found("environment", "keystore.secret").remedy == f"Run: chmod go-rwx {path}"
    path.chmod(0o600)
    assert not [check for check in health.all_checks() if check.name == "keystore.secret"]


def test_anvil_missing_then_fault_in_the_sandbox(installed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apps.sandbox.processes._ROOT", installed)
    check = found("programs", "anvil")
    assert check.level == "fault"
    assert "make setup" in check.remedy


def test_page_packages_missing_then_fault(installed: Path, settings: Any) -> None:
    settings.PAGE_PACKAGES = {"htmx": installed / "nowhere"}
    check = found("programs", "page packages")
    assert check.level == "fault"
    assert "htmx" in check.detail


# -- the engine -----------------------------------------------------------------------------------


def test_kill_switch_pulled_then_warning_with_reason_and_way_out(installed: Path) -> None:
    killswitch_pull(by="test", reason="odd fills", close_positions=False)
    check = found("engine", "state")
    assert check.level == "warning"
    assert "odd fills" in check.detail
    assert "killswitch resume" in check.remedy


def test_latch_damaged_then_fault(installed: Path) -> None:
    (installed / FILE_NAME).write_text("{")
    check = found("engine", "kill switch")
    assert check.level == "fault"
    assert "killswitch pull" in check.remedy


def test_component_silent_then_warned_only_while_the_system_runs(installed: Path) -> None:
    factories.HeartbeatFactory(component="worker/execute", beat_at=timezone.now() - timedelta(hours=1))
    assert not [check for check in health.all_checks() if check.name == "worker/execute"]
    with InstanceLock(installed):
        assert found("engine", "worker/execute").level == "warning"


def test_listener_of_another_machine_then_warned(installed: Path) -> None:
    lease_take(name=LEASE, holder="elsewhere:7", ttl_s=60)
    assert "elsewhere:7" in found("engine", "listener").detail


def test_critical_incident_open_then_counted(installed: Path) -> None:
    factories.IncidentFactory(severity="critical")
    assert Incident.objects.count() == 1
    assert found("engine", "incidents").detail.startswith("1 critical")


# -- chains ---------------------------------------------------------------------------------------


def test_no_chain_then_warned_with_the_command(paper: Path) -> None:
    assert "chains load" in found("chains", "chains").remedy


def test_chains_without_endpoint_then_one_fault_for_all(paper: Path) -> None:
    chains_load()
    check = found("chains", "endpoints")
    assert check.level == "fault"
    assert "admin" in check.remedy


def test_one_endpoint_then_the_other_chains_are_merely_named(paper: Path, node: FakeRpc) -> None:
    chains_load()
    follow(node)
    check = found("chains", "not followed")
    assert check.level == "ok"
    assert check.detail.startswith("Ethereum, BNB Chain")


def test_position_on_a_chain_without_endpoint_then_fault(paper: Path) -> None:
    position = factories.PositionFactory(status="open")
    factories.ChainFactory(key=position.chain_key, name="Lost")
    Endpoint.objects.all().delete()
    check = found("chains", "Lost")
    assert check.level == "fault"
    assert "nothing of it can be sold" in check.remedy


def test_endpoint_sound_then_its_findings_are_kept(paper: Path, node: FakeRpc) -> None:
    row = follow(node)
    check = found("chains", node.url.removeprefix("http://"))
    assert check.level == "ok", check
    row.refresh_from_db()
    assert row.checked_at is not None
    assert row.capabilities["logs"] is True


def test_endpoint_of_another_chain_then_fault(paper: Path, node: FakeRpc) -> None:
    follow(node)
    node.chain_id = 1
    check = found("chains", node.url.removeprefix("http://"))
    assert check.level == "fault"
    assert "serves chain 1" in check.detail


def test_newest_block_old_then_fault(paper: Path, node: FakeRpc) -> None:
    follow(node)
    node.head_at_s = int(time.time()) - 3_600
    check = found("chains", node.url.removeprefix("http://"))
    assert check.level == "fault"
    assert "s old" in check.detail
    assert "syncing" in check.remedy


def test_no_endpoint_serves_logs_then_fault(paper: Path, node: FakeRpc) -> None:
    follow(node)
    node.answers["eth_getLogs"] = Fault(-32601, "the method does not exist")
    lacking = [check for check in health.all_checks() if "eth_getLogs" in check.detail]
    assert [check.level for check in lacking] == ["fault"]


def test_relay_when_nobody_decided_about_exits_then_said_in_live_alone(paper: Path, node: FakeRpc) -> None:
    Relay.objects.create(chain=follow(node).chain, key="flash", url=node.url)
    assert found("chains", "sales left out by relays").level == "ok"
    live = replace(settings.ENV, mode="live")
    assert [check.level for check in relay_exits(live)] == ["warning"]
    assert [check.level for check in relay_exits(replace(live, relay_exits="stay"))] == ["ok"]
    assert next(relay_exits(live)).detail.startswith("are given up after 3 blocks")
    Relay.objects.all().delete()
    assert list(relay_exits(live)) == []


def test_relay_away_then_fault_for_what_only_it_may_have(paper: Path, node: FakeRpc) -> None:
    chain = follow(node).chain
    Relay.objects.create(chain=chain, key="flash", url="http://127.0.0.1:9/SECRET")
    check = found("chains", "relay flash")
    assert check.level == "fault"
    assert "SECRET" not in check.detail
    Relay.objects.update(url=node.url)
    assert found("chains", "relay flash").level == "ok"


def test_lockers_never_verified_then_warned_until_they_are(paper: Path, node: FakeRpc) -> None:
    chains_load()
    followed = follow(node)
    factories.LockerFactory(chain=followed.chain, name="Somebody's", confirmed=False)
    check = found("chains", "lockers")
    assert check.level == "warning"
    assert "chains verify" in check.remedy
    assert "Somebody's on Real" in check.detail
    assert "Ethereum" not in check.detail  # nobody follows it
    Locker.objects.update(confirmed=True)
    assert not [item for item in health.all_checks() if item.name == "lockers"]


def test_outside_services_then_each_is_told_apart(paper: Path, node: FakeRpc, settings: Any) -> None:
    follow(node)
    assert found("chains", "outside services").level == "ok"
    factories.EndpointFactory(chain=factories.ChainFactory(key="eip155:8453", chain_id=8453, enabled=True))
    settings.ENV = replace(settings.ENV, opinion_sources=("goplus", "rugcheck"))
    assert found("chains", "outside service GoPlus").level == "ok"
    assert "no chain that is followed" in found("chains", "outside service RugCheck").detail
    failed = Opinion(source="GoPlus", chain_key=ChainKey("eip155:8453"), token="0x1", failure="it is down")
    opinion_store(source="goplus", opinion=failed, now=timezone.now())
    silent = found("chains", "outside service GoPlus")
    assert (silent.level, "it is down" in silent.detail) == ("warning", True)
    judged = replace(failed, token="0x2", failure="", is_sellable=True)
    opinion_store(source="goplus", opinion=judged, now=timezone.now())
    assert found("chains", "outside service GoPlus").level == "ok"


def test_endpoint_unreachable_then_fault(paper: Path, node: FakeRpc) -> None:
    row = follow(node)
    Endpoint.objects.filter(pk=row.pk).update(url_http="http://127.0.0.1:1")
    assert found("chains", "127.0.0.1:1").level == "fault"


def test_endpoints_that_hang_then_asked_all_at_once(
    paper: Path, node: FakeRpc, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("apps.chains.evm.capabilities.PROBE_TIMEOUT_S", 1.0)
    chain = follow(node).chain
    for number in range(5):
        factories.EndpointFactory(chain=chain, url_http=f"{node.url}/{number}", url_ws="")
    node.misbehave("hang")
    started = time.monotonic()
    faults = [check for check in health.all_checks() if check.area == "chains" and check.level == "fault"]
    assert len(faults) == 6
    one_by_one_s = 6 * 1.0 * 3  # three passes of one second each
    assert time.monotonic() - started < one_by_one_s


def test_exchange_not_confirmed_then_warned_on_paper_and_fault_live(paper: Path, settings: Any) -> None:
    chain = factories.ChainFactory(chain_id=CHAIN_ID)
    factories.EndpointFactory(chain=chain, url_http="http://127.0.0.1:1")
    DexDeployment.objects.create(chain=chain, key="x", kind="uniswap_v2", name="Odd")
    assert found("chains", "Odd").level == "warning"
    settings.ENV = replace(settings.ENV, mode="live")
    assert found("chains", "Odd").level == "fault"


def test_sandbox_not_running_then_its_chains_are_not_asked(installed: Path) -> None:
    factories.EndpointFactory(url_http="http://127.0.0.1:1")
    assert Chain.objects.filter(enabled=True).exists()
    assert found("chains", "endpoints").level == "ok"


# -- wallets --------------------------------------------------------------------------------------


def test_key_opens_then_ok_and_wrong_password_then_fault(installed: Path, settings: Any) -> None:
    wallet_create(key="trader", mode="sandbox")
    assert found("wallets", "trader").level == "ok"
    settings.ENV = replace(settings.ENV, keystore_password="another password")
    check = found("wallets", "trader")
    assert check.level == "fault"
    assert "DEXSNIPER_KEYSTORE_PASSWORD" in check.remedy
    assert "another password" not in repr(check)


@pytest.mark.parametrize("damage", ["missing", "damaged"])
def test_key_file_unreadable_then_fault(installed: Path, damage: str) -> None:
    wallet = wallet_create(key="trader", mode="sandbox")
    path = installed / "keystore" / wallet.keystore_file
    path.unlink() if damage == "missing" else path.write_text("{}")
    check = found("wallets", "trader")
    assert check.level == "fault"
    assert "backup" in check.remedy


def test_live_without_a_wallet_marked_live_then_warned(installed: Path, settings: Any) -> None:
    wallet_create(key="trader", mode="sandbox")
    settings.ENV = replace(settings.ENV, mode="live")
    assert found("wallets", "live").level == "warning"
    Wallet.objects.update(is_live=True)
    assert not [check for check in health.all_checks() if (check.area, check.name) == ("wallets", "live")]


def test_no_wallet_then_warned(installed: Path) -> None:
    assert "manage.py up" in found("wallets", "wallets").remedy
