"""Asks for the passphrase of a backup."""

from __future__ import annotations

import getpass
import sys
from argparse import ArgumentParser
from pathlib import Path

from apps.domain.errors import ConfigurationError


def passphrase_add(parser: ArgumentParser) -> None:
    """Declare the option that names a file with the passphrase."""
    parser.add_argument(
        "--passphrase-file", type=Path, help="read the passphrase from this file; else it is asked"
    )


def passphrase_asked(path: Path | None, *, twice: bool) -> str:
    """Return the passphrase of the file, or what a person types. Raises ConfigurationError."""
    if path is not None:
        try:
            return path.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigurationError(
                f"{path} cannot be read.", remedy="Name a readable text file."
            ) from error
    if not sys.stdin.isatty():
        raise ConfigurationError("There is nobody to ask.", remedy="Give --passphrase-file.")
    given = getpass.getpass("Passphrase of the backup: ")
    if twice and getpass.getpass("Once more: ") != given:
        raise ConfigurationError("The two differ.", remedy="Try again.")
    return given
