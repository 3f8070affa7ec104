"""A backup brings everything back as it was, opens for nobody else, and leaves what is there alone until it has proved true."""

from __future__ import annotations

import io
import json
import shutil
import tarfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyrage  # type: ignore[import-untyped]
import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from apps.domain.engine import EngineStatus
from apps.domain.errors import BadDataError, ConfigurationError, PlatformError, SniperError
from apps.state.models import Incident
from apps.state.services.engine import engine_start, engine_view, installation_prepare
from apps.state.services.relay import audit_verify, relay_once
from dexsniper.backups import backup_make, backup_restore
from dexsniper.supervisor import InstanceLock
from tests import factories

PASSPHRASE = "correct horse battery"


@pytest.fixture
def folder(tmp_path: Path, settings: Any) -> Path:
    """Give the installation a data folder of its own, with a key in it."""
    data_dir = tmp_path / "data"
    (data_dir / "keystore").mkdir(parents=True)
    (data_dir / "keystore" / "trader.json").write_text('{"crypto": "as locked by the keystore"}')
    (data_dir / "keystore.secret").write_text("secret of the keystore")
    settings.DATA_DIR = data_dir
    return data_dir


@pytest.fixture
def installed(folder: Path, transactional_db: None) -> Path:
    installation_prepare(mode="sandbox")
    engine_start(by="tester", reason="let it run")
    relay_once()
    return folder


def made(tmp_path: Path) -> Path:
    file = tmp_path / "today.backup"
    backup_make(target=file, passphrase=PASSPHRASE)
    return file


def test_backup_when_restored_then_rows_keys_and_log_are_back_and_nothing_trades(
    installed: Path, tmp_path: Path
):
    factories.IncidentFactory.create(code="BEFORE")
    file = made(tmp_path)
    assert file.stat().st_mode & 0o777 == 0o600
    factories.IncidentFactory.create(code="AFTER")
    (installed / "keystore" / "trader.json").unlink()
    epoch = engine_view().epoch
    manifest, kill = backup_restore(source=file, passphrase=PASSPHRASE, replace=True)
    assert set(manifest.files) >= {"keystore/trader.json", "keystore.secret"}
    assert set(Incident.objects.values_list("code", flat=True)) >= {"BEFORE"}
    assert not Incident.objects.filter(code="AFTER").exists()
    assert "keystore" in (installed / "keystore" / "trader.json").read_text()
    assert not audit_verify().faults
    assert kill.is_effective
    view = engine_view()
    assert view.status is EngineStatus.EMERGENCY_STOPPED
    assert view.epoch > epoch
    [aside] = installed.glob("replaced-*")
    assert (aside / "keystore.secret").read_text() == "secret of the keystore"


def test_backup_then_opens_with_the_age_tool_alone(installed: Path, tmp_path: Path):
    file = made(tmp_path)
    assert b"as locked by the keystore" not in file.read_bytes()
    with tarfile.open(file) as tar:
        key, payload = (tar.extractfile(name) for name in ("key.age", "payload.age"))
        assert key is not None
        assert payload is not None
        identity = pyrage.x25519.Identity.from_str(pyrage.passphrase.decrypt(key.read(), PASSPHRASE).decode())
        plain = pyrage.decrypt(payload.read(), [identity])
    with tarfile.open(fileobj=io.BytesIO(plain)) as tar:
        manifest = tar.extractfile("manifest.json")
        assert manifest is not None
        assert json.load(manifest)["mode"] == "sandbox"


def _cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def _turned(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


def _rubbish(file: Path) -> None:
    file.write_bytes(b"rubbish" * 1_000)


def test_restore_when_it_may_not_be_then_says_why_and_touches_nothing(
    installed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Any
):
    file = made(tmp_path)

    def refused(
        kind: type[SniperError], words: str, *, replace: bool = True, passphrase: str = PASSPHRASE
    ) -> None:
        with pytest.raises(kind, match=words) as caught:
            backup_restore(source=file, passphrase=passphrase, replace=replace)
        assert caught.value.remedy
        assert engine_view().status is EngineStatus.RUNNING
        assert not list(installed.glob("replaced-*"))
        assert not list(installed.glob(".backup-*"))

    refused(ConfigurationError, "already", replace=False)
    with InstanceLock(installed):
        refused(ConfigurationError, "running")
    refused(BadDataError, "passphrase", passphrase="incorrect horse battery")
    with monkeypatch.context() as patched:
        patched.setattr(settings, "ENV", replace(settings.ENV, mode="paper"))
        refused(ConfigurationError, "sandbox")
    for damage in (_turned, _cut, _rubbish, Path.unlink):
        damage(file)
        refused(ConfigurationError if damage is Path.unlink else BadDataError, "is")


def test_backup_of_a_newer_version_then_is_refused(installed: Path, tmp_path: Path):
    recorder = MigrationRecorder(connection)
    recorder.record_applied("state", "0999_future")
    try:
        file = made(tmp_path)
        with pytest.raises(ConfigurationError, match="newer version"):
            backup_restore(source=file, passphrase=PASSPHRASE, replace=True)
    finally:
        recorder.record_unapplied("state", "0999_future")


def test_commands_then_make_and_restore_with_a_passphrase_from_a_file(
    installed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    secret = tmp_path / "passphrase"
    secret.write_text(PASSPHRASE + "\n")
    file = tmp_path / "x.backup"
    call_command("backup", str(file), passphrase_file=secret)
    with pytest.raises(CommandError, match="exists already"):
        call_command("backup", str(file), passphrase_file=secret)
    call_command("restore", str(file), passphrase_file=secret, replace=True, json=True)
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (told["mode"], told["events_faulty"], told["is_killed"]) == ("sandbox", 0, True)


def test_backup_with_a_short_passphrase_then_is_refused(installed: Path, tmp_path: Path):
    with pytest.raises(ConfigurationError, match="too short"):
        backup_make(target=tmp_path / "x", passphrase="short")


def test_restore_when_the_exchange_fails_half_way_then_all_is_as_before_and_the_latch_is_pulled(
    installed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    file = made(tmp_path)
    move = shutil.move

    def full_disk(source: Path, goal: Path) -> None:
        if goal.name == "keystore.secret" and goal.parent == installed and ".backup-" in str(source):
            raise OSError(28, "No space left on device")
        move(source, goal)

    monkeypatch.setattr(shutil, "move", full_disk)
    with pytest.raises(PlatformError, match="No space left"):
        backup_restore(source=file, passphrase=PASSPHRASE, replace=True)
    assert (installed / "keystore.secret").read_text() == "secret of the keystore"
    assert (installed / "keystore" / "trader.json").exists()
    assert engine_view().status is EngineStatus.EMERGENCY_STOPPED
    assert not audit_verify().faults
