"""Write the reference of the sockets' messages into docs/sockets.md."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from apps.api.messages_reference import BEGIN, END, reference


class Command(BaseCommand):
    help = "Writes the reference of the sockets' messages into docs/sockets.md, from their schemas."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Replace what stands between the marks."""
        file = Path(settings.BASE_DIR) / "docs" / "sockets.md"
        before, _, rest = file.read_text(encoding="utf-8").partition(BEGIN)
        after = rest.partition(END)[2]
        file.write_text(f"{before}{reference()}{after}", encoding="utf-8")
        self.stdout.write(f"{file} was written")
