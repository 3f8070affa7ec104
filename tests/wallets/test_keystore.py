"""Keys on disk: encrypted, closed to others, never overwritten, never shown."""

from __future__ import annotations

import json
import pickle
import stat
from pathlib import Path

import pytest
from eth_account import Account

from apps.domain.errors import KeystoreError
from apps.wallets.keystore import SCRYPT_N_LIVE, SCRYPT_N_SANDBOX, Key, KeyFile, key_create, key_load

PASSWORD = "correct horse battery"


def create(folder: Path, *, scrypt_n: int = SCRYPT_N_SANDBOX) -> KeyFile:
    return key_create(folder=folder, wallet_key="trader", password=PASSWORD, scrypt_n=scrypt_n)


def test_create_when_done_then_file_is_standard_storage_closed_to_others(tmp_path: Path) -> None:
    folder = tmp_path / "keystore"
    made = create(folder)
    path = folder / made.name
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [item.name for item in folder.iterdir()] == [made.name]
    fields = json.loads(path.read_text())
    assert (fields["version"], fields["crypto"]["kdf"]) == (3, "scrypt")
    secret = bytes(Account.decrypt(fields, PASSWORD))
    assert Account.from_key(secret).address == made.address
    assert secret.hex() not in path.read_text()
    assert key_load(path=path, password=PASSWORD).reveal() == secret


def test_create_when_live_then_guessing_is_dear(tmp_path: Path) -> None:
    made = create(tmp_path, scrypt_n=SCRYPT_N_LIVE)
    assert json.loads((tmp_path / made.name).read_text())["crypto"]["kdfparams"]["n"] == 2**18


def test_create_when_folder_is_a_file_then_remedy(tmp_path: Path) -> None:
    (tmp_path / "keystore").write_text("")
    with pytest.raises(KeystoreError) as raised:
        create(tmp_path / "keystore")
    assert "writable" in raised.value.remedy


def test_create_when_no_password_then_refused(tmp_path: Path) -> None:
    with pytest.raises(KeystoreError, match="no keystore password"):
        key_create(folder=tmp_path, wallet_key="trader", password="", scrypt_n=2)
    assert list(tmp_path.iterdir()) == []


def test_load_when_password_is_wrong_then_remedy_and_no_secret_in_the_error(tmp_path: Path) -> None:
    made = create(tmp_path)
    with pytest.raises(KeystoreError, match="does not open") as raised:
        key_load(path=tmp_path / made.name, password="guess")
    assert "DEXSNIPER_KEYSTORE_PASSWORD" in raised.value.remedy
    assert raised.value.__cause__ is None
    assert "guess" not in str(raised.value)


def test_load_when_file_is_missing_then_remedy(tmp_path: Path) -> None:
    with pytest.raises(KeystoreError) as raised:
        key_load(path=tmp_path / "gone.json", password=PASSWORD)
    assert "backup" in raised.value.remedy


@pytest.mark.parametrize(
    "content", ["", "{}", "[]", "null", '{"crypto": 1}', '{"crypto": {"kdfparams": {"n": 1099511627776}}}']
)
def test_load_when_file_is_damaged_then_says_so(tmp_path: Path, content: str) -> None:
    path = tmp_path / "key.json"
    path.write_text(content)
    with pytest.raises(KeystoreError, match="damaged"):
        key_load(path=path, password=PASSWORD)


@pytest.mark.parametrize(
    ("part", "value"),
    [("ciphertext", "zz"), ("ciphertext", "00"), ("mac", None), ("kdf", "md5")],
)
def test_load_when_a_part_is_damaged_then_keystore_error(tmp_path: Path, part: str, value: object) -> None:
    made = create(tmp_path)
    fields = json.loads((tmp_path / made.name).read_text())
    fields["crypto"][part] = value
    (tmp_path / made.name).write_text(json.dumps(fields))
    with pytest.raises(KeystoreError):
        key_load(path=tmp_path / made.name, password=PASSWORD)


def test_key_when_shown_or_copied_then_keeps_its_secret() -> None:
    key = Key(b"\x11" * 32)
    assert "1111" not in repr(key).lower().replace(key.address.lower(), "")
    assert key.address in repr(key)
    with pytest.raises(TypeError):
        pickle.dumps(key)
