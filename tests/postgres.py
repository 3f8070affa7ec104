"""Run a throw-away PostgreSQL server: started from found binaries, on loopback, removed afterwards."""

from __future__ import annotations

import contextlib
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg

START_LIMIT_S = 30
STOP_LIMIT_S = 20

# Nothing here outlives the run, so nothing needs to survive a power cut.
_SETTINGS = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "listen_addresses": "127.0.0.1",
    "max_connections": "400",
    "log_min_messages": "warning",
    "timezone": "UTC",
}


@contextlib.contextmanager
def throwaway_cluster(binaries: Path) -> Iterator[str]:
    """Yield the URL of a database in a fresh cluster of its own."""
    user = _unprivileged_user()
    folder = Path(tempfile.mkdtemp(prefix="dexsniper-pg-"))
    password = secrets.token_urlsafe(16)
    server: subprocess.Popen[bytes] | None = None
    try:
        (folder / "password").write_text(password, encoding="utf-8")
        if user is not None:
            account = pwd.getpwnam(user)
            for path in (folder, folder / "password"):
                os.chown(path, account.pw_uid, account.pw_gid)
        _initialise(binaries, folder, user)
        port = _free_port()
        server = _start(binaries, folder, user, port)
        address = f"postgres://dexsniper:{password}@127.0.0.1:{port}"
        _wait_until_ready(f"{address}/postgres", server, folder / "log")
        with psycopg.connect(f"{address}/postgres", autocommit=True) as connection:
            connection.execute("CREATE DATABASE dexsniper")
        yield f"{address}/dexsniper"
    finally:
        if server is not None:
            _stop(server)
        shutil.rmtree(folder, ignore_errors=True)


def _unprivileged_user() -> str | None:
    """Return who runs the server: None for ourselves; PostgreSQL refuses root."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


def _account_arguments(user: str | None) -> dict[str, object]:
    if user is None:
        return {}
    return {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []}


def _initialise(binaries: Path, folder: Path, user: str | None) -> None:
    command = [
        str(binaries / "initdb"),
        *("-D", str(folder / "data"), "-U", "dexsniper", "-E", "UTF8", "--locale=C"),
        *("--auth=scram-sha-256", f"--pwfile={folder / 'password'}", "--no-sync"),
    ]
    arguments = _account_arguments(user)
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL, **arguments)  # type: ignore[call-overload]


def _start(binaries: Path, folder: Path, user: str | None, port: int) -> subprocess.Popen[bytes]:
    command = [str(binaries / "postgres"), "-D", str(folder / "data"), "-p", str(port), "-k", str(folder)]
    for name, value in _SETTINGS.items():
        command += ["-c", f"{name}={value}"]
    arguments = _account_arguments(user)
    with (folder / "log").open("wb") as log:
        # A session of its own: Ctrl-C reaches the test run, which then stops the server in order.
        return subprocess.Popen(  # type: ignore[call-overload]
            command, cwd=folder, stdout=log, stderr=log, start_new_session=True, **arguments
        )


def _wait_until_ready(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_LIMIT_S
    while True:
        try:
            psycopg.connect(url, connect_timeout=2).close()
        except psycopg.OperationalError as error:
            if server.poll() is not None or time.monotonic() > deadline:
                text = log.read_text(encoding="utf-8", errors="replace")
                raise RuntimeError(f"PostgreSQL did not start: {error}\n{text}") from error
            time.sleep(0.05)
        else:
            return


def _stop(server: subprocess.Popen[bytes]) -> None:
    server.send_signal(signal.SIGINT)  # "fast": ends sessions, then the server
    try:
        server.wait(STOP_LIMIT_S)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
