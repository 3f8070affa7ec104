"""Find the programs that tests need and that no Python package brings."""

from __future__ import annotations

import platform
import shutil
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

CHROMIUM_MISSING = "Chromium was not found: install it (Debian: apt install chromium)"
ANVIL_MISSING = "anvil was not found in node_modules: run `make setup`"
POSTGRES_MISSING = "PostgreSQL's server was not found: install it (Debian: apt install postgresql)"

_CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_CHROMIUM_PLACES = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
_POSTGRES_PLACES = (
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/opt/homebrew/opt/postgresql*/bin",
    "/usr/local/opt/postgresql*/bin",
)


@cache
def find_chromium() -> Path | None:
    """Return the path of Chromium or Chrome, None when there is none."""
    for name in _CHROMIUM_NAMES:
        found = shutil.which(name)
        if found is not None:
            return Path(found)
    return next((Path(place) for place in _CHROMIUM_PLACES if Path(place).is_file()), None)


@cache
def find_anvil() -> Path | None:
    """Return the path of the native anvil of the npm package for this machine, None when there is none."""
    machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    package = f"anvil-{platform.system().lower()}-{machine}"
    path = ROOT / "node_modules" / "@foundry-rs" / package / "bin" / "anvil"
    return path if path.is_file() else None


@cache
def find_postgres() -> Path | None:
    """Return the folder with ``initdb`` and ``postgres``, the newest version first, None when there is none."""
    folders = [folder for place in _POSTGRES_PLACES for folder in Path("/").glob(place.lstrip("/"))]
    folders.sort(key=_version_of, reverse=True)
    on_path = shutil.which("initdb")
    if on_path is not None:
        folders.append(Path(on_path).resolve().parent)
    for folder in folders:
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    return None


def _version_of(folder: Path) -> int:
    digits = "".join(character for character in folder.parent.name if character.isdigit())
    return int(digits or 0)
