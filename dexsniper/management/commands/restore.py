"""Put a backup back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.state.console import answer, plain_errors
from apps.state.services.relay import audit_verify
from dexsniper.backups import backup_restore
from dexsniper.passphrase import passphrase_add, passphrase_asked


class Command(BaseCommand):
    """``manage.py restore FILE``."""

    help = (
        "Put a backup in the place of this installation and pull the kill switch: the chain has gone on since."
        " Start the system, let it reconcile, look, then resume."
    )
    requires_system_checks = []
    requires_migrations_checks = False

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the file and where the passphrase comes from."""
        parser.add_argument("file", type=Path, help="a file made by 'manage.py backup'")
        passphrase_add(parser)
        parser.add_argument("--replace", action="store_true", help="move away what this installation has now")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        """Restore, then prove the event log."""
        with plain_errors():
            passphrase = passphrase_asked(options["passphrase_file"], twice=False)
            manifest, kill = backup_restore(
                source=options["file"], passphrase=passphrase, replace=options["replace"]
            )
            audit = audit_verify()
        fields = {
            "made_at": manifest.made_at,
            "mode": manifest.mode,
            "files": len(manifest.files),
            "epoch": kill.epoch,
            "is_killed": kill.is_effective,
            "events_checked": audit.checked,
            "events_faulty": len(audit.faults),
        }
        text = (
            f"Restored: mode {manifest.mode}, as of {manifest.made_at}; {audit.checked} events proved,"
            f" {len(audit.faults)} faulty.\nThe kill switch is pulled. Next: 'make run', 'manage.py reconcile', look at"
            " positions and incidents, then 'manage.py killswitch resume --reason …'."
        )
        answer(self, as_json=options["json"], fields=fields, text=text)
        if audit.faults or not kill.is_effective:
            raise CommandError(
                "What was restored is not to be trusted as it is: 'manage.py audit verify' tells why."
            )
