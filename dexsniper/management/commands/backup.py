"""Make a backup."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from apps.state.console import plain_errors
from dexsniper.backups import backup_make
from dexsniper.passphrase import passphrase_add, passphrase_asked


class Command(BaseCommand):
    """``manage.py backup FILE``."""

    help = (
        "Write database, keystore and secrets of this installation to one encrypted file, also while it runs."
        " Keep the passphrase elsewhere: nothing opens the file without it."
    )
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the file and where the passphrase comes from."""
        parser.add_argument("file", type=Path, help="the file to write; it must not be there yet")
        passphrase_add(parser)
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        """Write it and say what it holds."""
        with plain_errors():
            passphrase = passphrase_asked(options["passphrase_file"], twice=True)
            manifest = backup_make(target=options["file"], passphrase=passphrase)
        if options["json"]:
            self.stdout.write(json.dumps(asdict(manifest)))
            return
        size = options["file"].stat().st_size
        self.stdout.write(
            f"{options['file']}: {len(manifest.files)} files of mode {manifest.mode}, {size:,} bytes, encrypted.\n"
            "Try it: restore it into an empty folder (DEXSNIPER_DATA_DIR=… manage.py restore FILE)."
        )
