"""Backups: the database as of one moment, the keystore and the secrets beside it, in one encrypted file.

The file is a tar of two members in the age format (https://age-encryption.org/v1), so that it can be opened without this
program: ``key.age`` is a key of its own locked with the passphrase, ``payload.age`` a tar.gz locked with that key
(``age -d key.age > key; age -d -i key payload.age | tar xz``). The payload holds ``manifest.json`` and what it lists.
Chains of the sandbox and logs are no part of it.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import sqlite3
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any, Final

import pyrage  # type: ignore[import-untyped]
from django.conf import settings
from django.core.management import call_command
from django.db import Error as DatabaseFault
from django.db import connection, connections
from django.db.migrations.loader import MigrationLoader
from django.utils import timezone

from apps.domain.errors import BadDataError, ConfigurationError, PlatformError
from apps.state.latch import latch_pull
from apps.state.logic.gate import Latch
from apps.state.services.engine import KillReport, engine_view, killswitch_pull
from dexsniper.supervisor import AlreadyRunningError, InstanceLock

FORMAT: Final = 1
PASSPHRASE_LENGTH_MIN: Final = 12
KEYSTORE, SECRETS = "keystore", ("django.secret", "keystore.secret")
_SQLITE_NAME, _POSTGRES_NAME = "db.sqlite3", "db.pgdump"
_KEY, _PAYLOAD, _MANIFEST = "key.age", "payload.age", "manifest.json"
_KEY_BYTES_MAX = 10_000
_TOOL_TIMEOUT_S = 3_600
_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a backup holds. ``files``: name in the payload -> SHA-256; ``migrations``: what the database has applied."""

    format: int
    made_at: str  # ISO 8601, UTC
    mode: str
    vendor: str  # sqlite or postgresql
    epoch: int
    migrations: tuple[str, ...]
    files: Mapping[str, str]


def backup_make(*, target: Path, passphrase: str) -> Manifest:
    """Write a backup of this installation to ``target``, which must not exist. It may run while everything works.

    Raises ConfigurationError, PlatformError.
    """
    _check_passphrase(passphrase)
    if target.exists():
        raise ConfigurationError(f"{target} exists already.", remedy="Name a file that is not there yet.")
    # Beside the data, not beside the target: what is not encrypted yet must not touch another disk.
    with _workshop() as folder:
        payload = folder / "payload"
        (payload / KEYSTORE).mkdir(parents=True)
        _database_copy(payload)
        data_dir = Path(settings.DATA_DIR)
        for name in SECRETS:
            if (data_dir / name).exists():
                shutil.copy2(data_dir / name, payload / name)
        if (data_dir / KEYSTORE).is_dir():
            shutil.copytree(data_dir / KEYSTORE, payload / KEYSTORE, dirs_exist_ok=True)
        manifest = Manifest(
            format=FORMAT,
            made_at=timezone.now().isoformat(),
            mode=settings.ENV.mode,
            vendor=connection.vendor,
            epoch=engine_view().epoch,
            migrations=tuple(sorted(".".join(item) for item in _loader().applied_migrations)),
            files={str(path.relative_to(payload)): _sha256(path) for path in _files(payload)},
        )
        (payload / _MANIFEST).write_text(json.dumps(asdict(manifest), indent=1), encoding="utf-8")
        _lock_up(folder, payload, passphrase, target)
    return manifest


def backup_restore(*, source: Path, passphrase: str, replace: bool) -> tuple[Manifest, KillReport]:
    """Put a backup in the place of this installation and pull the kill switch: the chain has gone on since.

    With ``replace`` what is there now is moved to a folder ``replaced-…`` beside it (a PostgreSQL database is
    overwritten). Nothing is touched before the whole backup has proved true.
    Raises BadDataError, ConfigurationError, PlatformError.
    """
    data_dir = Path(settings.DATA_DIR)
    try:
        with InstanceLock(data_dir), _workshop() as folder:
            if _is_in_use() and not replace:
                raise ConfigurationError(
                    "This installation has a database already.",
                    remedy="Make a backup of it and add --replace, or give DEXSNIPER_DATA_DIR an empty folder.",
                )
            payload = _open_up(folder, source, passphrase)
            manifest = _proved(payload)
            reason = f"restored from a backup of {manifest.made_at}: reconcile, look, then resume"
            _shut(data_dir, reason)
            connections.close_all()
            _put_back(payload, data_dir, manifest)
            call_command("migrate", verbosity=0, interactive=False)
            return manifest, killswitch_pull(by="restore", reason=reason, close_positions=False)
    except AlreadyRunningError as error:
        raise ConfigurationError(
            "The system is running here.", remedy="Stop it first (Ctrl-C in its window)."
        ) from error


