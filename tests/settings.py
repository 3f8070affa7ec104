"""The settings of a test run: dexsniper.settings in a data folder and on ports of its own.

A test never meets a running system: the developer's ``.env`` and exported variables are set aside, and each
pytest-xdist worker has its own lane. A child process that a test starts inherits the lane and runs the real
``dexsniper.settings``, with the real broker address; what the test changes in the child's environment stands.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from pathlib import Path

_LANE = "DEXSNIPER_TEST_LANE"
_ROOT = "DEXSNIPER_TEST_ROOT"
_RUN = "DEXSNIPER_TEST_RUN"
_DATABASE_URL = "DEXSNIPER_TEST_DATABASE_URL"  # given by tests.gate: the throw-away PostgreSQL
_KEPT = (_LANE, _ROOT, _RUN, _DATABASE_URL, "DEXSNIPER_CI")


def _remove_root(root: Path, owner_pid: int) -> None:
    if os.getpid() == owner_pid:  # not in a forked child
        shutil.rmtree(root, ignore_errors=True)


def _take_lane() -> None:
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    if os.environ.get(_LANE) == worker:
        return
    for name in [name for name in os.environ if name.startswith("DEXSNIPER_") and name not in _KEPT]:
        del os.environ[name]
    if _ROOT not in os.environ:
        root = Path(tempfile.mkdtemp(prefix="dexsniper-test-"))
        atexit.register(_remove_root, root, os.getpid())
        os.environ[_ROOT] = str(root)
        os.environ[_RUN] = str(os.getpid())
    data_dir = Path(os.environ[_ROOT]) / worker
    slot = int(os.environ[_RUN]) * 4 + (0 if worker == "main" else int(worker.removeprefix("gw")) + 1)
    os.environ.update(
        {
            _LANE: worker,
            "DEXSNIPER_MODE": "sandbox",
            "DEXSNIPER_LIVE_TRADING": "false",
            "DEXSNIPER_AUTOSTART": "false",
            "DEXSNIPER_DATA_DIR": str(data_dir),
            "DEXSNIPER_DATABASE_URL": os.environ.get(_DATABASE_URL) or f"sqlite:///{data_dir / 'db.sqlite3'}",
            "DEXSNIPER_PORT": str(20_000 + slot % 2_000),  # and the broker's, 10 000 higher
            "DEXSNIPER_SANDBOX_PORT_BASE": str(11_000 + slot % 70 * 100),
        }
    )
    data_dir.mkdir(parents=True, exist_ok=True)


_take_lane()

from dexsniper.settings import *  # noqa: E402, F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
# No test depends on a broker unless it starts one itself; never a running system's.
CELERY_BROKER_URL = "memory://"
CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
_MEMORY = "django.core.cache.backends.locmem.LocMemCache"
CACHES = {name: {"BACKEND": _MEMORY, "LOCATION": name} for name in ("default", "shared")}

os.environ["DJANGO_SETTINGS_MODULE"] = "dexsniper.settings"  # for child processes; ours are loaded by now
