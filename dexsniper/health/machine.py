"""The machine: disk, folders, ports, programs, and whether the system runs already."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings

from apps.domain.errors import ConfigurationError
from dexsniper.env import Environment
from dexsniper.health.check import Check, fault, good, warning
from dexsniper.processes import embedded_broker_port
from dexsniper.supervisor import port_answers, running_instance

DISK_FREE_MIN_BYTES = 500 * 1024 * 1024
_OPEN_TO_OTHERS = 0o077


def environment(env: Environment) -> Iterator[Check]:
    """Check mode, disk, data folder, secrets and running processes."""
    yield good("environment", "mode", env.mode)
    if env.is_sandbox:
        yield good("environment", "sandbox chains", ", ".join(env.sandbox_chains))
    yield _disk(env)
    writable = os.access(env.data_dir, os.W_OK | os.X_OK)
    if writable:
        yield good("environment", "data folder", str(env.data_dir))
    else:
        yield fault(
            "environment",
            "data folder",
            f"{env.data_dir} cannot be written",
            remedy="Give this user the right to write there, or set DEXSNIPER_DATA_DIR.",
        )
    yield from _secrets(env)
    yield from _processes(env)


def _disk(env: Environment) -> Check:
    free = shutil.disk_usage(env.data_dir).free
    detail = f"{free // 2**20} MiB free"
    if free >= DISK_FREE_MIN_BYTES:
        return good("environment", "disk", detail)
    return fault(
        "environment",
        "disk",
        f"{detail}, at least {DISK_FREE_MIN_BYTES // 2**20} are needed",
        remedy=f"Free space on the disk of {env.data_dir}: an order must be stored before it is sent.",
    )


def _secrets(env: Environment) -> Iterator[Check]:
    """Check that nobody else on this machine can read what guards the keys."""
    for path in (env.data_dir / "keystore.secret", env.data_dir / "django.secret", env.data_dir / "keystore"):
        if path.exists() and path.stat().st_mode & _OPEN_TO_OTHERS:
            rights = "go-rwx"
            yield warning(
                "environment",
                path.name,
                "other users of this machine can read it",
                remedy=f"Run: chmod {rights} {path}",
            )


def _processes(env: Environment) -> Iterator[Check]:
    holder = running_instance(env.data_dir)
    if holder is not None:
        yield good("environment", "system", f"runs (process {holder}); a second start here is refused")
        return
    yield good("environment", "system", "does not run; 'make run' starts it")
    ports = {"web page": ("DEXSNIPER_PORT", env.port)}
    if not env.redis_url:
        ports["broker"] = ("DEXSNIPER_PORT (the broker's follows it)", embedded_broker_port(env))
    for name, (variable, port) in ports.items():
        if port_answers(port):
            yield fault(
                "environment",
                f"port {port}",
                f"another program answers on the port of the {name}",
                remedy=f"Stop that program (a second installation?), or set {variable} to a free port.",
            )


def programs(env: Environment) -> Iterator[Check]:
    """Check what no Python package brings: the local chains' program and what pages load."""
    if env.is_sandbox:
        from apps.sandbox.processes import anvil_path

        try:
            path = anvil_path()
        except ConfigurationError as error:
            yield fault("programs", "anvil", str(error), remedy=error.remedy)
        else:
            if os.access(path, os.X_OK):
                yield good("programs", "anvil", "installed")
            else:
                yield fault("programs", "anvil", "cannot be executed", remedy=f"Run: chmod +x {path}")
    missing = sorted(name for name in settings.PAGE_PACKAGES if not _is_installed(name))
    if missing:
        yield fault(
            "programs",
            "page packages",
            f"{', '.join(missing)} missing: pages would stand still",
            remedy="Run 'make setup'.",
        )
    else:
        yield good("programs", "page packages", "installed")


def _is_installed(name: str) -> bool:
    return Path(settings.PAGE_PACKAGES[name]).is_dir()