def _shut(data_dir: Path, reason: str) -> None:
    """Pull the latch before anything is exchanged: however this ends, an engine that was running then trades no more."""
    pulled = Latch(
        pulled="emergency_stopped",
        epoch=0,
        by="restore",
        reason=reason,
        at_ms=int(timezone.now().timestamp() * 1_000),
    )
    if not latch_pull(data_dir, pulled)[1]:
        raise PlatformError(
            "The kill switch's latch cannot be written, so nothing was restored.",
            remedy=f"Look at the disk of {data_dir}.",
        )


@contextmanager
def _workshop() -> Iterator[Path]:
    """Give a private folder that is gone afterwards, on the disk of the data."""
    try:
        with tempfile.TemporaryDirectory(prefix=".backup-", dir=settings.DATA_DIR) as name:
            yield Path(name)
    except OSError as error:
        raise PlatformError(
            f"The backup was not possible: {error.strerror or error}.",
            remedy="Look at the disk and its rights.",
        ) from error


def _check_passphrase(passphrase: str) -> None:
    if len(passphrase) < PASSPHRASE_LENGTH_MIN:
        raise ConfigurationError(
            "The passphrase is too short.", remedy=f"Use {PASSPHRASE_LENGTH_MIN} characters or more."
        )


# -- the database ---------------------------------------------------------------------------
def _database_copy(payload: Path) -> None:
    connection.ensure_connection()
    if connection.vendor == "sqlite":
        with sqlite3.connect(payload / _SQLITE_NAME) as copy:
            connection.connection.backup(copy)
        copy.close()
    else:
        _run_tool("pg_dump", "--format=custom", "--no-owner", f"--file={payload / _POSTGRES_NAME}")


