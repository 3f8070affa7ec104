"""Encrypted private keys in a folder: web3 secret storage v3, scrypt. The only module that sees a key on disk."""

from __future__ import annotations

import json
import os
import secrets
import tempfile
from dataclasses import dataclass
from pathlib import Path

from eth_account import Account

from apps.domain.errors import KeystoreError

FOLDER_NAME = "keystore"
FOLDER_MODE = 0o700
FILE_MODE = 0o600
SIZE_MAX_BYTES = 16_384
#: Half a second and 256 MB for each guess: what geth and the standard take for keys that guard money.
SCRYPT_N_LIVE = 2**18
#: A sandbox key guards nothing: its chains exist on this machine alone. It opens in 8 ms, so that a start stays quick.
SCRYPT_N_SANDBOX = 2**12
#: More would let a planted file take all memory (scrypt takes 128 · n · r bytes).
SCRYPT_N_MAX = 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyFile:
    """Where an encrypted key lies, and the public address it belongs to."""

    name: str  # inside the keystore folder
    address: str  # EIP-55


class Key:
    """A decrypted private key. Shows itself nowhere: not in logs, tracebacks or pickles."""

    __slots__ = ("_secret", "address")

    def __init__(self, secret: bytes) -> None:
        self._secret = secret
        self.address: str = Account.from_key(secret).address

    def reveal(self) -> bytes:
        """Return the 32 bytes, to sign with."""
        return self._secret

    def __repr__(self) -> str:
        return f"<key of {self.address}>"

    def __reduce__(self) -> str:
        raise TypeError("a private key is not to be copied out of its process")


def key_create(*, folder: Path, wallet_key: str, password: str, scrypt_n: int) -> KeyFile:
    """Make a new key and store it encrypted. Raises KeystoreError; an existing file is never overwritten."""
    if not password:
        raise KeystoreError(
            "There is no keystore password.",
            remedy="Set DEXSNIPER_KEYSTORE_PASSWORD_FILE to a file that holds one.",
        )
    secret = secrets.token_bytes(32)
    key = Key(secret)
    content = json.dumps(Account.encrypt(secret, password, kdf="scrypt", iterations=scrypt_n)).encode()
    name = f"{wallet_key}-{key.address.lower()}.json"
    try:
        folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
        folder.chmod(FOLDER_MODE)  # an older umask may have left it open
        _write_new(folder / name, content)
    except OSError as error:
        raise KeystoreError(
            f"The key of {wallet_key} cannot be stored in {folder}: {error.strerror}.",
            remedy="Give this user a writable data folder with free space.",
        ) from error
    key_load(path=folder / name, password=password)  # a key that cannot be read back must not receive money
    return KeyFile(name=name, address=key.address)


def key_load(*, path: Path, password: str) -> Key:
    """Return the decrypted key. Raises KeystoreError for a wrong password, a missing or a damaged file."""
    content = _read(path)
    try:
        fields = json.loads(content)
        scrypt_n = fields["crypto"]["kdfparams"]["n"]
        if type(scrypt_n) is not int or not 2 <= scrypt_n <= SCRYPT_N_MAX:
            raise ValueError("scrypt n out of bounds")
    except (ValueError, KeyError, TypeError) as error:
        raise _damaged(path) from error
    try:
        return Key(bytes(Account.decrypt(fields, password)))
    except ValueError as error:
        if "MAC" not in str(error):
            raise _damaged(path) from error
        # The cause is left out: a library's message may quote what it was given.
        raise KeystoreError(
            f"The keystore password does not open {path.name}.",
            remedy="Set DEXSNIPER_KEYSTORE_PASSWORD_FILE (or DEXSNIPER_KEYSTORE_PASSWORD) to the password that the "
            "wallet was created with, then run `manage.py wallet check`.",
        ) from None
    except (KeyError, TypeError, NotImplementedError) as error:
        raise _damaged(path) from error


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(SIZE_MAX_BYTES)
    except OSError as error:
        raise KeystoreError(
            f"The key file {path} cannot be read: {error.strerror}.",
            remedy="Bring it back from your backup of the keystore folder; without it the wallet cannot sign.",
        ) from error


def _damaged(path: Path) -> KeystoreError:
    return KeystoreError(
        f"The key file {path} is damaged.", remedy="Bring it back from your backup of the keystore folder."
    )


def _write_new(path: Path, content: bytes) -> None:
    descriptor, temporary = tempfile.mkstemp(prefix=".key.", dir=path.parent)  # made with mode 0600
    try:
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(file.fileno(), FILE_MODE)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.link(temporary, path)  # unlike a rename, refuses to replace
    finally:
        Path(temporary).unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