def _run_tool(name: str, *arguments: str) -> None:
    """Run a tool of PostgreSQL on our database; its password never stands in the list of processes."""
    found = shutil.which(name) or next(
        iter(sorted(map(str, Path("/usr/lib/postgresql").glob(f"*/bin/{name}")), reverse=True)), None
    )
    if found is None:
        raise ConfigurationError(f"{name} was not found.", remedy="Install the package postgresql-client.")
    given = connection.get_connection_params()
    environment = {
        "PATH": os.defpath,
        "PGHOST": str(given.get("host") or ""),
        "PGPORT": str(given.get("port") or ""),
        "PGUSER": str(given.get("user") or ""),
        "PGPASSWORD": str(given.get("password") or ""),
    }
    ran = subprocess.run(
        [found, *arguments, f"--dbname={given['dbname']}"],
        env={name: value for name, value in environment.items() if value},
        capture_output=True,
        text=True,
        timeout=_TOOL_TIMEOUT_S,
        check=False,
    )
    if ran.returncode:
        line = (ran.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise PlatformError(f"{name} failed: {line}", remedy="Look at the database, then try again.")


def _loader() -> MigrationLoader:
    return MigrationLoader(connection)


def _is_in_use() -> bool:
    try:
        return "state_enginestate" in connection.introspection.table_names()
    except DatabaseFault as error:
        raise PlatformError(
            "The database does not answer.", remedy="Start it, or correct DEXSNIPER_DATABASE_URL."
        ) from error


# -- the file -------------------------------------------------------------------------------
def _files(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_file())


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _lock_up(folder: Path, payload: Path, passphrase: str, target: Path) -> None:
    plain, locked = folder / "payload.tar.gz", folder / _PAYLOAD
    with tarfile.open(plain, "w:gz") as tar:
        for path in _files(payload):
            tar.add(path, arcname=str(path.relative_to(payload)))
    identity = pyrage.x25519.Identity.generate()
    pyrage.encrypt_file(str(plain), str(locked), [identity.to_public()])
    key = pyrage.passphrase.encrypt(str(identity).encode(), passphrase)
    with _made(target) as file:
        with tarfile.open(fileobj=file, mode="w") as tar:
            member = tarfile.TarInfo(_KEY)
            member.size = len(key)
            tar.addfile(member, io.BytesIO(key))
            tar.add(locked, arcname=_PAYLOAD)
        file.flush()
        os.fsync(file.fileno())


@contextmanager
def _made(target: Path) -> Iterator[IO[bytes]]:
    """Give a new file that its owner alone may read; it is gone again when what follows fails."""
    with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        try:
            yield file
        except BaseException:
            target.unlink(missing_ok=True)
            raise


def _open_up(folder: Path, source: Path, passphrase: str) -> Path:
    plain, payload = folder / "payload.tar.gz", folder / "payload"
    try:
        with tarfile.open(source) as tar:
            sealed = tar.extractfile(_KEY)
            key = b"" if sealed is None else sealed.read(_KEY_BYTES_MAX)
            tar.extract(_PAYLOAD, folder, filter="data")
        identity = pyrage.x25519.Identity.from_str(pyrage.passphrase.decrypt(key, passphrase).decode())
        pyrage.decrypt_file(str(folder / _PAYLOAD), str(plain), [identity])
        with tarfile.open(plain) as tar:
            tar.extractall(payload, filter="data")
    except FileNotFoundError as error:
        raise ConfigurationError(f"{source} is not there.", remedy="Name the file of a backup.") from error
    except (tarfile.TarError, KeyError, EOFError) as error:
        raise BadDataError(f"{source} is no backup, or a damaged one.", remedy="Use another one.") from error
    except (pyrage.DecryptError, pyrage.IdentityError, UnicodeDecodeError) as error:
        raise _does_not_open() from error
    except OSError as error:
        if error.errno is not None:  # the disk; damage within the payload comes without a number
            raise
        raise _does_not_open() from error
    return payload


def _does_not_open() -> BadDataError:
    return BadDataError(
        "The backup does not open: the passphrase is wrong, or the file is damaged.",
        remedy="Try the passphrase again, or use another backup.",
    )


def _proved(payload: Path) -> Manifest:
    """Return the manifest of an opened backup that is whole and fits this installation."""
    try:
        given: dict[str, Any] = json.loads((payload / _MANIFEST).read_text(encoding="utf-8"))
        manifest = Manifest(**{**given, "migrations": tuple(given["migrations"])})
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise BadDataError("The backup has no readable manifest.", remedy="Use another one.") from error
    if manifest.format != FORMAT:
        raise BadDataError(
            f"The backup has form {manifest.format}, and this version reads form {FORMAT}.",
            remedy="Restore it with the version that made it.",
        )
    there = {
        str(path.relative_to(payload)): _sha256(path) for path in _files(payload) if path.name != _MANIFEST
    }
    if there != dict(manifest.files):
        raise BadDataError("The backup's files are not what its manifest says.", remedy="Use another one.")
    if manifest.mode != settings.ENV.mode:
        raise ConfigurationError(
            f"The backup is of the mode {manifest.mode}, and the environment says {settings.ENV.mode}.",
            remedy=f"Set DEXSNIPER_MODE={manifest.mode}.",
        )
    if manifest.vendor != connection.vendor:
        raise ConfigurationError(
            f"The backup is of {manifest.vendor}, and the environment names {connection.vendor}.",
            remedy="Set DEXSNIPER_DATABASE_URL to a database of the same kind.",
        )
    known = {".".join(item) for item in _loader().disk_migrations}
    if newer := sorted(set(manifest.migrations) - known):
        raise ConfigurationError(
            f"The backup is of a newer version: it knows {newer[0]}.", remedy="Update DEX Sniper Pro first."
        )
    return manifest


def _put_back(payload: Path, data_dir: Path, manifest: Manifest) -> None:
    """Exchange the database, then what lies beside it; when that fails everything is as it was before."""
    database = Path(str(connection.settings_dict["NAME"])) if manifest.vendor == "sqlite" else None
    if database is None:  # in one transaction: it changes all or nothing
        dump = str(payload / _POSTGRES_NAME)
        _run_tool("pg_restore", "--clean", "--if-exists", "--no-owner", "--single-transaction", dump)
    new = {payload / name: data_dir / name for name in (KEYSTORE, *SECRETS)}
    old = list(new.values())
    if database is not None:
        new = {payload / _SQLITE_NAME: database} | new
        old += [database.with_name(database.name + suffix) for suffix in ("", "-wal", "-shm")]
    aside = data_dir / f"replaced-{timezone.now():%Y%m%dT%H%M%S}"
    moved: list[tuple[Path, Path]] = []
    try:
        for path in old:
            if path.exists():
                aside.mkdir(mode=0o700, exist_ok=True)
                moved.append((path, aside / path.name))
                shutil.move(path, aside / path.name)
        for path, goal in new.items():
            if path.exists():
                shutil.move(path, goal)
    except OSError:
        for goal in new.values():
            _remove(goal)
        for goal, kept in moved:
            if kept.exists():
                shutil.move(kept, goal)
        raise


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
